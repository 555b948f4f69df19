// Panels of chips: one is open at a time; Escape, a click elsewhere and a followed link close it. Without JavaScript
// their summaries do.

function openChips() {
  return [...document.querySelectorAll("details.chip[open]")];
}

export function closeChips() {
  document.addEventListener("click", (event) => {
    for (const chip of openChips()) if (!chip.contains(event.target)) chip.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    for (const chip of openChips()) {
      if (chip.contains(document.activeElement)) chip.querySelector("summary").focus();
      chip.open = false;
    }
  });
}
