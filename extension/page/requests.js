/**
 * What the guard of an act asks for from the page's own world (`main-guard.js`), and this world alone can do. Its events
 * have a name that is drawn for one act, so that no page can ask; what is not done here is left to the browser.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.requests = {};

  /** The act that is under way. @type {string | undefined} */
  let heard;

  const answer = (/** @type {Event} */ event) => {
    if (event.type !== heard) return;
    event.stopImmediatePropagation();
    const detail = String(/** @type {CustomEvent} */ (event).detail);
    const [word] = detail.split(' ', 1);
    const at = event.composedPath()[0];
    if (at && page.requests[word]?.(at, detail.slice(word.length + 1))) event.preventDefault();
  };

  page.listen = (act) => {
    if (act === undefined || act === heard) return;
    page.stopListening();
    heard = act;
    own.addEventListener(window, act, answer, true);
    page.mindLinks(true);
  };

  page.stopListening = () => {
    // Once, for whatever has it, and once more to forget that it had.
    page.uncapture({});
    page.uncapture({});
    if (heard !== undefined) {
      own.removeEventListener(window, heard, answer, true);
      page.mindLinks(false);
    }
    heard = undefined;
  };
})();
