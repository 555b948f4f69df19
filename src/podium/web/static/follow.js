// Follow a finished board: ask now and then whether it was counted again, renamed or hidden. The server says how long to
// wait. Hidden tabs do not ask.
import { nameShown, put, refresh } from "./navigate.js";
import { hideNotice, showNotice } from "./notice.js";
import { fetchPage } from "./request.js";
import { keepInView } from "./rows.js";
import { say } from "./say.js";
import { updateBoard } from "./update.js";
import { localize } from "./words.js";

// Seconds: the longest wait for an answer, the longest pause after failures, and that while the reader presses something.
const LONGEST_ANSWER = 30;
const LONGEST_PAUSE = 300;
const PRESSED = 0.5;
// Seconds between two questions about a board that is gone: its host may show it again.
const WHILE_GONE = 60;
const GONE = "This board is no longer available here: its repository was removed, or its host does not show it any more.";

let isOn = false;
let timer = null;
let underway = null;
let failures = 0;
// Whether the reader knows that there are new figures of this refresh.
let isSaid = false;
let isGone = false;

function line() {
  return document.getElementById("fresh");
}

// live.js follows an unfinished one.
function isFollowed() {
  return isOn && line() !== null && !document.hidden && !document.querySelector("#status[data-live]");
}

function later(seconds) {
  clearTimeout(timer);
  if (isFollowed()) timer = setTimeout(followNow, seconds * 1000 * (0.75 + Math.random() / 2));
}

// The repository has another name: continue there, at the same place.
async function move(path) {
  const url = new URL(location.href);
  url.pathname = new URL(path, url).pathname;
  nameShown(url.href);
  await refresh("The repository has another name now");
}

async function receive({ html, version, inWork, path }) {
  const page = new DOMParser().parseFromString(html, "text/html");
  localize(page.body);
  const isMoved = path !== line().dataset.path;
  keepInView(() => {
    put("fresh", page);
    // What an earlier refresh of this page came to.
    if (inWork) document.getElementById("status")?.remove();
  });
  if (isMoved) await move(path);
  if (version !== document.getElementById("people").dataset.version) {
    await updateBoard();
    if (!isSaid) say(`The board was updated. ${document.getElementById("people").dataset.said}`);
    isSaid = true;
  }
  if (!inWork) isSaid = false;
}

// Another version of the server may not know the question: only the page itself tells whether the board is gone. It may
// come back: a repository is hidden until its host answers.
async function checkGone() {
  const error = await fetchPage(location.href).then(() => null, (refusal) => refusal);
  if (error?.status === 404 && !isGone) sayGone();
  return WHILE_GONE;
}

function sayGone() {
  isGone = true;
  const words = document.createElement("p");
  words.className = "error";
  words.textContent = GONE;
  line().replaceChildren(words);
  showNotice(GONE);
}

function isBack() {
  if (!isGone) return;
  isGone = false;
  hideNotice(GONE);
}

async function ask() {
  const { signal } = underway;
  const response = await fetch(line().dataset.follow, {
    headers: { accept: "application/json" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ANSWER * 1000)]),
  });
  if (response.status === 404) return checkGone();
  if (!response.ok) throw new Error(`status ${response.status}`);
  const state = await response.json();
  signal.throwIfAborted();
  // A part that is pressed stays, so that a click or a drag comes to its end.
  if (document.querySelector("#main :active")) return PRESSED;
  isBack();
  await receive(state);
  return state.every;
}

export async function followNow() {
  clearTimeout(timer);
  if (!isFollowed() || underway) return;
  underway = new AbortController();
  let pause;
  try {
    pause = await ask();
    failures = 0;
  } catch {
    failures += 1;
    pause = Math.min(LONGEST_PAUSE, Number(line()?.dataset.every) * 2 ** failures);
  } finally {
    underway = null;
    later(pause);
  }
}

export function follow() {
  if (isOn) {
    later(0);
    return;
  }
  isOn = true;
  later(Number(line()?.dataset.every));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else followNow();
  });
  window.addEventListener("pagehide", () => {
    clearTimeout(timer);
    underway?.abort();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) followNow();
  });
  document.addEventListener("stale", (event) => {
    if (isFollowed()) event.preventDefault();
    followNow();
  });
}
