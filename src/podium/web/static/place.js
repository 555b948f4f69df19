// The place in the list. Each entry of the history keeps its own, because a page that is loaded again has only its first
// rows: https://html.spec.whatwg.org/multipage/nav-history-apis.html#dom-history-state
import { offsetOf, rowInView, showAround } from "./rows.js";

// Milliseconds without scrolling until the place is kept: browsers limit how often a script may do so.
const PAUSE = 250;

// While a place is being restored, the scroll position is not the reader's.
let restoring = false;

export function placeNow() {
  const row = rowInView();
  if (!row) return { y: Math.round(scrollY) };
  return { y: Math.round(scrollY), row: row.id, offset: offsetOf(row), top: Math.round(row.getBoundingClientRect().top) };
}

export function keepPlace() {
  if (!restoring) history.replaceState({ ...history.state, place: placeNow() }, "");
}

function scroll({ y, row, top }) {
  const there = row && document.getElementById(row);
  if (there) window.scrollBy({ top: there.getBoundingClientRect().top - top, behavior: "instant" });
  else window.scrollTo({ top: y, behavior: "instant" });
}

// The reader who scrolls meanwhile is left where they are.
export async function returnTo(place) {
  restoring = false;
  if (!place) return;
  const moved = new AbortController();
  for (const event of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(event, () => moved.abort(), { signal: moved.signal, passive: true });
  }
  scroll(place);
  if (place.row && !document.getElementById(place.row)) {
    restoring = true;
    await showAround(place.offset).catch(() => null);
    restoring = false;
    if (!moved.signal.aborted) scroll(place);
  }
  moved.abort();
}

// Call before the content changes to that of another entry: its place is not known yet.
export function leavePlace() {
  restoring = true;
}

export function keepPlaces() {
  let later;
  window.addEventListener("scroll", () => {
    clearTimeout(later);
    later = setTimeout(keepPlace, PAUSE);
  }, { passive: true });
  // Browsers know where an ordinary page was: they may show it there before its scripts run.
  window.addEventListener("pagehide", () => {
    clearTimeout(later);
    keepPlace();
    history.scrollRestoration = "auto";
  });
  window.addEventListener("pageshow", () => { history.scrollRestoration = "manual"; });
  history.scrollRestoration = "manual";
}
