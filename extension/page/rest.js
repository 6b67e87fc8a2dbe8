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
  /** A frame that does not come in this time is not waited for. */
  const FRAME_MS = 250;
  /** A page that asks for one frame after the other is at rest after so many, if nothing else is under way. */
  const FRAMES = 5;
  /** A page that still changes after this is looked at from outside. */
  const LOOK_MS = 150;
  /** The browser gives no idle period to a page that is always busy. */
  const IDLE_WAIT_MS = 100;

  let changes = 0;
  /** How many animation frames the page has asked for in the last act in which it did so. */
  let frames = 0;
  /** @type {string | undefined} */
  let drawing;
  /** Whether the document is about to be left. */
  let leaving = false;
  const observer = new MutationObserver((records) => {
    changes += records.length;
  });
  const WHAT = { subtree: true, childList: true, attributes: true, characterData: true };

  page.requests.drawing = () => {
    if (drawing !== page.order.act) frames = 0;
    drawing = page.order.act;
    frames += 1;
    return false;
  };

  page.waitsForFrames = () => drawing !== undefined && drawing === page.began?.act;

  const framesAsked = () => (page.waitsForFrames() ? frames : 0);

  page.watch = () => {
    for (const tree of page.trees()) observer.observe(tree, WHAT);
  };

  page.isLeaving = () => leaving;

  const { navigation } = /** @type {{ navigation?: EventTarget }} */ (/** @type {unknown} */ (globalThis));
  /** @param {string} type @param {(event: Event) => void} hears */
  const listen = (type, hears) => navigation && own.addEventListener(navigation, type, hears);
  listen('navigate', (event) => {
    const { destination, downloadRequest } = /** @type {any} */ (event);
    if (!event.isTrusted || destination.sameDocument) return;
    if (downloadRequest === null) leaving = true;
    else page.began?.asked.add(destination.url);
  });
  listen('navigateerror', (event) => {
    if (event.isTrusted) leaving = false;
  });

  /**
   * How long nothing is due, in ms, once the page has nothing to do; 0 if it always has. The timers of a page that nobody
   * sees run once a second, whenever they are due.
   */
  const idle = () =>
    new Promise((resolve) => {
      if (page.isHidden()) return resolve(Infinity);
      const late = setTimeout(resolve, IDLE_WAIT_MS, 0);
      requestIdleCallback((deadline) => {
        clearTimeout(late);
        resolve(deadline.timeRemaining());
      });
    });

  page.rest = async (order) => {
    page.watch();
    const began = performance.now();
    page.waitedSince ||= began;
    let calm = began;
    observer.takeRecords();
    let seen = changes;
    let drawn = 0;
    let count = 0;
    try {
      for (;;) {
        await page.pause(order, QUIET_MS);
        const free = await page.within(order, idle());
        const now = performance.now();
        const draws = !page.isHidden() && drawn !== framesAsked();
        if (changes !== seen || page.isMoving() || page.isAsking(order)) {
          seen = changes;
          calm = now;
          count = 0;
        } else if (
          draws ? count >= FRAMES && now - calm >= FIDGET_MS : free >= LONGEST_IDLE_MS || now - calm >= FIDGET_MS
        ) {
          return true;
        } else if (draws) {
          drawn = framesAsked();
          count += 1;
          // The frames that the page has asked for are drawn then: this one was asked for after them.
          await page.frame(order, FRAME_MS);
        } else {
          // Something is due then.
          await page.pause(order, free);
        }
        if (leaving || (performance.now() - began >= LOOK_MS && !page.isAsking(order))) return false;
      }
    } finally {
      observer.disconnect();
    }
  };

  // This is the last of the page scripts.
  page.isWhole = true;
})();
