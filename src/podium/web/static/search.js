// Search while typing. Without JavaScript, the form loads a page with the same result.
import { fetchPage, nameShown, put } from "./navigate.js";

let underway = false;
let again = false;

function query(text) {
  const search = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) search.delete(name);
  if (text) search.set("find", text);
  return search.toString();
}

// One request at a time, then one for the latest text, so that no debounce delay is needed.
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

// The server may allow few look-ups by e-mail, so a half-typed one is not sent.
function looksUpEmail(text) {
  return /[^@]@[^@]/.test(text.trim());
}

function hint() {
  const note = document.createElement("p");
  note.className = "note";
  note.setAttribute("role", "status");
  note.textContent = "Press Enter to look up this e-mail.";
  document.getElementById("found").replaceChildren(note);
}

export function enhanceSearch() {
  document.addEventListener("input", (event) => {
    if (event.target.id !== "find") return;
    if (looksUpEmail(event.target.value)) hint();
    else find();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "search") return;
    event.preventDefault();
    find();
  });
  document.addEventListener("keydown", (event) => {
    const links = [...document.querySelectorAll("#found .matches a")];
    const index = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && (event.target.id === "find" || index >= 0)) {
      links[index + 1]?.focus();
      if (links.length) event.preventDefault();
    } else if (event.key === "ArrowUp" && index >= 0) {
      (links[index - 1] ?? document.getElementById("find")).focus();
      event.preventDefault();
    }
  });
  // Other rules give other matches and ranks.
  document.addEventListener("rules", () => {
    if (document.getElementById("find").value.trim()) find();
  });
}
