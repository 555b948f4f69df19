// Keep the states of unfinished repositories up to date, with HTML that the server renders.
const PERIOD = 2000;

async function refresh() {
  const list = document.querySelector("[data-live]");
  if (!list) return;
  if (!document.hidden) {
    try {
      const response = await fetch(location.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById(list.id);
      for (const field of fresh.querySelectorAll("[data-field]")) {
        const own = list.querySelector(`[data-field="${field.dataset.field}"]`);
        if (!own) continue;
        if (own.innerHTML !== field.innerHTML) own.replaceChildren(...field.childNodes);
        if (own.className !== field.className) own.className = field.className;
      }
      if (!("live" in fresh.dataset)) delete list.dataset.live;
    } catch {
      // The server may be restarting: try again next time.
    }
  }
  setTimeout(refresh, PERIOD);
}

setTimeout(refresh, PERIOD);
