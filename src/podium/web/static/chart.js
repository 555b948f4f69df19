// Every chart of a page: a tooltip at the pointer, on tap and on focus, and on the board's chart the choice of a window.
// Drag across the periods, or move the two handles with the keyboard, to select whole ones. A bound that was typed and
// does not move stays the day that was typed.
import { addressOf, go } from "./navigate.js";

const DAY = 86_400_000;
// Milliseconds after the last key press before the window is requested.
const PAUSE = 300;
// Pixels that a finger or a pointer may move without dragging.
const STILL = 4;

const enhanced = new WeakSet();
// The tooltip that shows, if any.
let shown = null;

function iso(time) {
  return new Date(time).toISOString().slice(0, 10);
}

// Beside a refused date, the chart shows the window that is in force.
function typedDay(id) {
  if (document.querySelector("#rules [aria-invalid]")) return "";
  return document.getElementById(id)?.value ?? "";
}

function element(name, className, attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// The periods that a plot or a strip shows from left to right, all equally wide. A place is a number of periods.
class Field {
  constructor(box) {
    this.box = box;
    this.edges = box.dataset.edges.split(" ").map((day) => Date.parse(day));
    this.number = this.edges.length - 1;
  }

  // Where a time is.
  placeOf(time) {
    const { edges, number } = this;
    if (time <= edges[0]) return 0;
    if (time >= edges[number]) return number;
    const place = edges.findIndex((edge) => edge > time) - 1;
    return place + (time - edges[place]) / (edges[place + 1] - edges[place]);
  }

  // The place under the pointer.
  under(event) {
    const { left, width } = this.box.getBoundingClientRect();
    return clamp((event.clientX - left) / width, 0, 1) * this.number;
  }

  day(place) {
    return iso(this.edges[Math.round(place)]);
  }

  lastDay(place) {
    return iso(this.edges[Math.round(place)] - DAY);
  }
}

class Tip {
  constructor(figure) {
    this.figure = figure;
    this.box = element("div", "tip", { hidden: "" });
    figure.append(this.box);
    this.box.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch" && !event.relatedTarget?.closest?.(".plot")) this.hide();
    });
  }

  // Lines, each of texts and elements, above a place of a field, or below it where there is no room above. The first
  // line is bold.
  show(lines, field, place) {
    if (shown !== this) shown?.hide();
    shown = this;
    this.box.replaceChildren(
      ...lines.map((parts, index) => {
        const line = document.createElement("p");
        (index ? line : line.appendChild(document.createElement("b"))).append(...parts);
        return line;
      }),
    );
    this.box.hidden = false;
    const [own, outer, inner] = [this.box, this.figure, field.box].map((each) => each.getBoundingClientRect());
    const middle = inner.left - outer.left + (inner.width * place) / field.number;
    this.box.style.left = `${clamp(middle - own.width / 2, 0, outer.width - own.width)}px`;
    const above = inner.top - own.height > 0;
    this.box.style.top = `${above ? inner.top - outer.top - own.height : inner.bottom - outer.top + 24}px`;
  }

  hide() {
    this.box.hidden = true;
    if (shown === this) shown = null;
    this.figure.dispatchEvent(new Event("unpointed"));
  }
}

// A name, whose direction changes nothing beside it.
function isolated(name) {
  const own = document.createElement("bdi");
  own.textContent = name;
  return own;
}

// What the table beneath says of the period at the pointer, with the names that one request brings.
class Pointer {
  constructor(figure, tip, choose) {
    this.figure = figure;
    this.tip = tip;
    this.field = new Field(figure.querySelector(".plot"));
    const table = figure.querySelector(".data table");
    this.heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
    this.rows = table.tBodies[0].rows;
    this.names = null;
    this.cursor = element("div", "pointed", {
      tabindex: "0",
      role: "slider",
      "aria-label": figure.querySelector(".per").textContent.trim(),
      "aria-valuemin": "1",
      "aria-valuemax": String(this.field.number),
    });
    this.mark(this.field.number - 1);
    const plot = this.field.box;
    plot.append(this.cursor);
    plot.classList.add("live");
    plot.addEventListener("pointermove", (event) => {
      if (!event.buttons && event.pointerType !== "touch") this.point(Math.floor(this.field.under(event)));
    });
    plot.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch" && event.relatedTarget !== tip.box) tip.hide();
    });
    plot.addEventListener("click", (event) => this.point(Math.floor(this.field.under(event))));
    this.cursor.addEventListener("focus", () => {
      if (this.cursor.matches(":focus-visible")) this.point(this.at);
    });
    this.cursor.addEventListener("blur", () => tip.hide());
    this.cursor.addEventListener("keydown", (event) => this.key(event, choose));
    figure.addEventListener("unpointed", () => this.cursor.classList.remove("shown"));
  }

  mark(place) {
    this.at = clamp(place, 0, this.field.number - 1);
    this.cursor.style.left = `${(100 * this.at) / this.field.number}%`;
    this.cursor.style.width = `${100 / this.field.number}%`;
    this.cursor.setAttribute("aria-valuenow", String(this.at + 1));
    this.cursor.setAttribute("aria-valuetext", this.lines().map((parts) => parts.map((part) => part.textContent ?? part).join("")).join(", "));
  }

  point(place) {
    this.ask();
    this.mark(place);
    this.cursor.classList.add("shown");
    this.tip.show(this.lines(), this.field, this.at + 0.5);
  }

  lines() {
    const [period, ...counts] = [...this.rows[this.at].cells].map((cell) => cell.textContent);
    const top = (this.names?.[this.at] ?? []).flatMap(([name, count], index) => [
      index ? ", " : "",
      isolated(name),
      ` ${count.toLocaleString("en")}`,
    ]);
    const names = top.length ? [top] : [];
    if (!this.figure.classList.contains("stack")) {
      return [[period], ...counts.map((count, index) => [isolated(this.heads[index]), ` ${count}`]), ...names];
    }
    const parts = counts.map((count, index) => `${this.heads[index]} ${count}`);
    const all = `${period} · ${counts[0]} ${counts[0] === "1" ? "commit" : "commits"}`;
    return [[all], ...(counts.length > 1 ? [[parts.slice(1).join(" · ")]] : []), ...names];
  }

  async ask() {
    const url = this.figure.dataset.names;
    if (!url || this.asked) return;
    this.asked = true;
    try {
      const response = await fetch(url);
      if (!response.ok) return;
      const { since, top } = await response.json();
      // The board may have changed since the page was made.
      if (since !== this.field.day(0) || top.length !== this.field.number) return;
      this.names = top;
      if (shown === this.tip && this.cursor.classList.contains("shown")) this.point(this.at);
    } catch {
      // The tooltip does without names.
    }
  }

  key(event, choose) {
    const { number } = this.field;
    const far = Math.max(1, Math.round(number / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -far, PageUp: far, Home: -number, End: number };
    if (event.key === "Escape") this.tip.hide();
    else if (event.key === "Enter" && choose) choose(this.at, this.at + 1);
    else if (event.key in steps) this.point(this.at + steps[event.key]);
    else return;
    event.preventDefault();
  }
}

// Choose a window by dragging across a field, and with handles if the field has them.
class Brush {
  constructor(box, tip, { handles }) {
    this.field = new Field(box);
    this.tip = tip;
    [this.before, this.after] = box.querySelectorAll(".shade");
    this.chosen = box.querySelector(".chosen");
    this.typed = handles ? this.typedPlaces() : [0, this.field.number];
    [this.low, this.high] = this.typed;
    const labels = handles ? ["First period of the window", "Last period of the window"] : [];
    this.handles = labels.map((label, which) => this.handle(label, which));
    box.append(...this.handles);
    box.addEventListener("pointerdown", (event) => this.grab(event));
    box.addEventListener("dblclick", () => go(addressOf({ since: "", until: "" })));
    this.draw();
  }

  typedPlaces() {
    const [since, until] = ["since", "until"].map(typedDay);
    return [
      since ? this.field.placeOf(Date.parse(since)) : 0,
      until ? this.field.placeOf(Date.parse(until) + DAY) : this.field.number,
    ];
  }

  handle(label, which) {
    const handle = element("div", "handle", {
      tabindex: "0",
      role: "slider",
      "aria-label": label,
      "aria-valuemin": "0",
      "aria-valuemax": String(this.field.number),
    });
    handle.addEventListener("keydown", (event) => this.key(event, which));
    return handle;
  }

  draw() {
    const { low, high } = this;
    const percent = (place) => `${(100 * place) / this.field.number}%`;
    this.before.setAttribute("width", percent(low));
    this.after.setAttribute("x", percent(high));
    this.after.setAttribute("width", percent(this.field.number - high));
    this.chosen.setAttribute("x", percent(low));
    this.chosen.setAttribute("width", percent(Math.max(high - low, 0)));
    [low, high].slice(0, this.handles.length).forEach((place, which) => {
      this.handles[which].style.left = percent(place);
      this.handles[which].setAttribute("aria-valuenow", String(Math.round(place)));
      this.handles[which].setAttribute("aria-valuetext", this.days()[which]);
    });
  }

  // The first and the last day.
  days() {
    const [low, high] = this.typed;
    return [
      (this.low === low && typedDay("since")) || this.field.day(this.low),
      (this.high === high && typedDay("until")) || this.field.lastDay(this.high),
    ];
  }

  say() {
    this.tip.show([[this.days().join(" to ")]], this.field, (this.low + this.high) / 2);
  }

  grab(event) {
    if (event.button) return;
    const { number, box } = { number: this.field.number, box: this.field.box };
    const start = Math.round(this.field.under(event));
    const before = [this.low, this.high];
    const which = this.handles.indexOf(event.target);
    const whole = this.low === 0 && this.high === number;
    const moves = which < 0 && !whole && start > this.low && start < this.high;
    let dragged = false;
    const drag = (move) => {
      if (!dragged && Math.abs(move.clientX - event.clientX) < STILL) return;
      if (!dragged) box.setPointerCapture(event.pointerId);
      dragged = true;
      const now = Math.round(this.field.under(move));
      if (which === 0) this.low = clamp(now, 0, Math.max(Math.ceil(this.high) - 1, 0));
      else if (which === 1) this.high = clamp(now, Math.min(Math.floor(this.low) + 1, number), number);
      else if (moves) {
        const by = clamp(now - start, -before[0], number - before[1]);
        [this.low, this.high] = [before[0] + by, before[1] + by];
      } else if (now !== start) [this.low, this.high] = [Math.min(start, now), Math.max(start, now)];
      this.draw();
      this.say();
    };
    const end = (last) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) {
        box.removeEventListener(name, name === "pointermove" ? drag : end);
      }
      if (last.type === "pointercancel") {
        [this.low, this.high] = before;
        this.draw();
        this.tip.hide();
      } else if (this.low !== before[0] || this.high !== before[1]) this.ask();
    };
    box.addEventListener("pointermove", drag);
    box.addEventListener("pointerup", end);
    box.addEventListener("pointercancel", end);
  }

  key(event, which) {
    const { number } = this.field;
    const far = Math.max(1, Math.round(number / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -far, PageUp: far, Home: -number, End: number };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    // From a typed day to the next whole period.
    const from = which ? this.high : this.low;
    const to = step < 0 ? Math.ceil(from) + step : Math.floor(from) + step;
    if (which === 0) this.low = clamp(to, 0, Math.max(Math.ceil(this.high) - 1, 0));
    else this.high = clamp(to, Math.min(Math.floor(this.low) + 1, number), number);
    this.draw();
    this.say();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.ask(".handle", which), PAUSE);
  }

  choose(low, high) {
    [this.low, this.high] = [low, high];
    this.draw();
    this.ask(".pointed");
  }

  async ask(focus, which = 0) {
    const [low, high] = this.typed;
    let since = this.low > 0 ? this.field.day(this.low) : "";
    let until = this.high < this.field.number ? this.field.lastDay(this.high) : "";
    if (this.low === low) since = typedDay("since");
    if (this.high === high) until = typedDay("until");
    await go(addressOf({ since, until }));
    if (focus) document.querySelectorAll(`[data-brush] ${focus}`)[which]?.focus({ preventScroll: true });
  }
}

function enhance(figure) {
  if (enhanced.has(figure)) return;
  enhanced.add(figure);
  const tip = new Tip(figure);
  const [plot, strip] = [figure.querySelector(".plot"), figure.querySelector(".strip")];
  const brushes = "brush" in figure.dataset ? [plot, strip].filter(Boolean).map((box) => new Brush(box, tip, { handles: box === (strip ?? plot) })) : [];
  if (plot) new Pointer(figure, tip, brushes[0] && ((low, high) => brushes[0].choose(low, high)));
}

export function enhanceChart() {
  for (const figure of document.querySelectorAll("figure.chart")) enhance(figure);
}

document.addEventListener("chart", enhanceChart);
document.addEventListener("pointerdown", (event) => {
  if (shown && !shown.figure.contains(event.target)) shown.hide();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") shown?.hide();
});
