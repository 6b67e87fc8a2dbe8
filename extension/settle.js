/**
 * Waiting for a page to come to rest after an act: bounded polling from the worker, whose timers
 * run on when the page is hidden or replaced. No observer in the page, no animation frames.
 */

import { call, DocumentGone, getTab, tabPage } from './inject.js';
import { ActionError } from './protocol.js';

/** Two looks this far apart that see the same make a page at rest. Jittered, like everything a page could time. */
const LOOK_MS = [25, 60];
/** A page that still changes after this (an animation, a ticker) is reported as not stable. */
const SETTLE_MS = 3_000;
/** A navigation that the act started is given this long to load. */
const NAVIGATION_MS = 10_000;

/**
 * @typedef {{ stable: boolean, after: Record<string, any> | null, page: import('./protocol.js').Page }} Settled
 *   `after`: what the act wanted to know afterwards; null if its document is gone
 */

/**
 * @param {import('./dispatch.js').Context} context
 * @returns {Promise<Settled>}
 */
export async function settle({ tabId, navigations, signal }) {
  const until = Date.now() + SETTLE_MS;
  let last = null;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS[0] + Math.random() * (LOOK_MS[1] - LOOK_MS[0])));
    signal.throwIfAborted();
    if (navigations.underWay.has(tabId)) {
      // A download or an address that fails leaves the page, or an error page, to be looked at below.
      await navigations
        .next(tabId, AbortSignal.any([signal, AbortSignal.timeout(NAVIGATION_MS)]), { joining: true })
        .catch(() => {});
      last = null;
    }
    const seen = await look(tabId);
    if (seen === null) continue;
    if (seen.signature === last) return { stable: true, ...seen };
    if (Date.now() >= until) return { stable: false, ...seen };
    last = seen.signature;
  }
}

/** @param {number} tabId */
async function look(tabId) {
  try {
    const { data, page } = await call(tabId, 'settle');
    return { signature: data.signature, after: /** @type {Record<string, any> | null} */ (data.after), page };
  } catch (error) {
    if (error instanceof DocumentGone) return null;
    // The act itself was done; that it led to a page nobody can look into is worth telling, not failing.
    const told = error instanceof ActionError && error.code !== 'TAB_NOT_FOUND' && error.code !== 'HUMAN_REQUIRED';
    if (!told) throw error;
    const page = tabPage(await getTab(tabId));
    return { signature: error.message, after: null, page: { ...page, state: /** @type {const} */ ('error') } };
  }
}
