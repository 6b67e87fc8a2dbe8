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
  const { tabId, params, session, deadline, signal, hurry, driver } = context;
  const began = performance.now();
  const until = Math.min(Date.now() + (params.timeout ?? Infinity), deadline - ANSWER_MARGIN_MS);
  const check = STRATEGIES[params.strategy](context);
  try {
    for (;;) {
      const page = await check.met();
      if (page !== null) return { data: { matched: true, elapsed: Math.round(performance.now() - began) }, page };
      const left = hurry.aborted ? 0 : until - Date.now();
      if (left <= 0) {
        const waited = Math.round(performance.now() - began);
        throw new ActionError('TIMEOUT', `${check.awaited} in ${waited} ms: read the page to see what it shows`, {
          suggestedAction: `bproxy snapshot -s ${session}`,
          details: { there: check.there(tabPage(await driver.tab(tabId))) },
        });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_MS, left)));
      signal.throwIfAborted();
    }
  } finally {
    check.end?.();
  }
}

/**
 * `met`: the page, once the condition is met. `awaited`: what did not happen, and `there`: what was there instead, for a
 * wait that has come to its end.
 * @typedef {import('../protocol.js').Page} Page
 * @typedef {{
 *   met: () => Promise<Page | null>, end?: () => void, awaited: string, there: (page: Page) => string,
 * }} Check
 * @type {Record<Context['params']['strategy'], (context: Context) => Check>}
 */
const STRATEGIES = {
  selector: ({ driver, tabId, params, order }) => {
    let matching = 0;
    return {
      met: async () => {
        try {
          const { data, page } = await driver.read(
            tabId,
            'present',
            { selector: params.target, frame: params.frame },
            order,
          );
          matching = data.matching;
          return data.present ? page : null;
        } catch (error) {
          // Between two documents there is no page to check.
          if (error instanceof DocumentGone || (error instanceof ActionError && error.code === 'NAVIGATION_FAILED')) {
            return null;
          }
          throw error;
        }
      },
      awaited: `no visible element matched ${JSON.stringify(params.target)}`,
      there: (page) =>
        `${matching === 0 ? 'no element matches' : `${matching} match, none visible`}, on ${named(page)}`,
    };
  },
  url: ({ driver, tabId, params }) => ({
    met: async () => {
      const tab = await driver.tab(tabId);
      return matches(params.target, tab.url ?? '') ? driver.page(tabId) : null;
    },
    awaited: `the address did not match ${JSON.stringify(params.target)}`,
    there: named,
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
      met: async () => (arrived ? driver.page(tabId) : null),
      end: () => void navigations.watchers.delete(watcher),
      awaited: `no page that matches ${JSON.stringify(params.target)} has finished loading`,
      there: named,
    };
  },
};

/** @param {Page} page */
const named = ({ url, title }) => (title === '' ? url : `${url} ${JSON.stringify(title)}`);

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
