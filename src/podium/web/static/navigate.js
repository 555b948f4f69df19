// Follow switches, windows and presets without loading a page: fetch the URL and replace the parts that differ.
import { localize } from "./words.js";

let underway = null;
let shown = location.pathname + location.search;

// Change the URL of the present content, without a history entry.
export function nameShown(url) {
  history.replaceState(history.state, "", url);
  shown = location.pathname + location.search;
}

export async function fetchPage(url, signal) {
  const response = await fetch(url, { signal, headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  // What is compared with the page, and put into it, has the reader's format.
  localize(page.body);
  if (response.ok) return page;
  const error = new Error(`${response.status} of ${url}`);
  if (response.status === 400) error.refusal = page.querySelector(".lead")?.textContent;
  throw error;
}

// Replace one part by its counterpart in a fetched page, and keep the focus inside of it.
export function put(id, page) {
  const [now, then] = [page.getElementById(id), document.getElementById(id)];
  if (!now || !then || now.outerHTML === then.outerHTML) return;
  const focused = then.contains(document.activeElement) ? document.activeElement : null;
  const links = focused ? [...then.querySelectorAll("a, button, [tabindex]")] : [];
  const place = links.indexOf(focused);
  then.replaceWith(document.adoptNode(now));
  if (!focused) return;
  const again = focused.id ? document.getElementById(focused.id) : now.querySelectorAll("a, button, [tabindex]")[place];
  again?.focus({ preventScroll: true });
}

export function putHead(page) {
  for (const part of page.querySelectorAll("[data-swap]")) put(part.id, page);
  const count = page.querySelector("#figures b")?.textContent;
  return count === undefined ? "" : `${count} ${count === "1" ? "person" : "people"} on this board`;
}

export function say(words) {
  const said = document.getElementById("said");
  if (said) said.textContent = words;
}

// Update the form's values instead of replacing it, so that it keeps the focus.
function updateForm(page) {
  const form = document.getElementById("rules");
  for (const field of page.getElementById("rules")?.elements ?? []) {
    const own = field.id && form?.querySelector(`#${field.id}`);
    if (!own) continue;
    own.disabled = field.disabled;
    if (own.type === "checkbox") own.checked = field.checked;
    else own.value = field.value;
  }
  const [search, fresh] = [document.getElementById("search"), page.getElementById("search")];
  search?.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
  fresh?.querySelectorAll("input[type=hidden]").forEach((field) => search?.prepend(document.adoptNode(field)));
}

// Show why the form's values are refused; without a reason, that they are not.
function refuse(reason = "") {
  const refused = document.getElementById("refused");
  refused.textContent = reason;
  refused.hidden = !reason;
  for (const id of ["since", "until"]) {
    document.getElementById(id).ariaInvalid = reason.startsWith(`${id}:`) ? "true" : null;
  }
}

export async function go(url, { push = true } = {}) {
  underway?.abort();
  underway = new AbortController();
  const { signal } = underway;
  const people = document.getElementById("people");
  people?.setAttribute("aria-busy", "true");
  try {
    const page = await fetchPage(url, signal);
    if (!page.getElementById("people")) throw new Error("no board there");
    const words = putHead(page);
    updateForm(page);
    refuse();
    // The form now has the days that typed words mean.
    if (push) history.pushState(null, "", addressOf());
    shown = location.pathname + location.search;
    put("people", page);
    say(words);
    document.dispatchEvent(new Event("board"));
    document.dispatchEvent(new Event("rules"));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (push && error.refusal) {
      refuse(error.refusal);
      return;
    }
    // Let the browser load the page and show the error.
    location.assign(url);
  } finally {
    if (!signal.aborted) people?.removeAttribute("aria-busy");
  }
}

// The URL for the form's values, without defaults.
export function addressOf(changes = {}) {
  const form = document.getElementById("rules");
  const fields = new FormData(form);
  for (const [name, value] of Object.entries(changes)) fields.set(name, value);
  // Without a window no one is new.
  if (!fields.get("since") && !fields.get("until")) fields.delete("new");
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value && !(name === "bots" && value === "exclude")) query.set(name, value);
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-in-page]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.form?.id === "rules") go(addressOf());
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "rules") return;
    event.preventDefault();
    go(addressOf());
  });
  window.addEventListener("popstate", () => {
    // A link to a fragment also fires popstate.
    if (location.pathname + location.search !== shown) go(location.href, { push: false });
  });
}
