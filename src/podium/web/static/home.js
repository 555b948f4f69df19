// Search the boards while typing, and keep the states of unfinished repositories up to date, with HTML that the server
// renders.
import { closeChips } from "./chips.js";
import { hideNotice, showNotice } from "./notice.js";
import { fetchPage, Refused } from "./request.js";

const PERIOD = 2000;
const PAUSE = 80;
// Until a server that has too much to do is asked again.
const AGAIN = 5000;

const form = document.querySelector("[data-boards]");
const field = form.elements.search;
let typing = 0;
let underway = null;

function put(page, id) {
  document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
}

function addressOf() {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
  return form.getAttribute("action") + (query.size ? `?${query}` : "");
}

async function show(url, push) {
  underway?.abort();
  underway = new AbortController();
  const { signal } = underway;
  const list = document.getElementById("repositories");
  list.setAttribute("aria-busy", "true");
  try {
    const page = await fetchPage(url, { signal });
    hideNotice();
    put(page, "repositories");
    put(page, "filters");
    // Its text, so that screen readers say it.
    document.getElementById("matched").replaceChildren(...page.getElementById("matched").childNodes);
    const state = page.querySelector("[data-boards] [name=state]");
    form.querySelector("[name=state]")?.remove();
    if (state) form.prepend(document.adoptNode(state));
    if (push) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Refused)) throw error;
    showNotice(error.message);
    if (error.status !== 503) return;
    clearTimeout(typing);
    typing = setTimeout(() => show(url, push), AGAIN);
  } finally {
    list.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => show(addressOf(), false), PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  show(addressOf(), false);
});
field.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !field.value) return;
  event.preventDefault();
  field.value = "";
  show(addressOf(), false);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-filter]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const name = link.textContent;
  show(link.href, true).then(() => {
    [...document.querySelectorAll("a[data-filter]")].find((other) => other.textContent === name)?.focus();
  });
});
window.addEventListener("popstate", () => {
  field.value = new URLSearchParams(location.search).get("search") ?? "";
  show(location.pathname + location.search, false);
});

closeChips();

async function refresh() {
  const list = document.querySelector("#repositories[data-live]");
  if (list && !document.hidden && !list.hasAttribute("aria-busy")) {
    try {
      const page = await fetchPage(location.href);
      const fresh = page.getElementById("repositories");
      for (const part of fresh.querySelectorAll("[data-field]")) {
        const own = list.querySelector(`[data-field="${part.dataset.field}"]`);
        if (own && own.innerHTML !== part.innerHTML) own.replaceChildren(...part.childNodes);
      }
      if (!("live" in fresh.dataset)) delete list.dataset.live;
    } catch {
      // The server may be restarting: try again next time.
    }
  }
  setTimeout(refresh, PERIOD);
}

setTimeout(refresh, PERIOD);
