// A board's page, quickened. Everything works without this: links and forms lead to the same addresses.
import { enhanceChart } from "./chart.js";
import { offerCopies } from "./copy.js";
import { followLinks } from "./navigate.js";
import { watch } from "./live.js";
import { watchRows } from "./rows.js";
import { enhanceSearch } from "./search.js";

function enhance() {
  enhanceChart();
  watchRows();
}

document.documentElement.classList.add("js");
// Where a picture cannot be had, the initials beneath it stay.
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".face img")) event.target.remove();
}, true);
for (const image of document.querySelectorAll(".face img")) {
  if (image.complete && image.naturalWidth === 0) image.remove();
}
document.addEventListener("board", enhance);
followLinks();
enhanceSearch();
offerCopies();
enhance();
watch();
