// Finds people as one types; without this the form leads to a page that shows the same.
import { fetchPage, nameShown, put } from "./navigate.js";

let underway = false;
let again = false;

function query(text) {
  const search = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) search.delete(name);
  if (text) search.set("find", text);
  return search.toString();
}

// One question at a time, and the latest text after it: nobody waits for a pause in the typing.
async function find() {
  if (underway) {
    again = true;
    return;
  }
  underway = true;
  const form = document.getElementById("search");
  const search = query(document.getElementById("find").value.trim());
  try {
    put("found", await fetchPage(`${form.dataset.find}?${search}`));
    nameShown(location.pathname + (search ? `?${search}` : ""));
  } catch {
    form.submit();
  } finally {
    underway = false;
    if (again) {
      again = false;
      find();
    }
  }
}

export function enhanceSearch() {
  document.addEventListener("input", (event) => {
    if (event.target.id === "find") find();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "search") return;
    event.preventDefault();
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
