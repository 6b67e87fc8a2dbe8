/**
 * What the guard of an act asks for from the page's own world (`main-guard.js`), and this world alone can do. Its events
 * have a name that is drawn for one act, so that no page can ask; what is not done here is left to the browser.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.requests = {};

  /** What a page opens a moment after an act comes of it still. */
  const LATER_MS = 2_000;
  const OPENS = new Set(['open', 'form']);

  /** The acts whose events are heard, and until when (unix ms). @type {Map<string, number>} */
  const heard = new Map();

  const answer = (/** @type {Event} */ event) => {
    const until = heard.get(event.type) ?? 0;
    if (until < Date.now()) return;
    event.stopImmediatePropagation();
    // What asks for files may be in no document: an event of the mouse can name it.
    const chooser = event instanceof MouseEvent ? event.relatedTarget : null;
    const detail = chooser ? 'choose' : String(/** @type {CustomEvent} */ (event).detail);
    const [word] = detail.split(' ', 1);
    if (!OPENS.has(word) && until < Number.POSITIVE_INFINITY) return;
    const at = chooser ?? event.composedPath()[0];
    if (at && page.requests[word]?.(at, detail.slice(word.length + 1))) event.preventDefault();
  };

  page.listen = (act) => {
    if (act === undefined || heard.has(act)) return;
    page.stopListening();
    heard.set(act, Number.POSITIVE_INFINITY);
    own.addEventListener(window, act, answer, true);
    page.mindLinks(false);
    page.mindLinks(true);
    page.mindChoosers(true);
  };

  page.stopListening = () => {
    // Once, for whatever has it, and once more to forget that it had.
    page.uncapture({});
    page.uncapture({});
    page.mindChoosers(false);
    const until = Date.now() + LATER_MS;
    for (const [act, hears] of heard) if (hears > until) heard.set(act, until);
    if (heard.size > 0) setTimeout(forget, LATER_MS);
  };

  const forget = () => {
    for (const [act, until] of heard) {
      if (until > Date.now()) continue;
      heard.delete(act);
      own.removeEventListener(window, act, answer, true);
    }
    if (heard.size === 0) page.mindLinks(false);
  };
})();
