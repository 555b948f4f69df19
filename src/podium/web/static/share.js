// The panel "Share": what the system offers for sharing, and copies of links and lines. Without JavaScript the texts can
// be selected by hand.
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
  const text = button.firstChild;
  button.dataset.words ??= text.data;
  text.data = words;
  document.querySelector("[data-copied]").textContent = words;
  setTimeout(() => { text.data = button.dataset.words; }, SHOWN);
}

async function share(button) {
  const url = document.getElementById("share-link").value;
  try {
    await navigator.share({ title: document.title, url });
  } catch (error) {
    // Closing the system's dialog is not an error.
    if (error.name !== "AbortError") copy(button.parentElement.querySelector("[data-copy]"));
  }
}

export function offerSharing() {
  if (navigator.share) document.documentElement.classList.add("can-share");
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy], [data-share]");
    if (button) (button.dataset.copy ? copy : share)(button);
  });
}
