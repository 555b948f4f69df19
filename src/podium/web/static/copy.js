// Buttons that copy a snippet. Without this module they stay hidden, and the text can be selected by hand.
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
  const label = button.firstChild;
  label.data = words;
  document.querySelector("[data-copied]").textContent = words;
  setTimeout(() => { label.data = "Copy"; }, SHOWN);
}

// The section comes anew with other rules, and only then where the board was not there yet.
function show() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) copy(button);
});
document.addEventListener("board", show);
show();
