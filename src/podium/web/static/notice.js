// Why the server refused something: a message above the page, which stays until it is dismissed or something succeeds.

let notice = null;

// With words: only if it says these.
export function hideNotice(words = null) {
  if (words !== null && notice?.firstChild.textContent !== words) return;
  notice?.remove();
  notice = null;
}

export function showNotice(words) {
  hideNotice();
  notice = document.createElement("div");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  const text = document.createElement("p");
  text.textContent = words;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Dismiss";
  button.addEventListener("click", () => hideNotice());
  notice.append(text, button);
  document.body.append(notice);
}
