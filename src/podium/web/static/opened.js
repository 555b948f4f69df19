// The address of an opened row (`row=`), so that it can be sent. Back closes the row.
import { nameShown } from "./navigate.js";
import { toggle } from "./rows.js";

// The row that the present entry of the history opened, and everything else that its URL says.
let here = { row: null, rest: "" };
let following = false;

function entry() {
  const url = new URL(location.href);
  const row = url.searchParams.get("row");
  // Rows of other pages may have been loaded, and a search may have been typed since.
  for (const name of ["row", "offset", "find"]) url.searchParams.delete(name);
  return { row, rest: url.pathname + url.search };
}

// The link that opens a row, and whether it is open.
function linkOf(row) {
  return row && document.querySelector(`#p${CSS.escape(row)} a.why`);
}

function isOpen(link) {
  return link.getAttribute("aria-expanded") === "true";
}

function opened(link, row) {
  const url = new URL(location.href);
  const offset = new URL(link.href).searchParams.get("offset");
  url.searchParams.set("row", row);
  if (offset) url.searchParams.set("offset", offset);
  else url.searchParams.delete("offset");
  url.hash = `p${row}`;
  history.pushState({ opened: row }, "", url);
  nameShown(url.href);
  here = entry();
}

function closed(row) {
  if (entry().row !== row) return;
  if (history.state?.opened === row) {
    history.back();
    return;
  }
  const url = new URL(location.href);
  url.searchParams.delete("row");
  url.hash = "";
  nameShown(url.href);
  here = entry();
}

async function follow(then, now) {
  following = true;
  const [left, right] = [linkOf(then.row), linkOf(now.row)];
  if (left && isOpen(left)) await toggle(left);
  if (right && !isOpen(right)) await toggle(right);
  following = false;
}

export function nameRows() {
  here = entry();
  document.addEventListener("opened", ({ target, detail }) => { if (!following) opened(target, detail); });
  document.addEventListener("closed", ({ detail }) => { if (!following) closed(detail); });
  for (const change of ["board", "rules"]) document.addEventListener(change, () => { here = entry(); });
  // Before navigate.js, which loads an entry whose URL is not the one that is shown.
  window.addEventListener("popstate", () => {
    const [then, now] = [here, entry()];
    here = now;
    if (then.rest !== now.rest || then.row === now.row || (now.row && !linkOf(now.row))) return;
    nameShown(location.href);
    follow(then, now);
  });
}
