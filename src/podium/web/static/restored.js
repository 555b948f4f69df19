// A page that the browser shows again may be old. One from the back/forward cache is followed at once by follow.js.
import { followNow } from "./follow.js";
import { returnTo } from "./place.js";

export async function watchReturns() {
  const { type } = performance.getEntriesByType("navigation")[0] ?? {};
  if (type !== "back_forward" && type !== "reload") return;
  await returnTo(history.state?.place);
  // It may come from the ordinary cache.
  if (type === "back_forward") followNow();
}
