// The entry point of a person's page. The page works without JavaScript.
import { enhanceChart } from "./chart.js";
import { closeChips } from "./chips.js";
import "./faces.js";
import { offerSharing } from "./share.js";

document.documentElement.classList.add("js");
enhanceChart();
closeChips();
offerSharing();
