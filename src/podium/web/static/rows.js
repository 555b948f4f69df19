// The table: load more rows while scrolling, and expand a row to explain its number. The table holds a bounded part of
// the list: rows that are added at one end push out those at the other.
import { showNotice } from "./notice.js";
import { fetchPage, Refused, whileBusy } from "./request.js";
import { say } from "./say.js";
import { number } from "./words.js";

// Pages that scrolling loads before the reader is asked, pages that the table holds, and those around a row that is
// shown again.
const LOADED = 20;
const KEPT = 20;
const AROUND = 3;

let observer = null;
let board = new AbortController();
// Offsets: of the first row of the table, of that which the server put there, and that behind the last row.
let first = 0;
let opened = 0;
let end = 0;
let left = 0;

function list() {
  const { size, total } = document.getElementById("more")?.dataset ?? {};
  return { size: Number(size), total: Number(total) };
}

function rows() {
  return [...document.querySelectorAll("#rows > tr[data-row]")];
}

function pageAt(offset) {
  const url = new URL(location.href);
  for (const name of ["offset", "row", "find"]) url.searchParams.delete(name);
  if (offset > 0) url.searchParams.set("offset", String(offset));
  url.hash = "";
  return url.href;
}

export function loadedPages() {
  const { size } = list();
  if (!size) return [location.href.split("#")[0]];
  return Array.from({ length: Math.max(1, Math.ceil((end - first) / size)) }, (_, page) => pageAt(first + page * size));
}

// The first row that is wholly visible; null while the reader is above the table.
export function rowInView() {
  const all = rows();
  if (!all.length || all[0].getBoundingClientRect().top >= 0) return null;
  return all.find((row) => row.getBoundingClientRect().top >= 0) ?? all.at(-1);
}

// The offset of the page of a row.
export function offsetOf(row) {
  const { size } = list();
  return first + Math.floor(rows().indexOf(row) / size) * size;
}

// Change rows without moving the one that is read.
export function keepInView(change) {
  const row = rowInView();
  const top = row?.getBoundingClientRect().top;
  change();
  if (row?.isConnected) window.scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
}

function remove(row) {
  if (row.nextElementSibling?.classList.contains("open")) row.nextElementSibling.remove();
  row.remove();
}

// Put a page's rows at the end of the table, or at its start, and drop what is too much at the other end.
function add(page, { atStart = false } = {}) {
  const { size } = list();
  const body = document.getElementById("rows");
  // A person whose rank has just changed may already be in the table.
  const fresh = [...page.querySelectorAll("#rows > tr[data-row]")].filter((row) => !document.getElementById(row.id));
  keepInView(() => {
    if (atStart) {
      body.prepend(...fresh.map((row) => document.adoptNode(row)));
      first = Math.max(0, first - size);
      while (end - first > KEPT * size) {
        const left = end % size || size;
        rows().slice(-left).forEach(remove);
        end -= left;
      }
    } else {
      body.append(...fresh.map((row) => document.adoptNode(row)));
      end = Math.min(end + size, list().total);
      while (end - first > KEPT * size) {
        rows().slice(0, size).forEach(remove);
        first += size;
      }
    }
    showPaging();
  });
  return fresh;
}

function pageLink(rel, id, place) {
  const existing = document.querySelector(`#${id} a`);
  if (existing) return existing;
  const link = document.createElement("a");
  link.rel = rel;
  if (id === "earlier") {
    const nav = document.createElement("nav");
    nav.id = id;
    nav.className = "paging";
    nav.setAttribute("aria-label", "Earlier rows");
    nav.append(link);
    place.before(nav);
  } else place.append(link);
  return link;
}

// The links to more rows, and which rows are here.
function showPaging() {
  const more = document.getElementById("more");
  const { size, total } = list();
  if (!more || !size) return;
  more.querySelector("a[rel=prev]")?.remove();
  const nav = more.querySelector("nav");
  if (!nav) return;
  nav.querySelector("span").textContent = `${more.dataset.what} ${number(first + 1)}–${number(end)} of ${number(total)}`;
  const focused = document.activeElement;
  if (end < total) {
    const link = pageLink("next", "more", nav);
    link.href = pageAt(end);
    link.textContent = "Show more";
  } else {
    const link = nav.querySelector("a[rel=next]");
    if (link && link === focused) rows().at(-1)?.querySelector("a")?.focus({ preventScroll: true });
    link?.remove();
  }
  if (first > 0) {
    const link = pageLink("prev", "earlier", document.querySelector("table.board"));
    link.href = pageAt(Math.max(0, first - size));
    link.textContent = `Show those before ${number(first + 1)}`;
  } else document.getElementById("earlier")?.remove();
}

async function load(which) {
  const atStart = which === "earlier";
  const { size } = list();
  const { signal } = board;
  const nav = document.getElementById(which);
  if (nav?.ariaBusy) return [];
  try {
    return await whileBusy(nav, async () => {
      const page = await fetchPage(() => pageAt(atStart ? Math.max(0, first - size) : end), { signal });
      if (isStale(page)) return [];
      const added = add(page, { atStart });
      const words = `${number(added.length)} more ${added.length === 1 ? "row" : "rows"}`;
      say(`${words}: ${number(first + 1)} to ${number(end)} of ${number(list().total)}`);
      return added;
    });
  } catch (error) {
    if (signal.aborted) return [];
    // The link can still be clicked.
    left = 0;
    showNotice(error.message);
    return [];
  } finally {
    if (!signal.aborted) observe();
  }
}

// Rows of two counts do not make one list.
function isStale(page) {
  const [now, then] = [page, document].map((of) => of.getElementById("people")?.dataset.version);
  if (now === then || document.querySelector("#status[data-live]")) return false;
  // follow.js brings the page up to date, unless it is off.
  const isLeft = document.dispatchEvent(new Event("stale", { cancelable: true }));
  if (isLeft) showNotice("This board was counted again: load the page again for its rows.");
  return true;
}

// On a phone the chart follows the list: rows that come by themselves would keep it out of reach.
function isBeforeChart(link) {
  const chart = document.getElementById("timeline");
  return chart !== null && chart.getBoundingClientRect().top > link.getBoundingClientRect().top;
}

function observe() {
  observer?.disconnect();
  if (!("IntersectionObserver" in window)) return;
  observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const isEarlier = entry.target.closest("#earlier") !== null;
      // Asked here, because the page has its layout now.
      if (!entry.isIntersecting || (!isEarlier && isBeforeChart(entry.target))) continue;
      observer.disconnect();
      if (!isEarlier) left -= 1;
      load(isEarlier ? "earlier" : "more");
      return;
    }
  }, { rootMargin: "600px" });
  const next = document.querySelector("#more a[rel=next]");
  if (next && left > 0) observer.observe(next);
  // What was there before comes back by itself; what was never there is asked for.
  const earlier = document.querySelector("#earlier a");
  if (earlier && first > opened) observer.observe(earlier);
}

export function watchRows() {
  board.abort();
  board = new AbortController();
  // The first page is there.
  left = LOADED - 1;
  const { offset } = document.getElementById("more")?.dataset ?? {};
  opened = first = Number(offset ?? 0);
  end = first + rows().length;
  showPaging();
  observe();
}

// Load the rows around an offset, without all those before them. Rejects as fetchPage.
export async function showAround(offset) {
  const { size, total } = list();
  if (!size || offset >= total) return;
  // What is being loaded would come to the wrong place.
  observer?.disconnect();
  board.abort();
  board = new AbortController();
  const { signal } = board;
  const from = Math.max(opened, offset - AROUND * size);
  const start = from <= end ? end : from;
  const offsets = [];
  for (let place = start; place <= offset + size && place < total; place += size) offsets.push(place);
  const pages = await Promise.all(offsets.map((place) => fetchPage(pageAt(place), { signal })));
  if (pages.some(isStale)) return;
  if (start !== end) {
    rows().forEach(remove);
    first = end = start;
  }
  for (const page of pages) add(page);
  observe();
}

// Tells the document with an event "opened" or "closed".
export async function toggle(link) {
  const row = link.closest("tr");
  const next = row.nextElementSibling;
  const who = row.querySelector(".name")?.textContent ?? "";
  if (next?.classList.contains("open")) {
    next.remove();
    link.removeAttribute("aria-expanded");
    say(`Closed: ${who}`);
    tell("closed", link, row);
    return;
  }
  if (row.ariaBusy) return;
  const table = link.closest("table");
  const query = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) query.delete(name);
  try {
    const page = await whileBusy(row, () => fetchPage(`${table.dataset.row}/${row.dataset.row}?${query}`));
    if (!row.isConnected || row.nextElementSibling?.classList.contains("open")) return;
    const explanation = document.createElement("tr");
    explanation.className = "open";
    explanation.id = `why-${row.dataset.row}`;
    const cell = explanation.insertCell();
    cell.colSpan = table.tHead.rows[0].cells.length;
    cell.append(...page.body.childNodes);
    row.after(explanation);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-controls", explanation.id);
    say(`Opened below: why ${who} has ${link.textContent.trim()}`);
    tell("opened", link, row);
  } catch (error) {
    if (error instanceof Refused) showNotice(error.message);
    else throw error;
  }
}

function tell(what, link, row) {
  link.dispatchEvent(new CustomEvent(what, { bubbles: true, detail: row.dataset.row }));
}

// Whether a click opens a link here, not in another tab or window, and not as a download.
export function opensHere(event) {
  return !event.defaultPrevented && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}

// The rows are those of the same pages as before, after a change of the board.
document.addEventListener("rows", () => {
  end = first + rows().length;
  showPaging();
  observe();
});

document.addEventListener("click", (event) => {
  if (!opensHere(event)) return;
  const why = event.target.closest?.("a.why");
  const pages = event.target.closest?.("#more a[rel=next], #earlier a");
  if (!why && !pages) return;
  event.preventDefault();
  if (why) toggle(why);
  else showMore(pages);
});

async function showMore(link) {
  const isEarlier = link.closest("#earlier") !== null;
  left = LOADED;
  const byKeyboard = document.activeElement === link;
  const added = await load(isEarlier ? "earlier" : "more");
  // To go on reading where the new rows begin.
  if (byKeyboard) (isEarlier ? added.at(-1) : added[0])?.querySelector("a")?.focus({ preventScroll: isEarlier });
}
