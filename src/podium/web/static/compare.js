// The entry point of a comparison. The page works without JavaScript.
import { enhanceChart } from "./chart.js";
import { closeChips } from "./chips.js";
import { offerSharing } from "./share.js";

document.documentElement.classList.add("js");
// Empty fields would only lengthen the address. A revision belongs to the repository at the same place.
document.querySelector(".subjects").addEventListener("submit", (event) => {
  const fields = [...event.target.querySelectorAll("input[name]")];
  const isEmpty = (field) => !field.value.trim();
  const noRevision = fields.every((field) => field.name !== "rev" || isEmpty(field));
  for (const field of fields) {
    const repository = field.closest(".pair")?.querySelector("[name=repo]");
    field.disabled = isEmpty(field) && (field.name !== "rev" || noRevision || isEmpty(repository));
  }
});
// A page that the browser restores has its fields again.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll(".subjects input:disabled")) field.disabled = false;
});
enhanceChart();
closeChips();
offerSharing();
