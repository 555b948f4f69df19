// Numbers in the reader's format, and moments as distances from now. The server renders English and UTC days, because
// a page is kept for all readers and for days.
const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const REFRESH_EVERY = 30000;
// Text that is not ours: names, code, and what a reader copies.
const VERBATIM = "bdi, code, pre, textarea, script, style";
const NUMBER = /(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+\.\d(?= %))(?!\d|[.,]\d)/g;

// The page is English, so its digits stay Latin.
const format = new Intl.NumberFormat(undefined, { numberingSystem: "latn", maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(undefined, { numberingSystem: "latn", minimumFractionDigits: 1 });
const isEnglish = new Intl.NumberFormat("en").format(1234567.8) === format.format(1234567.8);

export function number(value) {
  return format.format(value);
}

// As podium.textutil.age says it.
export function ago(moment, now = Date.now()) {
  const seconds = (now - new Date(moment)) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
  if (!unit) return "just now";
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

// Of a moment to come, such as that of a check, which is not exact to the minute.
export function until(moment, now = Date.now()) {
  const seconds = (new Date(moment) - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
  if (!unit) return "soon";
  const count = Math.round(seconds / size);
  return `in ${count} ${unit}${count === 1 ? "" : "s"}`;
}

function inReadersFormat(text) {
  return text.replace(NUMBER, (found) => (found.includes(".") ? percentage : format).format(found.replaceAll(",", "")));
}

function showNumbers(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) =>
    node.nodeType === Node.ELEMENT_NODE && node.matches(VERBATIM) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  for (let node = root; node; node = walker.nextNode()) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const text = inReadersFormat(node.data);
    if (text !== node.data) node.data = text;
  }
}

function showAges(root) {
  for (const time of root.querySelectorAll("time:is([data-ago], [data-in])")) {
    const words = ("ago" in time.dataset ? ago : until)(time.dateTime);
    // Not its children: that would be a change of the page to look at again.
    if (time.firstChild.data !== words) time.firstChild.data = words;
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
}

// Paper does not know when it is read.
function showDays() {
  for (const time of document.querySelectorAll("time:is([data-ago], [data-in])")) {
    time.firstChild.data = ("in" in time.dataset ? "on " : "") + time.dateTime.slice(0, 10);
  }
}

// Moments to come: the local time, and the day unless it is today.
function showClocks(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const moment = new Date(time.dateTime);
    const isToday = moment.toDateString() === new Date().toDateString();
    const words = moment.toLocaleString(undefined, { dateStyle: isToday ? undefined : "medium", timeStyle: "short" });
    if (time.firstChild.data !== words) time.firstChild.data = words;
    time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
  }
}

// Show the numbers and moments of a part of this page, or of a fetched one, as the reader writes them.
export function localize(root) {
  if (!isEnglish && !root.parentElement?.closest(VERBATIM)) showNumbers(root);
  if (root.querySelectorAll) {
    showAges(root);
    showClocks(root);
  }
}

localize(document.body);
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.isConnected) localize(node);
}).observe(document.body, { childList: true, subtree: true });
setInterval(() => { if (!document.hidden) showAges(document); }, REFRESH_EVERY);
document.addEventListener("visibilitychange", () => showAges(document));
window.addEventListener("beforeprint", showDays);
window.addEventListener("afterprint", () => showAges(document));
