// The entry point of a board's page. The page works without JavaScript: its links and forms have the same URLs.
import { enhanceChart } from "./chart.js";
import { closeChips } from "./chips.js";
import { offerCalendars } from "./dates.js";
import { followLinks } from "./navigate.js";
import "./faces.js";
import { follow } from "./follow.js";
import { watch } from "./live.js";
import { nameRows } from "./opened.js";
import { keepPlaces } from "./place.js";
import { watchReturns } from "./restored.js";
import { watchRows } from "./rows.js";
import { enhanceSearch } from "./search.js";
import { offerSharing } from "./share.js";

function enhance() {
  enhanceChart();
  watchRows();
}

document.documentElement.classList.add("js");
document.addEventListener("board", enhance);
nameRows();
followLinks();
closeChips();
keepPlaces();
enhanceSearch();
offerSharing();
offerCalendars();
enhance();
watch();
follow();
watchReturns();
