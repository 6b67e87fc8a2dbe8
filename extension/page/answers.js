/**
 * What the page has asked its server for because of an act, and has no answer to yet: requests, messages on a socket, and
 * what a timer that the act has set is about to ask for. That something is asked, the guard tells (`main-guard.js`), because
 * only the page's own world knows; that a request is answered, the browser.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** How long answers are waited for: some never come. */
  const ANSWER_MS = 500;
  /** The same where the act says what a field holds: a server may take it back. */
  const HELD_MS = 2_000;
  /** Pages gather what is entered for so long before they send it. */
  const GATHER_MS = 350;
  /** The timers of a page that nobody sees run once a second; shorter ones than this are not waited for there. */
  const HIDDEN_MS = 1_000;
  const HIDDEN_LEAST_MS = 100;
  /** A page reacts to an act within this time; what its timers do later they do anyway. */
  const REACT_MS = 60;
  /** A socket's answer may be several messages, this far apart. */
  const PARTS_MS = 1_000;
  /** A page may ask for anything any number of times. */
  const ASKED_MAX = 1_000;

  /** When the requests without an answer were begun. @type {number[]} */
  let asked = [];
  /** When the timers are over that may ask for something. */
  let due = 0;
  /** When something was sent on a socket last, and when it was answered. */
  const socket = { sent: Number.NEGATIVE_INFINITY, heard: Number.NEGATIVE_INFINITY };

  // The browser does what is asked for.
  page.requests.asking = () => {
    if (page.began) page.began.sends = true;
    if (asked.length < ASKED_MAX) asked.push(performance.now());
    return false;
  };
  page.requests.sending = () => {
    socket.sent = performance.now();
    return false;
  };
  page.requests.hearing = () => {
    socket.heard = performance.now();
    return false;
  };
  page.requests.timing = (_, delay) => {
    const [now, ms] = [performance.now(), Number(delay) || 0];
    const reacts = page.waitedSince === 0 || now - page.waitedSince < REACT_MS;
    if (!reacts || ms > GATHER_MS) return false;
    if (!page.isHidden()) due = Math.max(due, now + ms);
    else if (ms >= HIDDEN_LEAST_MS) due = now + HIDDEN_MS;
    return false;
  };

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { initiatorType, startTime } = /** @type {PerformanceResourceTiming} */ (entry);
      if (initiatorType !== 'fetch' && initiatorType !== 'xmlhttprequest') continue;
      const at = asked.findLastIndex((it) => it <= startTime);
      if (at >= 0) asked.splice(at, 1);
    }
  }).observe({ type: 'resource' });

  page.isAsking = ({ holds = false }) => {
    const now = performance.now();
    const limit = holds ? HELD_MS : ANSWER_MS;
    asked = asked.filter((it) => now - it < HELD_MS);
    if (now - page.waitedSince >= limit) return false;
    if (asked.some((it) => now - it < limit)) return true;
    if (!holds) return false;
    const { sent, heard } = socket;
    return now < due || (heard < sent ? now - sent < limit : now - heard < PARTS_MS);
  };
})();
