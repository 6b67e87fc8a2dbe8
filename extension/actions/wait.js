/** Waiting for an element, an address or the next page. */

import { DocumentGone } from '../browser-errors.js';
import { tabPage } from '../page-driver.js';
import { ActionError } from '../protocol.js';

/** Often enough to feel immediate, rarely enough not to burden the page. */
const POLL_MS = 100;
/** A wait that matched nothing must also be answered before the deadline. */
const ANSWER_MARGIN_MS = 200;

/** @typedef {import('./index.js').Context<'wait'>} Context */

/** @param {Context} context */
export async function wait(context) {
  const { tabId, params, deadline, signal, hurry, driver } = context;
  const began = performance.now();
  const until = Math.min(Date.now() + (params.timeout ?? Infinity), deadline - ANSWER_MARGIN_MS);
  const check = STRATEGIES[params.strategy](context);
  try {
    for (;;) {
      const page = await check.met();
      if (page !== null) return { data: { matched: true, elapsed: Math.round(performance.now() - began) }, page };
      const left = hurry.aborted ? 0 : until - Date.now();
      if (left <= 0) {
        return {
          data: { matched: false, elapsed: Math.round(performance.now() - began) },
          page: tabPage(await driver.tab(tabId)),
        };
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_MS, left)));
      signal.throwIfAborted();
    }
  } finally {
    check.end?.();
  }
}

/**
 * @typedef {{ met: () => Promise<import('../protocol.js').Page | null>, end?: () => void }} Check
 * @type {Record<Context['params']['strategy'], (context: Context) => Check>}
 */
const STRATEGIES = {
  selector: ({ driver, tabId, params }) => ({
    met: async () => {
      try {
        const { data, page } = await driver.read(tabId, 'present', { selector: params.target });
        return data.present ? page : null;
      } catch (error) {
        // Between two documents there is no page to check.
        if (error instanceof DocumentGone || (error instanceof ActionError && error.code === 'NAVIGATION_FAILED')) {
          return null;
        }
        throw error;
      }
    },
  }),
  url: ({ driver, tabId, params }) => ({
    met: async () => {
      const tab = await driver.tab(tabId);
      return matches(params.target, tab.url ?? '') ? tabPage(tab) : null;
    },
  }),
  navigation: ({ driver, tabId, params, navigations }) => {
    let arrived = false;
    /** @param {import('../navigation.js').NavigationEvent} event */
    const watcher = (event) => {
      if (event.tabId === tabId && (event.kind === 'loaded' || event.kind === 'moved')) {
        arrived ||= matches(params.target, event.url);
      }
    };
    navigations.watchers.add(watcher);
    return {
      met: async () => (arrived ? tabPage(await driver.tab(tabId)) : null),
      end: () => void navigations.watchers.delete(watcher),
    };
  },
};

/**
 * A pattern with a `*` must match the whole address, one without it a part. Each part between two `*` is taken where it
 * is found first, which never rules a match out: nothing is tried twice, whatever the pattern and the address.
 * @param {string} pattern @param {string} url
 */
export function matches(pattern, url) {
  const [first, ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return url.includes(pattern);
  const end = url.length - last.length;
  if (!url.startsWith(first) || !url.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = url.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end;
}
