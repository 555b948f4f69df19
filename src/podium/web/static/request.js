// Requests for pages and parts of them. A server that is away is asked again until it answers.
import { connectionLost } from "./connection.js";
import { localize } from "./words.js";

// Milliseconds: the first pause before asking again, which doubles, the longest one, and the longest wait for an answer.
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const LONGEST_ANSWER = 30_000;

// The server's reason for not doing something, for the reader.
export class Refused extends Error {
  constructor(status, reason) {
    super(reason || `The server answered with an error (${status}): try again in a moment.`);
    this.status = status;
  }
}

// A proxy answers so for a server that is away; Podium's own pages give a reason.
function isAway(status, reason) {
  return [502, 503, 504].includes(status) && !reason;
}

function pause(milliseconds, signal) {
  return new Promise((resume, stop) => {
    const wait = new AbortController();
    const end = (how) => {
      wait.abort();
      clearTimeout(timer);
      how();
    };
    const timer = setTimeout(() => end(resume), milliseconds);
    window.addEventListener("online", () => end(resume), wait);
    signal?.addEventListener("abort", () => end(() => stop(signal.reason)), wait);
  });
}

async function attempt(url, form, signal) {
  const late = AbortSignal.timeout(LONGEST_ANSWER);
  const response = await fetch(url, {
    method: form ? "POST" : "GET",
    body: form && new URLSearchParams(form),
    headers: { accept: "text/html" },
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  // What is compared with the page, and put into it, has the reader's format.
  localize(page.body);
  if (response.ok) return page;
  const reason = page.querySelector("#refused:not([hidden]), .lead")?.textContent;
  if (isAway(response.status, reason)) return null;
  throw new Refused(response.status, reason);
}

/* Fetch a page; with a `form`, by POST. `url` may be a function, for a request that changes while the server is away.
   Rejects with Refused, or with an AbortError once the signal is aborted. */
export async function fetchPage(url, { signal, form } = {}) {
  const who = Symbol("request");
  try {
    for (let milliseconds = FIRST_PAUSE; ; milliseconds = Math.min(2 * milliseconds, LONGEST_PAUSE)) {
      const page = await attempt(typeof url === "function" ? url() : url, form, signal).catch((error) => {
        signal?.throwIfAborted();
        if (error instanceof Refused) throw error;
      });
      if (page) return page;
      connectionLost(true, who);
      // Pages that lost the server at the same time come back one after the other.
      await pause(milliseconds * (0.75 + Math.random() / 2), signal);
    }
  } finally {
    connectionLost(false, who);
  }
}

// Mark an element as busy until the work on it is done.
export async function whileBusy(element, work) {
  element?.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    element?.removeAttribute("aria-busy");
  }
}
