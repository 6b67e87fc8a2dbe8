/**
 * Waiting until a page has settled after an act: the page tells when nothing is under way in it (`page/rest.js`), and
 * here navigations and requests are known, whose documents and answers are still to come.
 */

import { DocumentGone, PageBlocked } from './browser-errors.js';
import { tabPage } from './page-driver.js';
import { ActionError } from './protocol.js';

/** A page that still changes after this (an animation, a ticker) is reported as not stable. */
const SETTLE_MS = 3_000;
/** A page that leads to others all the time is told of as it is after this. */
const ALL_MS = 12_000;
/** A navigation is given this long to get its document, from its start. */
const NAVIGATION_MS = 10_000;
/** A new document is given this long to be complete: some never are, and can be read and used all the same. */
const PARSE_MS = 3_000;
/** What it then still loads is waited for this long. */
const LOAD_MS = 300;
/** A page that says that it is being left has begun to be after this. */
const LEAVE_MS = 300;
/** Between two looks at a tab between two documents. */
const GONE_MS = 10;

/**
 * @typedef {import('./actions/index.js').Context} Context
 * @typedef {{ after: ActAfter[PageAct] | null, page: import('./protocol.js').Page }} Sample
 *   `after`: what the act reports afterwards; null if its document is gone
 */

/**
 * @param {Context} context
 * @returns {Promise<{ stable: boolean } & Sample>}
 */
export async function settle(context) {
  const { signal, hurry, document, effects, driver, tabId } = context;
  const end = Date.now() + ALL_MS;
  let until = Date.now() + SETTLE_MS;
  let last = null;
  for (;;) {
    signal.throwIfAborted();
    const sampled = await look(context);
    const isOver = Date.now() >= end;
    if (!isOver && (await navigated(context, sampled?.leaving ?? false))) {
      last = null;
      until = Date.now() + SETTLE_MS;
      continue;
    }
    if (sampled === null) {
      if (isOver) return { stable: false, after: null, page: await driver.page(tabId) };
      await pause(GONE_MS);
      continue;
    }
    const { signature, rested, leaving: _, blocked = false, seen, ...rest } = sampled;
    effects.see(seen, rest.page.document === document);
    if (blocked) return { stable: false, ...rest };
    const late = hurry.aborted || isOver || Date.now() >= until;
    if (rested || signature === last) return { stable: !seen.waits, ...rest };
    if (late) return { stable: false, ...rest };
    last = signature;
  }
}

/**
 * Looks at the page; null if it was replaced meanwhile. A page that went to the browser's cache never answers: its tasks
 * stand still.
 * @param {Context} context
 */
async function look({ driver, tabId, order, document, navigations }) {
  /** @type {(event: import('./navigation.js').NavigationEvent) => void} */
  let watcher = () => {};
  /** @type {Promise<null>} */
  const left = new Promise((resolve) => {
    watcher = (event) => {
      if (event.tabId === tabId && event.kind === 'committed') resolve(null);
    };
  });
  navigations.watchers.add(watcher);
  const sampled = sample(driver, tabId, document, order);
  sampled.catch(() => {});
  try {
    return await Promise.race([sampled, left]);
  } finally {
    navigations.watchers.delete(watcher);
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits for the navigation that the act has caused, if it has time left. A page that was loading before is used as it is.
 * @param {Context} context
 * @param {boolean} leaving the page is being left
 * @returns {Promise<boolean>} whether there was one to wait for
 */
async function navigated({ navigations, tabId, signal, hurry, effects }, leaving) {
  const caused = () => {
    const pending = navigations.underWay.get(tabId);
    return pending !== undefined && pending.since >= effects.since ? pending : undefined;
  };
  const wait = async (/** @type {'committed' | 'parsed' | 'load'} */ to, /** @type {number} */ left) => {
    if (left <= 0) return false;
    const waiting = AbortSignal.any([signal, hurry, AbortSignal.timeout(left)]);
    // A download or an address that fails leaves the page, or an error page, to be looked at.
    await navigations.next(tabId, waiting, { joining: true, until: to }).catch(() => {});
    return true;
  };
  for (let until = Date.now() + LEAVE_MS; leaving && caused() === undefined && Date.now() < until; )
    await pause(GONE_MS);
  let pending = caused();
  if (pending === undefined || pending === effects.waitedFor) return false;
  if (pending.document === null) {
    await wait('committed', pending.since + NAVIGATION_MS - Date.now());
    pending = caused();
  }
  if (pending !== undefined && pending.document !== null) {
    effects.waitedFor = pending;
    if (!pending.parsed) await wait('parsed', pending.since + PARSE_MS - Date.now());
    if (caused() === pending) await wait('load', LOAD_MS);
  }
  return true;
}

/**
 * @param {Context['driver']} driver
 * @param {number} tabId
 * @param {string | undefined} actedIn
 * @param {PageOrder} order
 * @returns {Promise<{ signature: string, rested: boolean, leaving: boolean, blocked?: boolean, seen: PageSeen } & Sample | null>} null if the page was replaced meanwhile
 */
async function sample(driver, tabId, actedIn, order) {
  try {
    const { data, page } = await driver.run(tabId, 'settle', { actedIn }, order);
    return { ...data, page };
  } catch (error) {
    if (error instanceof DocumentGone) return null;
    // The act itself was done: a resulting page that cannot be inspected is reported, and is not a failure.
    const reportable =
      error instanceof ActionError && error.code !== 'TAB_NOT_FOUND' && error.code !== 'HUMAN_REQUIRED';
    if (!reportable) throw error;
    const page = tabPage(await driver.tab(tabId));
    const blocked = error instanceof PageBlocked;
    return {
      blocked,
      rested: true,
      leaving: false,
      signature: error.message,
      after: null,
      seen: {},
      page: { ...page, state: 'error' },
    };
  }
}
