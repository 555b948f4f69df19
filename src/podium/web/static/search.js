// Finds people as one types; without this the form leads to a page that shows the same.
import { fetchPage, nameShown, put } from "./navigate.js";

const PAUSE = 80;

let later = 0;
let underway = null;

function query(text) {
  const search = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) search.delete(name);
  if (text) search.set("find", text);
  return search.toString();
}

async function find() {
  const form = document.getElementById("search");
  const text = document.getElementById("find").value.trim();
  underway?.abort();
  underway = new AbortController();
  const search = query(text);
  try {
    const page = await fetchPage(`${form.dataset.find}?${search}`, underway.signal);
    put("found", page);
    nameShown(location.pathname + (search ? `?${search}` : ""));
  } catch (error) {
    if (error.name !== "AbortError") form.submit();
  }
}

export function enhanceSearch() {
  document.addEventListener("input", (event) => {
    if (event.target.id !== "find") return;
    clearTimeout(later);
    later = setTimeout(find, PAUSE);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "search") return;
    event.preventDefault();
    clearTimeout(later);
    find();
  });
  document.addEventListener("keydown", (event) => {
    const links = [...document.querySelectorAll("#found .matches a")];
    const place = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && (event.target.id === "find" || place >= 0)) {
      links[place + 1]?.focus();
      if (links.length) event.preventDefault();
    } else if (event.key === "ArrowUp" && place >= 0) {
      (links[place - 1] ?? document.getElementById("find")).focus();
      event.preventDefault();
    }
  });
  // Under other rules others are found, at other ranks.
  document.addEventListener("rules", () => {
    if (document.getElementById("find").value.trim()) find();
  });
}
