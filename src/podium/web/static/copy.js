// Buttons that copy a line. They are seen only where scripts run; the text can always be selected by hand.
const SHOWN = 2000;

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  // Where the browser has no clipboard for this page (plain http), the older way still copies what is selected.
  const copied = navigator.clipboard
    ? await navigator.clipboard.writeText(field.value).then(() => true, () => false)
    : document.execCommand("copy");
  say(button, copied ? "Copied" : "Press Ctrl+C");
}

function say(button, words) {
  button.firstChild.data = words;
  document.querySelector("[data-copied]").textContent = words;
  setTimeout(() => { button.firstChild.data = "Copy"; }, SHOWN);
}

export function offerCopies() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });
}
