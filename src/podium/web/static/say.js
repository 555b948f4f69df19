// Words for screen readers. Their element stays from load to unload: a live region that is replaced is not read.

// Milliseconds in which newer words replace older ones. An element that is emptied and filled at once has not changed.
const PAUSE = 100;

let pending;

export function say(words) {
  const said = document.getElementById("said");
  if (!said || !words) return;
  clearTimeout(pending);
  // Words that are equal to the last ones are read again.
  said.textContent = "";
  pending = setTimeout(() => { said.textContent = words; }, PAUSE);
}
