// The entry point of a person's page. The page works without JavaScript.
import { enhanceChart } from "./chart.js";
import "./faces.js";

document.documentElement.classList.add("js");
enhanceChart();
