// The first people while their commits are counted. Each keeps its element, so that its bar grows and it moves to its
// new place. Style sheets say how fast, or not at all for those who want no motion.
const MOVE = 600;

function items(list) {
  const seen = new Map();
  return new Map([...list.children].map((item) => {
    const name = item.dataset.person;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return [`${seen.get(name)} ${name}`, item];
  }));
}

function fill(item, fresh) {
  for (const part of [".rank", ".count"]) {
    const [own, now] = [item.querySelector(part), fresh.querySelector(part)];
    if (own.innerHTML !== now.innerHTML) own.replaceChildren(...now.childNodes);
  }
  item.querySelector("rect").setAttribute("width", fresh.querySelector("rect").getAttribute("width"));
}

export function putLeaders(field, fresh) {
  const [list, freshList] = [field.querySelector(".leaders"), fresh.querySelector(".leaders")];
  if (!list || !freshList) {
    if (list || freshList) field.replaceChildren(...fresh.childNodes);
    return;
  }
  const known = items(list);
  const places = new Map([...known.values()].map((item) => [item, item.getBoundingClientRect().top]));
  const next = [...items(freshList)].map(([key, item]) => {
    const own = known.get(key);
    if (own) fill(own, item);
    return own ?? document.adoptNode(item);
  });
  if (next.some((item, i) => list.children[i] !== item) || next.length !== list.children.length) {
    list.replaceChildren(...next);
  }
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const [item, top] of places) {
    const moved = item.isConnected ? top - item.getBoundingClientRect().top : 0;
    if (moved) item.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: MOVE, easing: "ease-out" });
  }
}
