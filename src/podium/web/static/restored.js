// A page that the browser shows again, from its back/forward cache or from its ordinary one, may be old.
import { fetchPage, refresh } from "./navigate.js";
import { returnTo } from "./place.js";

function version(of) {
  return of.querySelector("table.board")?.dataset.version;
}

// A board that is still being counted is kept up to date anyway.
async function renew() {
  if (document.querySelector("#status[data-live]")) return;
  const page = await fetchPage(location.href).catch(() => null);
  if (page && version(page) !== version(document)) refresh("The board has been counted again");
}

export function watchReturns() {
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) renew();
  });
  document.addEventListener("stale", () => refresh("The board has been counted again"));
  const { type } = performance.getEntriesByType("navigation")[0] ?? {};
  if (type !== "back_forward" && type !== "reload") return;
  returnTo(history.state?.place);
  if (type === "back_forward") renew();
}
