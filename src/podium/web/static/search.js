// Search while typing. Without JavaScript, the form loads a page with the same result.
import { nameShown, put } from "./navigate.js";
import { showNotice } from "./notice.js";
import { fetchPage, Refused, whileBusy } from "./request.js";
import { say } from "./say.js";

// Milliseconds without typing until the address names the search and its result is read.
const PAUSE = 400;

let underway = false;
let again = null;
let paused = null;
// The text of the result that is shown.
let found = "";

function field() {
  return document.getElementById("find");
}

// An e-mail stays out of every URL: histories and the logs of proxies keep those. The server may allow few look-ups by
// e-mail, so a half-typed one is not sent.
function looksUpEmail(text) {
  return /[^@\uFE6B\uFF20][@\uFE6B\uFF20]+[^@\uFE6B\uFF20]/.test(text);
}

function query(text) {
  const search = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) search.delete(name);
  if (text && !looksUpEmail(text)) search.set("find", text);
  return search.toString();
}

// Without an own search, the address keeps the rows that it names.
function nameSearch(text) {
  const search = new URLSearchParams(location.search);
  if (text && !looksUpEmail(text)) search.set("find", text);
  else search.delete("find");
  const words = search.toString();
  nameShown(location.pathname + (words ? `?${words}` : "") + location.hash);
}

function afterPause() {
  clearTimeout(paused);
  paused = setTimeout(() => {
    nameSearch(found);
    say(document.getElementById("found").dataset.said);
  }, PAUSE);
}

// One request at a time, then one for the latest text, so that no debounce delay is needed.
async function find({ entered = false, quiet = false } = {}) {
  if (underway) {
    again = { entered };
    return;
  }
  underway = true;
  const form = document.getElementById("search");
  let text = field().value.trim();
  const isEmail = looksUpEmail(text);
  // The latest text, also when the server comes back.
  const url = () => {
    if (!isEmail && !looksUpEmail(field().value)) text = field().value.trim();
    return `${form.dataset.find}?${query(text)}`;
  };
  try {
    const page = await whileBusy(form, () => fetchPage(url, { form: isEmail ? { find: text } : undefined }));
    if (text === field().value.trim()) {
      found = text;
      put("found", page);
      if (!quiet) afterPause();
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    showNotice(error.message);
  } finally {
    underway = false;
    const next = again;
    again = null;
    if (next?.entered) find(next);
    else if (next) typed();
  }
}

function hint() {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = "Press Enter to look up this e-mail.";
  document.getElementById("found").replaceChildren(note);
  clearTimeout(paused);
  nameSearch("");
  say(note.textContent);
}

function typed() {
  if (!looksUpEmail(field().value)) find();
  else if (field().value.trim() !== found) hint();
}

function close() {
  field().value = "";
  found = "";
  clearTimeout(paused);
  document.getElementById("found").replaceChildren();
  nameSearch("");
  field().focus();
  say("Search closed");
}

export function enhanceSearch() {
  if (!field()) return;
  found = field().value.trim();
  // Of a link that was written by hand.
  if (looksUpEmail(found)) nameSearch("");
  document.addEventListener("input", (event) => {
    if (event.target.id === "find") typed();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "search") return;
    event.preventDefault();
    find({ entered: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "find" && !event.target.closest?.("#found")) return;
    const links = [...document.querySelectorAll("#found .matches a")];
    const index = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown") {
      links[index + 1]?.focus();
      if (links.length) event.preventDefault();
    } else if (event.key === "ArrowUp" && index >= 0) {
      (links[index - 1] ?? field()).focus();
      event.preventDefault();
    } else if (event.key === "Escape" && (field().value || document.querySelector("#found > *"))) {
      event.preventDefault();
      close();
    }
  });
  // Before a match is followed: Back leads to the search.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#found a");
    if (link?.hasAttribute("data-close")) {
      event.preventDefault();
      close();
    } else if (link) nameSearch(found);
  });
  // Other rules give other matches and ranks.
  document.addEventListener("rules", () => {
    if (!field().value.trim()) return;
    if (looksUpEmail(field().value)) hint();
    else find();
  });
  // The board says of itself that it has changed.
  document.addEventListener("updated", () => {
    if (field().value.trim() && field().value.trim() === found && !looksUpEmail(found)) find({ quiet: true });
  });
  document.addEventListener("returned", ({ detail: page }) => {
    field().value = found = page.getElementById("find")?.value ?? "";
    put("found", page);
  });
}
