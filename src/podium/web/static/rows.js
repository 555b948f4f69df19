// The table: load more rows while scrolling, and expand a row to explain its number.
import { fetchPage, say } from "./navigate.js";

// Pages loaded by scrolling. After those the link must be clicked, so that memory stays bounded.
const MOST = 40;

let observer = null;
let loaded = [];
let started = "";

export function loadedPages() {
  return [started, ...loaded];
}

async function loadNext(link) {
  const url = link.href;
  if (loaded.includes(url)) return;
  loaded.push(url);
  let page;
  try {
    page = await fetchPage(url);
  } catch {
    // The link can still be clicked.
    loaded = loaded.filter((other) => other !== url);
    return;
  }
  if (link !== document.querySelector("#more a[rel=next]")) return;
  const body = document.getElementById("rows");
  const rows = [...page.querySelectorAll("#rows > tr[data-row]")];
  // A person whose rank has just changed may already be in the table.
  for (const row of rows) if (!document.getElementById(row.id)) body.append(document.adoptNode(row));
  document.getElementById("more").replaceChildren(...page.getElementById("more").childNodes);
  say(`${rows.length} more ${rows.length === 1 ? "person" : "people"}`);
  observe();
}

function observe() {
  observer?.disconnect();
  const link = document.querySelector("#more a[rel=next]");
  if (!link || loaded.length >= MOST || !("IntersectionObserver" in window)) return;
  observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      loadNext(link);
    }
  }, { rootMargin: "600px" });
  observer.observe(link);
}

export function watchRows() {
  loaded = [];
  started = location.href.split("#")[0];
  observe();
}

// Tells the document with an event "opened" or "closed".
export async function toggle(link) {
  const row = link.closest("tr");
  const next = row.nextElementSibling;
  if (next?.classList.contains("open")) {
    next.remove();
    link.removeAttribute("aria-expanded");
    tell("closed", link, row);
    return;
  }
  const base = link.closest("table").dataset.row;
  const query = new URLSearchParams(location.search);
  for (const name of ["offset", "row", "find"]) query.delete(name);
  try {
    const page = await fetchPage(`${base}/${row.dataset.row}?${query}`);
    if (row.nextElementSibling?.classList.contains("open")) return;
    const opened = document.createElement("tr");
    opened.className = "open";
    opened.id = `why-${row.dataset.row}`;
    const cell = opened.insertCell();
    cell.colSpan = link.closest("table").tHead.rows[0].cells.length;
    cell.append(...page.body.childNodes);
    row.after(opened);
    link.setAttribute("aria-expanded", "true");
    link.setAttribute("aria-controls", opened.id);
    tell("opened", link, row);
  } catch {
    location.assign(link.href);
  }
}

function tell(what, link, row) {
  link.dispatchEvent(new CustomEvent(what, { bubbles: true, detail: row.dataset.row }));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.why");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  toggle(link);
});
