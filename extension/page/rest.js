/**
 * Waiting in the page until nothing is under way any more: a page that does nothing is at rest at once, and one that
 * reacts a moment later is waited for. What changes is observed from the isolated world, which no page can notice; what is
 * due soon is told by the browser, whose idle periods end where the next timer is due.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Tasks that follow one another, such as those of a framework's scheduler, are this close. */
  const QUIET_MS = 8;
  /** The longest idle period that the browser gives: nothing is due within it. */
  const LONGEST_IDLE_MS = 48;
  /** A page whose timers never end, and change nothing, is at rest after this. */
  const FIDGET_MS = 110;
  /** A page that still changes after this is looked at from outside. */
  const LOOK_MS = 150;
  /** The browser gives no idle period to a page that is always busy. */
  const IDLE_WAIT_MS = 100;

  let changes = 0;
  /** Whether the document is about to be left. */
  let leaving = false;
  const observer = new MutationObserver((records) => {
    changes += records.length;
  });
  const WHAT = { subtree: true, childList: true, attributes: true, characterData: true };

  page.watch = () => {
    for (const tree of page.trees()) observer.observe(tree, WHAT);
  };

  page.isLeaving = () => leaving;

  const { navigation } = /** @type {{ navigation?: EventTarget }} */ (/** @type {unknown} */ (globalThis));
  /** @param {string} type @param {(event: Event) => void} hears */
  const listen = (type, hears) => navigation && own.addEventListener(navigation, type, hears);
  listen('navigate', (event) => {
    const { destination, downloadRequest } = /** @type {any} */ (event);
    if (event.isTrusted && !destination.sameDocument && downloadRequest === null) leaving = true;
  });
  listen('navigateerror', (event) => {
    if (event.isTrusted) leaving = false;
  });

  /** How long nothing is due, in ms, once the page has nothing to do; 0 if it always has. */
  const idle = () =>
    new Promise((resolve) => {
      const late = setTimeout(resolve, IDLE_WAIT_MS, 0);
      requestIdleCallback((deadline) => {
        clearTimeout(late);
        resolve(deadline.timeRemaining());
      });
    });

  page.rest = async (order) => {
    page.watch();
    const began = performance.now();
    let calm = began;
    observer.takeRecords();
    let seen = changes;
    try {
      for (;;) {
        await page.pause(order, QUIET_MS);
        const free = await idle();
        const now = performance.now();
        if (changes !== seen || page.isMoving()) {
          seen = changes;
          calm = now;
        } else if (free >= LONGEST_IDLE_MS || now - calm >= FIDGET_MS) {
          return true;
        } else {
          // Something is due then.
          await page.pause(order, free);
        }
        if (leaving || performance.now() - began >= LOOK_MS) return false;
      }
    } finally {
      observer.disconnect();
    }
  };
})();
