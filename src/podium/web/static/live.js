// Keep the board of an unfinished repository up to date, by server-sent events or, without them, by polling. When the
// board itself has changed, replace its rows without moving the one that the reader looks at.
import { fetchPage, put, putHead } from "./navigate.js";
import { loadedPages } from "./rows.js";

const ASK_EVERY = 2000;

let rowsEvery = 2;
let refreshing = false;
let wanted = "";
let source = null;

function status() {
  return document.getElementById("status");
}

// Field by field, so that screen readers announce only what changed.
function putStatus(fresh) {
  const element = status();
  const fields = (of) => [...of.querySelectorAll("[data-field]")];
  const [now, then] = [fields(fresh), fields(element)];
  if (now.length !== then.length || !("live" in fresh.dataset)) {
    element.replaceWith(document.adoptNode(fresh));
    return;
  }
  then.forEach((field, i) => {
    const bar = field.querySelector("progress");
    const freshBar = now[i].querySelector("progress");
    if (bar && freshBar) {
      for (const name of ["value", "aria-label"]) {
        if (freshBar.hasAttribute(name)) bar.setAttribute(name, freshBar.getAttribute(name));
        else bar.removeAttribute(name);
      }
    } else if (field.innerHTML !== now[i].innerHTML) field.replaceChildren(...now[i].childNodes);
    if (field.className !== now[i].className) field.className = now[i].className;
  });
}

// The first fully visible row; null while the reader is above the table.
function anchor() {
  const rows = document.querySelectorAll("#rows > tr[data-row]");
  if (!rows.length || rows[0].getBoundingClientRect().top >= 0) return null;
  return [...rows].find((row) => row.getBoundingClientRect().top >= 0) ?? null;
}

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

function putRows(pages) {
  const body = document.getElementById("rows");
  const known = new Map([...body.querySelectorAll(":scope > tr[data-row]")].map((row) => [row.id, row]));
  const eye = anchor();
  const top = eye?.getBoundingClientRect().top;
  // Moving an element takes its focus away.
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  let place = body.firstElementChild;
  const kept = new Set();
  for (const fresh of pages.flatMap((page) => [...page.querySelectorAll("#rows > tr[data-row]")])) {
    if (kept.has(fresh.id)) continue;
    kept.add(fresh.id);
    const row = known.get(fresh.id) ?? document.adoptNode(fresh);
    if (known.has(fresh.id)) fill(row, fresh);
    const opened = known.has(fresh.id) && row.nextElementSibling?.classList.contains("open") ? row.nextElementSibling : null;
    if (row === place) place = (opened ?? row).nextElementSibling;
    else {
      body.insertBefore(row, place);
      if (opened) body.insertBefore(opened, place);
    }
  }
  for (const [id, row] of known) {
    if (kept.has(id)) continue;
    if (row.nextElementSibling?.classList.contains("open")) row.nextElementSibling.remove();
    row.remove();
  }
  if (focused?.isConnected) focused.focus({ preventScroll: true });
  if (eye?.isConnected) window.scrollBy({ top: eye.getBoundingClientRect().top - top, behavior: "instant" });
}

function columns(page) {
  return page.querySelectorAll(".board > thead th").length;
}

async function refreshBoard() {
  if (refreshing) return;
  refreshing = true;
  const version = wanted;
  try {
    const pages = [];
    for (const url of loadedPages()) pages.push(await fetchPage(url));
    const last = pages.at(-1);
    if (!document.getElementById("rows") || !last.getElementById("rows")) {
      // This page has no board yet: replace its content, but keep the status element.
      const main = document.getElementById("main");
      const own = status();
      last.getElementById("status")?.remove();
      last.querySelector("main .source").after(document.adoptNode(own));
      main.replaceChildren(...last.getElementById("main").childNodes);
      document.dispatchEvent(new Event("board"));
    } else if (columns(document) !== columns(last)) {
      // The first commit with declared AI adds a column.
      putHead(pages[0]);
      put("people", pages[0]);
      document.dispatchEvent(new Event("board"));
    } else {
      const eye = anchor();
      const top = eye?.getBoundingClientRect().top;
      putHead(pages[0]);
      put("more", last);
      if (eye) window.scrollBy({ top: eye.getBoundingClientRect().top - top, behavior: "instant" });
      putRows(pages);
      if (document.querySelector("#timeline .handle") === null) document.dispatchEvent(new Event("chart"));
    }
  } catch {
    // The server may be restarting: the next event tries again.
  } finally {
    setTimeout(() => {
      refreshing = false;
      if (wanted !== version) refreshBoard();
    }, rowsEvery * 1000 * (0.75 + Math.random() / 2));
  }
}

function receive({ html, version, inWork, rowsEvery: every }) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("status");
  const before = status()?.dataset.version;
  if (every) rowsEvery = every;
  if (status() && fresh) {
    putStatus(fresh);
    status().dataset.version = version;
  }
  if (!inWork) {
    source?.close();
    // The page shows the reason and the retry button.
    if (version === "failed") location.reload();
  }
  if (version !== before && version !== "failed") {
    wanted = version;
    refreshBoard();
  }
}

async function ask() {
  const element = status();
  if (!element || !("live" in element.dataset)) return;
  if (!document.hidden) {
    try {
      const page = await fetchPage(element.dataset.live);
      const fresh = page.getElementById("status");
      receive({ html: fresh.outerHTML, version: fresh.dataset.version, inWork: "live" in fresh.dataset });
    } catch {
      // The server may be restarting: try again next time.
    }
  }
  setTimeout(ask, ASK_EVERY);
}

export function watch() {
  const element = status();
  if (!element || !("live" in element.dataset)) return;
  document.documentElement.classList.add("live");
  if (!("EventSource" in window)) {
    setTimeout(ask, ASK_EVERY);
    return;
  }
  source = new EventSource(element.dataset.events);
  source.onmessage = (event) => receive(JSON.parse(event.data));
  source.onerror = () => {
    // Closed for good (too many clients, or a proxy that blocks events): poll instead.
    if (source.readyState === EventSource.CLOSED) setTimeout(ask, ASK_EVERY);
  };
  window.addEventListener("pagehide", () => source.close());
}
