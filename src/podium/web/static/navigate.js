// Follow switches, windows, sorts and presets without loading a page: fetch the URL and replace the parts that differ.
import { hideNotice, showNotice } from "./notice.js";
import { keepPlace, leavePlace, placeNow, returnTo } from "./place.js";
import { fetchPage, Refused } from "./request.js";
import { opensHere } from "./rows.js";
import { say } from "./say.js";

export { fetchPage };

let underway = null;
let returning = false;
let shown = addressBar();

function addressBar() {
  return location.pathname + location.search;
}

// Change the URL of the present content, without a history entry.
export function nameShown(url) {
  history.replaceState(history.state, "", url);
  shown = addressBar();
}

// Milliseconds before a click shows that it is being worked on. Most answers come sooner, and a flash would disturb.
const BUSY_AFTER = 60;

const FOCUSABLE = "a, button, input, select, summary, [tabindex]";

// What stands where an element stood in the part that is replaced.
function counterpart(element, then, now) {
  if (element.id) return document.getElementById(element.id);
  const [before, after] = [then, now].map((part) => [...part.querySelectorAll(FOCUSABLE)]);
  const alike = after.filter((other) => other.tagName === element.tagName && other.textContent === element.textContent);
  return alike.length === 1 ? alike[0] : after[before.indexOf(element)];
}

// Replace a part by another one, and keep the focus inside of it, and what is opened there.
export function swap(then, now) {
  if (now.outerHTML === then.outerHTML) return;
  const focused = then.contains(document.activeElement) ? document.activeElement : null;
  const open = [...then.querySelectorAll("details")].map((details) => details.open);
  [...now.querySelectorAll("details")].forEach((details, i) => { details.open ||= open[i] ?? false; });
  then.replaceWith(document.adoptNode(now));
  if (focused) counterpart(focused, then, now)?.focus({ preventScroll: true });
}

// Replace one part by its counterpart in a fetched page.
export function put(id, page) {
  const [now, then] = [page.getElementById(id), document.getElementById(id)];
  if (now && then) swap(then, now);
}

export function putHead(page) {
  for (const part of page.querySelectorAll("[data-swap]")) put(part.id, page);
}

function replaceHidden(form, fresh) {
  form.querySelectorAll("input[type=hidden]").forEach((field) => field.remove());
  fresh.querySelectorAll("input[type=hidden]").forEach((field) => form.prepend(document.adoptNode(field)));
}

// Update the forms' values instead of replacing them, so that they keep the focus.
function updateForms(page) {
  const form = document.getElementById("rules");
  for (const field of page.getElementById("rules")?.elements ?? []) {
    const own = field.id && form?.querySelector(`#${CSS.escape(field.id)}`);
    if (!own) continue;
    own.disabled = field.disabled;
    if (["checkbox", "radio"].includes(own.type)) own.checked = own.defaultChecked = field.checked;
    else if (own.tagName === "SELECT") {
      for (const option of own.options) option.selected = option.defaultSelected = option.value === field.value;
    } else if (own.type === "text") own.value = own.defaultValue = field.value;
  }
  for (const id of ["rules", "search"]) {
    const [own, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!own || !fresh) continue;
    own.setAttribute("action", fresh.getAttribute("action"));
    replaceHidden(own, fresh);
  }
}

// Let the switches show the rules of the board again. A typed date stays: it can be corrected.
function revertForm() {
  for (const field of document.getElementById("rules")?.elements ?? []) {
    if (field.tagName === "SELECT") for (const option of field.options) option.selected = option.defaultSelected;
    else if (["checkbox", "radio"].includes(field.type)) field.checked = field.defaultChecked;
  }
}

function fits(element) {
  return element !== null && (element.checkVisibility?.({ visibilityProperty: true }) ?? true);
}

// Show why the form's dates are refused, beside them if the form is open; without a reason, that they are not.
function refuse(reason = "") {
  const refused = document.getElementById("refused");
  if (!refused) return reason && showNotice(reason);
  for (const id of ["since", "until"]) {
    document.getElementById(id).ariaInvalid = reason.startsWith(`${id}:`) ? "true" : null;
  }
  refused.textContent = reason;
  refused.hidden = !reason;
  if (reason && !fits(refused)) {
    refused.hidden = true;
    showNotice(reason);
  }
}

// Another version of the server may have other parts and scripts than this page.
export function isOfAnother(page) {
  const [theirs, ours] = [page, document].map((of) => of.querySelector("script[type=module]")?.getAttribute("src"));
  return theirs !== ours;
}

/* Show the board at a URL. A newer call wins over an older one.

   push: add an entry to the history. returns: the address bar has the URL already, because the reader went back or
   forward. place: where in the list to continue. words: what has been changed. */
export async function go(url, { push = true, returns = false, place = null, words = "" } = {}) {
  underway?.abort();
  underway = new AbortController();
  const { signal } = underway;
  returning = returns;
  const main = document.getElementById("main");
  const late = setTimeout(() => main.setAttribute("aria-busy", "true"), BUSY_AFTER);
  try {
    const page = await fetchPage(url, { signal });
    const people = page.getElementById("people");
    if (!people || isOfAnother(page)) {
      if (push) location.assign(url);
      else location.reload();
      return;
    }
    hideNotice();
    refuse();
    if (push) {
      keepPlace();
      // The page's own URL has the days that typed words mean.
      history.pushState(null, "", people.dataset.address);
    }
    shown = addressBar();
    const isAbove = document.getElementById("people").getBoundingClientRect().top < 0;
    updateForms(page);
    putHead(page);
    document.title = page.title;
    const said = [words, people.dataset.said].filter(Boolean).join(". ");
    put("people", page);
    say(said);
    document.dispatchEvent(new Event("board"));
    if (returns) document.dispatchEvent(new CustomEvent("returned", { detail: page }));
    else document.dispatchEvent(new Event("rules"));
    const { hash } = new URL(url, location.href);
    // This marks the target, too.
    if (hash && push) location.replace(hash);
    else if (isAbove && push) document.getElementById("people").scrollIntoView({ behavior: "instant" });
    await returnTo(place);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    revertForm();
    if (error.status === 400) refuse(error.message);
    else showNotice(error.message);
  } finally {
    clearTimeout(late);
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

// Show the present board as it is now, at the same place.
export function refresh(words) {
  return go(location.href, { push: false, place: placeNow(), words });
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

// What a field's new value is called: the label without the field and without its explanation.
function wordsOf(field) {
  const label = field.labels?.[0]?.cloneNode(true);
  if (!label || !["checkbox", "radio", "select-one"].includes(field.type)) return "";
  label.querySelectorAll("small, select, input").forEach((part) => part.remove());
  const name = label.textContent.trim();
  if (field.type === "select-one") return `${name}: ${field.selectedOptions[0]?.textContent.trim()}`;
  return field.type === "radio" ? name : `${name}: ${field.checked ? "on" : "off"}`;
}

export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-in-page]");
    if (!link || !opensHere(event)) return;
    event.preventDefault();
    go(link.href, { words: link.dataset.said ?? link.textContent.trim() });
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.form?.id === "rules") go(addressOf(), { words: wordsOf(field) });
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "rules") return;
    event.preventDefault();
    go(addressOf());
  });
  window.addEventListener("popstate", (event) => {
    const place = event.state?.place;
    // A link to a fragment also fires popstate.
    if (addressBar() !== shown) {
      leavePlace();
      go(location.href, { push: false, returns: true, place });
      return;
    }
    if (returning) {
      underway?.abort();
      document.getElementById("main").removeAttribute("aria-busy");
    }
    returnTo(place);
  });
}
