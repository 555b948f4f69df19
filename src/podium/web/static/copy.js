// Copy buttons, visible only with JavaScript; the text can also be selected by hand.
const SHOWN = 2000;

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  // Browsers offer no clipboard over plain HTTP; the older command copies the selection.
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
