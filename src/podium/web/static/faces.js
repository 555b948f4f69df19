// Remove a missing avatar, so that the initials behind it show.
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".avatar img")) event.target.remove();
}, true);
for (const image of document.querySelectorAll(".avatar img")) {
  if (image.complete && image.naturalWidth === 0) image.remove();
}
