/**
 * What a wait looks for in a document, looked at once: the worker asks again and again, because a page that nobody sees
 * has its timers once a second. What changes and what is loaded is noticed from the isolated world, as long as somebody
 * asks.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** How long nothing may happen. */
  const QUIET_MS = 500;
  /** Nobody waits any more who has not asked for so long. */
  const ASKED_MS = 3_000;
  const SAID_MAX = 120;

  const fold = (/** @type {string} */ text) => page.collapse(text).toLowerCase();

  /** @typedef {{ met: boolean, matching: number, there: string }} Look */

  // ---- Elements ----

  /**
   * @param {string | undefined} selector @param {(visible: Element[]) => boolean} isMet
   * @param {(visible: Element[]) => string} [there] where some are visible @returns {Look}
   */
  const elements = (selector = '', isMet, there = ([first]) => `there is ${page.describe(first)}`) => {
    const found = page.query(selector);
    const visible = found.filter(page.visible);
    const none = found.length === 0 ? 'no element matches' : `${found.length} match, none visible`;
    return {
      met: isMet(visible),
      matching: found.length,
      there: visible.length === 0 ? none : there(visible),
    };
  };

  // ---- Texts ----

  /** @param {string} wanted @param {boolean} isWanted @returns {Look} */
  const text = (wanted, isWanted) => {
    const shown = page.shownPage(undefined).replace(/⟦[0-9a-f]+:\d+:\d+⟧/g, ' ');
    const at = fold(shown).indexOf(fold(wanted));
    const said = page.collapse(shown);
    const around = at === -1 ? said : said.slice(Math.max(at - SAID_MAX / 4, 0));
    const beginning = at === -1 ? 'the text begins' : 'it says';
    return {
      met: (at !== -1) === isWanted,
      matching: at === -1 ? Number(said !== '') : 2,
      there: said === '' ? 'no text' : `${beginning} ${JSON.stringify(page.shorten(around, SAID_MAX))}`,
    };
  };

  // ---- Rest ----

  let askedAt = Number.NEGATIVE_INFINITY;
  let changedAt = 0;
  let loadedAt = 0;
  const WHAT = { subtree: true, childList: true, attributes: true, characterData: true };
  const changes = new MutationObserver(() => noticed(() => (changedAt = performance.now())));
  const loads = new PerformanceObserver(() => noticed(() => (loadedAt = performance.now())));
  const noticed = (/** @type {() => void} */ note) => {
    note();
    if (performance.now() - askedAt < ASKED_MS) return;
    changes.disconnect();
    loads.disconnect();
  };

  /** What each part was like when it was looked at last, and since when. @type {Map<string, { like: string, since: number }>} */
  const parts = new Map();

  const watch = () => {
    const now = performance.now();
    if (now - askedAt >= ASKED_MS) {
      changedAt = now;
      loadedAt = now;
      parts.clear();
      loads.disconnect();
      loads.observe({ type: 'resource' });
    }
    askedAt = now;
    // Shadow trees may have been added.
    for (const tree of page.trees()) changes.observe(tree, WHAT);
    if (changes.takeRecords().length > 0) changedAt = now;
    if (loads.takeRecords().length > 0) loadedAt = now;
    return now;
  };

  const ago = (/** @type {number} */ ms) => `${Math.round(ms)} ms ago`;

  /** @param {boolean} minds what is loaded @returns {Look} */
  const quiet = (minds) => {
    const now = watch();
    const since = minds ? Math.max(changedAt, loadedAt) : changedAt;
    const moves = !minds && page.isMoving();
    const isParsed = own.readyState(document) !== 'loading';
    const last = minds && loadedAt > changedAt ? 'something was loaded' : 'the document changed';
    return {
      met: isParsed && !moves && now - since >= QUIET_MS,
      matching: 1,
      there: !isParsed ? 'the document is not complete' : moves ? 'something moves' : `${last} ${ago(now - since)}`,
    };
  };

  /** @param {string} selector @returns {Look} */
  const still = (selector) => {
    const now = watch();
    const like = (/** @type {Element} */ element) => {
      const { x, y, width, height } = page.box(element);
      return [x, y, width, height].map(Math.round).join() + page.textOf(element) + page.states(element);
    };
    return elements(
      selector,
      (visible) => {
        const is = visible.map(like).join('\n');
        const before = parts.get(selector);
        const since = before?.like === is ? before.since : now;
        parts.set(selector, { like: is, since });
        return visible.length > 0 && now - since >= QUIET_MS;
      },
      ([first]) => `${page.describe(first)} changed ${ago(now - (parts.get(selector)?.since ?? now))}`,
    );
  };

  /** @type {Record<PageParams<'condition'>['strategy'], (target: string) => Look>} */
  const LOOKS = {
    selector: (target) => elements(target, (visible) => visible.length > 0),
    gone: (target) => elements(target, (visible) => visible.length === 0),
    enabled: (target) =>
      elements(
        target,
        (visible) => visible.some((element) => !page.disabled(element)),
        ([first]) => `${page.describe(first)} is disabled`,
      ),
    text: (target) => text(target, true),
    'text-gone': (target) => text(target, false),
    stable: (target) => (target === '' ? quiet(false) : still(target)),
    idle: () => quiet(true),
  };

  page.commands.condition = ({ strategy, target }) => {
    page.framed();
    return LOOKS[strategy](target);
  };
})();
