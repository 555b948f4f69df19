// Keep the board of an unfinished repository up to date, by server-sent events or, without them, by polling.
import { connectionLost } from "./connection.js";
import { follow } from "./follow.js";
import { putLeaders } from "./leaders.js";
import { fetchPage } from "./request.js";
import { updateBoard } from "./update.js";
import { localize } from "./words.js";

// Milliseconds. The server sends something more often than it is SILENT.
const ASK_EVERY = 2000;
const SILENT = 40_000;
// Polls between two tries of the stream.
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

// This page has no board yet: replace its content, but keep the status element.
function replaceMain(page) {
  const own = status();
  const place = page.getElementById("status");
  if (place) place.replaceWith(document.adoptNode(own));
  else page.getElementById("main").prepend(document.adoptNode(own));
  document.getElementById("main").replaceChildren(...page.getElementById("main").childNodes);
  if (held) putStatus(held);
  document.dispatchEvent(new Event("board"));
}

async function refreshBoard() {
  if (refreshing) return;
  refreshing = true;
  let isShown = true;
  const version = wanted;
  try {
    const other = await updateBoard();
    if (other) replaceMain(other);
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
    follow();
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
