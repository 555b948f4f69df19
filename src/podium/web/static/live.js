// Keep the board of an unfinished repository up to date, by server-sent events or, without them, by polling. When the
// board itself has changed, replace its rows without moving the one that the reader looks at.
import { connectionLost } from "./connection.js";
import { putLeaders } from "./leaders.js";
import { put, putHead } from "./navigate.js";
import { fetchPage } from "./request.js";
import { loadedPages } from "./rows.js";
import { localize } from "./words.js";

// Milliseconds. The server sends something more often than it is SILENT.
const ASK_EVERY = 2000;
const SILENT = 40_000;
// After so many polls.
const EVENTS_AFTER = 15;
const FIRST_RETRY = 500;
const LAST_RETRY = 8000;

let rowsEvery = 2;
let refreshing = false;
let wanted = "";
let source = null;
let timer = null;
let watchdog = null;
let failures = 0;
let polls = 0;
// The status of a board that this page does not show yet.
let held = null;

function status() {
  return document.getElementById("status");
}

function isInWork() {
  return "live" in (status()?.dataset ?? {});
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
  element.className = fresh.className;
  then.forEach((field, i) => {
    const bar = field.querySelector("progress");
    const freshBar = now[i].querySelector("progress");
    if (field.dataset.field === "leaders") putLeaders(field, now[i]);
    else if (bar && freshBar) {
      bar.value = freshBar.value;
      bar.nextElementSibling.textContent = freshBar.nextElementSibling.textContent;
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
  let isShown = true;
  const version = wanted;
  try {
    const pages = [];
    for (const url of loadedPages()) pages.push(await fetchPage(url));
    const last = pages.at(-1);
    if (!document.getElementById("rows") || !last.getElementById("rows")) {
      // This page has no board yet: replace its content, but keep the status element.
      const main = document.getElementById("main");
      const own = status();
      const place = last.getElementById("status");
      if (place) place.replaceWith(document.adoptNode(own));
      else last.getElementById("main").prepend(document.adoptNode(own));
      main.replaceChildren(...last.getElementById("main").childNodes);
      if (held) putStatus(held);
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
      document.dispatchEvent(new Event("rows"));
      if (document.querySelector("#timeline .handle") === null) document.dispatchEvent(new Event("chart"));
    }
  } catch (error) {
    // Too many requests: later.
    isShown = error.status !== 429;
  } finally {
    setTimeout(() => {
      refreshing = false;
      if (!isShown || wanted !== version) refreshBoard();
    }, rowsEvery * 1000 * (0.75 + Math.random() / 2));
  }
}

function receive({ html, version, inWork, rowsEvery: every }) {
  const page = new DOMParser().parseFromString(html, "text/html");
  localize(page.body);
  const fresh = page.getElementById("status");
  const before = status()?.dataset.version;
  if (every) rowsEvery = every;
  if (status() && fresh) {
    held = version && version !== "failed" && !document.getElementById("rows") ? fresh : null;
    if (!held) putStatus(fresh);
    status().dataset.version = version;
  }
  if (!inWork) {
    disconnect();
    // The page shows the reason and the retry button.
    if (version === "failed") location.reload();
  }
  if (version !== before && version !== "failed") {
    wanted = version;
    refreshBoard();
  }
}

function reached() {
  failures = 0;
  connectionLost(false, "live");
}

function disconnect() {
  source?.close();
  source = null;
  clearTimeout(timer);
  clearTimeout(watchdog);
}

// The first failure is not worth a word: proxies end long connections, and a restart takes a moment.
function retry(connect) {
  disconnect();
  failures += 1;
  if (failures > 1) connectionLost(true, "live");
  const delay = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (failures - 1));
  timer = setTimeout(connect, delay * (0.75 + Math.random() / 2));
}

// A connection that is gone without an end would stay silent for ever.
function expectWord() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => retry(listen), SILENT);
}

function listen() {
  disconnect();
  if (!isInWork()) return;
  if (!("EventSource" in window)) {
    ask();
    return;
  }
  source = new EventSource(status().dataset.events);
  source.onopen = () => {
    reached();
    expectWord();
  };
  source.onmessage = (event) => {
    expectWord();
    receive(JSON.parse(event.data));
  };
  source.addEventListener("alive", expectWord);
  source.onerror = () => {
    // Refused (too many clients, or a proxy that blocks events): poll instead.
    if (source.readyState === EventSource.CLOSED) {
      disconnect();
      timer = setTimeout(ask, FIRST_RETRY);
    } else retry(listen);
  };
}

async function ask() {
  if (!isInWork()) return;
  if (!document.hidden) {
    try {
      const fresh = (await fetchPage(status().dataset.live)).getElementById("status");
      reached();
      receive({ html: fresh.outerHTML, version: fresh.dataset.version, inWork: "live" in fresh.dataset });
    } catch {
      // Refused: later.
    }
  }
  // Events were perhaps refused for a moment only.
  polls += 1;
  if (isInWork()) timer = setTimeout(polls % EVENTS_AFTER ? ask : listen, ASK_EVERY);
}

export function watch() {
  if (!isInWork()) return;
  document.documentElement.classList.add("live");
  listen();
  window.addEventListener("pagehide", disconnect);
  // A page that the browser kept for its back button shows what was known when it was left.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) listen();
  });
  window.addEventListener("offline", () => {
    if (isInWork()) connectionLost(true, "live");
  });
  window.addEventListener("online", listen);
}
