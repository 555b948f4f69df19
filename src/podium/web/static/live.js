// Keeps what is unfinished up to date: each element with data-live is asked for again, as HTML, and what changed is
// put in place. The words stay the server's. An element that comes back without data-live is finished.
const PERIOD = 2000;

function fieldsOf(element) {
  return [...element.querySelectorAll("[data-field]")];
}

function sameFields(one, other) {
  return one.length === other.length && one.every((field, i) => field.dataset.field === other[i].dataset.field);
}

// Field by field, so that a screen reader is told of what changed and a reader's place is kept.
function update(element, fresh) {
  const [now, then] = [fieldsOf(fresh), fieldsOf(element)];
  if (!sameFields(now, then)) {
    element.replaceWith(document.adoptNode(fresh));
    return;
  }
  then.forEach((field, i) => {
    if (field.innerHTML !== now[i].innerHTML) field.replaceChildren(...now[i].childNodes);
    if (field.className !== now[i].className) field.className = now[i].className;
  });
  if (!("live" in fresh.dataset)) delete element.dataset.live;
}

async function refresh(element) {
  const response = await fetch(element.dataset.live || location.href);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById(element.id);
  if (fresh.dataset.edition !== element.dataset.edition) location.reload();
  else update(element, fresh);
}

async function watch() {
  const elements = document.querySelectorAll("[data-live]");
  if (elements.length === 0) return;
  if (!document.hidden) {
    // The server may be restarting: the next round asks again.
    await Promise.allSettled([...elements].map(refresh));
  }
  setTimeout(watch, PERIOD);
}

setTimeout(watch, PERIOD);
