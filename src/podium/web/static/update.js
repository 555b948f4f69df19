// Bring the board up to date in place: the row that the reader looks at, what is opened, focused and typed stay.
import { isOfAnother, put, putHead, swap } from "./navigate.js";
import { fetchPage } from "./request.js";
import { keepInView, loadedPages, rowInView } from "./rows.js";

// Times to fetch again because the reader has loaded other rows meanwhile.
const TRIES = 3;

function fill(row, fresh) {
  for (const cell of fresh.querySelectorAll("[data-cell]")) {
    const own = row.querySelector(`[data-cell="${cell.dataset.cell}"]`);
    if (own.innerHTML !== cell.innerHTML) {
      own.replaceChildren(...cell.childNodes);
      if (cell.dataset.cell === "who") row.classList.add("fresh");
    }
    if (own.href && own.getAttribute("href") !== cell.getAttribute("href")) {
      own.setAttribute("href", cell.getAttribute("href"));
    }
  }
}

function explanationOf(row) {
  const next = row?.nextElementSibling;
  return next?.classList.contains("open") ? next : null;
}

function rowsOf(pages) {
  return pages.flatMap((page) => [...page.querySelectorAll("#rows > tr[data-row]")]);
}

function isInView(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

// The row that stays where it is: the one that has the focus, or is open, or the first one that is visible, and stays on
// the board; null while the reader is above the table.
function anchor(kept) {
  const focused = document.activeElement.closest("#rows > tr[data-row]");
  const opened = [...document.querySelectorAll("#rows > .open")].map((row) => row.previousElementSibling);
  for (const row of [focused, ...opened]) if (row && kept.has(row.id) && isInView(row)) return row;
  for (let row = rowInView(); row; row = row.nextElementSibling) if (kept.has(row.id)) return row;
  return null;
}

function putRows(fresh) {
  const body = document.getElementById("rows");
  const known = new Map([...body.querySelectorAll(":scope > tr[data-row]")].map((row) => [row.id, row]));
  // Moving an element takes its focus away.
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  let place = body.firstElementChild;
  const kept = new Set();
  for (const each of fresh) {
    if (kept.has(each.id)) continue;
    kept.add(each.id);
    const row = known.get(each.id) ?? document.adoptNode(each);
    if (known.has(each.id)) fill(row, each);
    const opened = known.has(each.id) ? explanationOf(row) : null;
    if (row === place) place = (opened ?? row).nextElementSibling;
    else {
      body.insertBefore(row, place);
      if (opened) body.insertBefore(opened, place);
    }
  }
  for (const [id, row] of known) {
    if (kept.has(id)) continue;
    explanationOf(row)?.remove();
    row.remove();
  }
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

function columns(page) {
  return page.querySelectorAll(".board > thead th").length;
}

// Another table, for other columns, or for a list that was empty or is: opened rows go with their row.
function putTable(pages) {
  const opened = new Map([...document.querySelectorAll("#rows > .open")].map((row) => [row.previousElementSibling.id, row]));
  put("people", pages[0]);
  document.getElementById("rows")?.append(...rowsOf(pages.slice(1)));
  for (const [id, explanation] of opened) {
    const row = document.getElementById(id);
    if (!row || explanationOf(row)) continue;
    row.after(explanation);
    explanation.cells[0].colSpan = columns(document);
    row.querySelector("a.why").setAttribute("aria-expanded", "true");
  }
}

// What opened rows say, too.
async function renewExplanations() {
  const query = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) query.delete(name);
  for (const explanation of document.querySelectorAll("#rows > .open")) {
    const table = explanation.closest("table");
    const page = await fetchPage(`${table.dataset.row}/${explanation.previousElementSibling.dataset.row}?${query}`);
    if (!explanation.isConnected) continue;
    const cell = explanation.cells[0].cloneNode();
    cell.append(...page.body.childNodes);
    keepInView(() => swap(explanation.cells[0], document.adoptNode(cell)));
  }
}

async function fetchPages(tries = TRIES) {
  const urls = loadedPages();
  const pages = [];
  for (const url of urls) pages.push(await fetchPage(url));
  const isChanged = loadedPages().join() !== urls.join();
  // Rows that were loaded meanwhile, or other rules.
  if (isChanged && tries > 1) return fetchPages(tries - 1);
  return isChanged ? null : pages;
}

/* Show the board as it is now. Returns a page that does not fit into this one, because one of them has no board yet;
   rejects as fetchPage. */
export async function updateBoard() {
  const pages = await fetchPages();
  if (!pages) return null;
  if (isOfAnother(pages[0])) {
    location.reload();
    return null;
  }
  const [here, there] = [document, pages[0]].map((page) => page.getElementById("people"));
  if (!here || !there) return pages.at(-1);
  const rows = rowsOf(pages);
  const eye = anchor(new Set(rows.map((row) => row.id)));
  const [id, top] = [eye?.id, eye?.getBoundingClientRect().top];
  const isSame = document.getElementById("rows") && rows.length && columns(document) === columns(pages[0]);
  const versions = new Set(pages.map((page) => page.getElementById("people")?.dataset.version));
  putHead(pages[0]);
  if (isSame) {
    put("more", pages.findLast((page) => page.getElementById("more")));
    putRows(rows);
    for (const name of ["address", "said"]) here.dataset[name] = there.dataset[name];
  } else putTable(pages);
  // Rows of two counts are not yet those of the last one.
  document.getElementById("people").dataset.version = versions.size === 1 ? there.dataset.version : "";
  const after = id && document.getElementById(id);
  if (after) window.scrollBy({ top: after.getBoundingClientRect().top - top, behavior: "instant" });
  document.dispatchEvent(new Event(isSame ? "rows" : "board"));
  if (isSame && document.querySelector("#timeline .handle") === null) document.dispatchEvent(new Event("chart"));
  document.dispatchEvent(new Event("updated"));
  try {
    await renewExplanations();
  } catch (error) {
    // So that the page is brought up to date again.
    document.getElementById("people").dataset.version = "";
    throw error;
  }
  return null;
}
