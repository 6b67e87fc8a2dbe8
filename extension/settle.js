/**
 * Waiting until a page has settled after an act: bounded polling from the worker, whose timers
 * run on when the page is hidden or replaced. No observer in the page, no animation frames.
 */

import { DocumentGone } from './browser-errors.js';
import { tabPage } from './page-driver.js';
import { ActionError } from './protocol.js';

/**
 * A page that is the same in two samples this far apart has settled. Jittered, like everything that a page could
 * measure.
 */
const SAMPLE_MS = [25, 60];
/** A page that still changes after this (an animation, a ticker) is reported as not stable. */
const SETTLE_MS = 3_000;
/** A navigation is given this long to get its document, from its start. */
const NAVIGATION_MS = 10_000;
/** A document is given this long to load: some never end, and can be read and used all the same. */
const LOAD_MS = 3_000;

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
  const { driver, tabId, signal, hurry, order, document, effects } = context;
  let until = Date.now() + SETTLE_MS;
  let last = null;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS[0] + Math.random() * (SAMPLE_MS[1] - SAMPLE_MS[0])));
    signal.throwIfAborted();
    if (await navigated(context)) {
      last = null;
      until = Date.now() + SETTLE_MS;
    }
    const sampled = await sample(driver, tabId, document, order);
    if (sampled === null) continue;
    const { signature, seen, ...rest } = sampled;
    effects.see(seen, rest.page.document === document);
    if (signature === last) return { stable: !seen.waits, ...rest };
    if (hurry.aborted || Date.now() >= until) return { stable: false, ...rest };
    last = signature;
  }
}

/**
 * Waits for the navigation that is under way, if it has time left.
 * @param {Context} context
 * @returns {Promise<boolean>} whether there was one to wait for
 */
async function navigated({ navigations, tabId, signal, hurry }) {
  const pending = navigations.underWay.get(tabId);
  if (pending === undefined) return false;
  const uncommitted = pending.document === null;
  const left = pending.since + (uncommitted ? NAVIGATION_MS : LOAD_MS) - Date.now();
  if (left <= 0) return false;
  const waiting = AbortSignal.any([signal, hurry, AbortSignal.timeout(left)]);
  // A download or an address that fails leaves the page, or an error page, to be sampled.
  await navigations
    .next(tabId, waiting, { joining: true, ...(uncommitted ? { enough: AbortSignal.abort() } : {}) })
    .catch(() => {});
  return true;
}

/**
 * @param {Context['driver']} driver
 * @param {number} tabId
 * @param {string | undefined} actedIn
 * @param {PageOrder} order
 * @returns {Promise<{ signature: string, seen: PageSeen } & Sample | null>} null if the page was replaced meanwhile
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
    return { signature: error.message, after: null, seen: {}, page: { ...page, state: 'error' } };
  }
}
