// The chart's brush: drag, or move its two handles with the keyboard, to select whole weeks. A bound that was typed and
// does not move stays the day that was typed.
import { addressOf, go } from "./navigate.js";

const DAY = 86_400_000;
// Milliseconds after the last key press before the window is requested.
const PAUSE = 300;

function iso(time) {
  return new Date(time).toISOString().slice(0, 10);
}

function typedDay(id) {
  return document.getElementById(id)?.value ?? "";
}

class Brush {
  constructor(figure) {
    const { first, weeks, bar, people, ai, bots } = figure.dataset;
    this.plot = figure.querySelector(".plot");
    this.readout = figure.querySelector("[data-readout]");
    this.said = this.readout.textContent;
    this.first = Date.parse(`${first}T00:00:00Z`);
    this.weeks = Number(weeks);
    this.bar = Number(bar);
    this.series = [people, ai, bots].map((counts) => counts.split(",").map(Number));
    this.shades = figure.querySelectorAll(".shade");
    this.typed = this.chosen();
    [this.low, this.high] = this.typed;
    this.handles = ["First week of the window", "Last week of the window"].map((label, which) => this.handle(label, which));
    this.plot.append(...this.handles);
    this.plot.classList.add("brushable");
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => { this.readout.textContent = this.said; });
    this.plot.addEventListener("dblclick", () => this.choose(0, this.weeks));
    this.draw();
  }

  chosen() {
    const [since, until] = ["since", "until"].map(typedDay);
    const place = (time) => Math.min(Math.max((time - this.first) / (7 * DAY), 0), this.weeks);
    return [since ? place(Date.parse(since)) : 0, until ? place(Date.parse(until) + DAY) : this.weeks];
  }

  handle(label, which) {
    const handle = document.createElement("div");
    handle.className = "handle";
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", label);
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", String(this.weeks));
    handle.addEventListener("keydown", (event) => this.key(event, which));
    return handle;
  }

  day(week) {
    return iso(this.first + Math.round(week * 7) * DAY);
  }

  lastDay(week) {
    return this.day(week - 1 / 7);
  }

  draw() {
    const { low, high, weeks } = this;
    this.shades[0].setAttribute("width", `${(100 * low) / weeks}%`);
    this.shades[1].setAttribute("x", `${(100 * high) / weeks}%`);
    this.shades[1].setAttribute("width", `${(100 * (weeks - high)) / weeks}%`);
    [low, high].forEach((week, which) => {
      this.handles[which].style.left = `${(100 * week) / weeks}%`;
      this.handles[which].setAttribute("aria-valuenow", String(Math.round(week)));
      this.handles[which].setAttribute("aria-valuetext", which ? this.lastDay(week) : this.day(week));
    });
  }

  show() {
    this.readout.textContent = `${this.day(this.low)} to ${this.lastDay(this.high)}`;
  }

  week(event) {
    const box = this.plot.getBoundingClientRect();
    const week = Math.round(((event.clientX - box.left) / box.width) * this.weeks);
    return Math.min(Math.max(week, 0), this.weeks);
  }

  grab(event) {
    if (event.button) return;
    const start = this.week(event);
    const before = [this.low, this.high];
    const which = this.handles.indexOf(event.target);
    const whole = this.low === 0 && this.high === this.weeks;
    const moves = which < 0 && !whole && start > this.low && start < this.high;
    this.plot.setPointerCapture(event.pointerId);
    const drag = (move) => {
      const now = this.week(move);
      if (which === 0) this.low = Math.min(now, this.high - 1);
      else if (which === 1) this.high = Math.max(now, this.low + 1);
      else if (moves) {
        const by = Math.min(Math.max(now - start, -before[0]), this.weeks - before[1]);
        [this.low, this.high] = [before[0] + by, before[1] + by];
      } else if (now !== start) [this.low, this.high] = [Math.min(start, now), Math.max(start, now)];
      this.draw();
      this.show();
    };
    const end = (last) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) {
        this.plot.removeEventListener(name, name === "pointermove" ? drag : end);
      }
      if (last.type === "pointercancel") {
        [this.low, this.high] = before;
        this.draw();
      } else if (this.low !== before[0] || this.high !== before[1]) this.ask();
    };
    this.plot.addEventListener("pointermove", drag);
    this.plot.addEventListener("pointerup", end);
    this.plot.addEventListener("pointercancel", end);
  }

  key(event, which) {
    const far = Math.max(this.bar, Math.round(this.weeks / 10));
    const steps = { ArrowLeft: -this.bar, ArrowDown: -this.bar, ArrowRight: this.bar, ArrowUp: this.bar,
      PageDown: -far, PageUp: far, Home: -this.weeks, End: this.weeks };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (which === 0) this.low = Math.min(Math.max(this.low + step, 0), this.high - 1);
    else this.high = Math.max(Math.min(this.high + step, this.weeks), this.low + 1);
    this.draw();
    this.show();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.ask(which), PAUSE);
  }

  choose(low, high) {
    [this.low, this.high] = [low, high];
    this.draw();
    this.ask();
  }

  async ask(focus) {
    const [low, high] = this.typed;
    let since = this.low > 0 ? this.day(this.low) : "";
    let until = this.high < this.weeks ? this.lastDay(this.high) : "";
    if (this.low === low) since = typedDay("since");
    if (this.high === high) until = typedDay("until");
    await go(addressOf({ since, until }));
    if (focus !== undefined) document.querySelectorAll(".handle")[focus]?.focus({ preventScroll: true });
  }

  point(event) {
    if (event.buttons) return;
    const index = Math.min(Math.floor(this.week(event) / this.bar), this.series[0].length - 1);
    const [people, ai, bots] = this.series.map((counts) => counts[index]);
    const text = `${people.toLocaleString("en")} ${people === 1 ? "commit" : "commits"} by people`;
    const rest = (ai ? `, ${ai.toLocaleString("en")} AI declared` : "") + (bots ? `, ${bots.toLocaleString("en")} by bots` : "");
    this.readout.textContent = `${this.bar > 1 ? `${this.bar} weeks` : "week"} from ${this.day(index * this.bar)}: ${text}${rest}`;
  }
}

export function enhanceChart() {
  const figure = document.querySelector("figure.chart");
  if (figure && !figure.querySelector(".handle")) new Brush(figure);
}

document.addEventListener("chart", enhanceChart);
