// Say once, for all scripts of a page, that the server cannot be reached. What needs it names itself, so that the words
// stay until each of them has got through again.
const WORDS = "Connection lost. Trying again…";

const lost = new Set();

export function connectionLost(isLost, who = "page") {
  if (isLost) lost.add(who);
  else lost.delete(who);
  // For style sheets: what is shown may be old.
  document.documentElement.classList.toggle("away", lost.size > 0);
  const element = document.getElementById("connection");
  const words = lost.size ? WORDS : "";
  if (element && element.textContent !== words) element.textContent = words;
}
