/** Waiting until the page, its address or a download is as it is to be. */

import { DocumentGone } from '../browser-errors.js';
import { tabPage } from '../page-driver.js';
import { ActionError } from '../protocol.js';

/** Often enough to feel immediate, rarely enough not to burden the page. */
const POLL_MS = 100;
/** A look that takes long is repeated later: a page has other things to do for so many times as long. */
const SPARE = 3;
/** A wait that matched nothing must also be answered before the deadline. */
const ANSWER_MARGIN_MS = 200;

/** @typedef {import('./index.js').Context<'wait'>} Context */

/** @param {Context} context */
export async function wait(context) {
  const { tabId, params, deadline, signal, hurry, driver } = context;
  const began = performance.now();
  const until = Math.min(Date.now() + (params.timeout ?? Infinity), deadline - ANSWER_MARGIN_MS);
  const { strategy, target, or = [] } = params;
  const checks = [{ strategy, target }, ...or].map((one) => STRATEGIES[one.strategy](context, one));
  try {
    for (;;) {
      const looked = performance.now();
      for (const [which, check] of checks.entries()) {
        const met = await check.met();
        if (met === null) continue;
        const elapsed = Math.round(performance.now() - began);
        const { page, ...more } = met;
        return { data: { matched: true, elapsed, ...(or.length > 0 ? { which } : {}), ...more }, page };
      }
      const left = hurry.aborted ? 0 : until - Date.now();
      if (left <= 0) {
        const waited = Math.round(performance.now() - began);
        const page = tabPage(await driver.tab(tabId));
        const there = [...new Set(checks.map((check) => check.there(page)))].join('; ');
        const awaited = checks.map((check) => check.awaited).join(', and ');
        throw new ActionError('TIMEOUT', `${awaited} in ${waited} ms: read the page to see what it shows`, {
          suggestedAction: 'bproxy snapshot',
          details: { there },
        });
      }
      const pause = Math.max(POLL_MS, SPARE * (performance.now() - looked));
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
      signal.throwIfAborted();
    }
  } finally {
    for (const check of checks) check.end?.();
  }
}

/**
 * `met`: the page, once the condition is met, and what is told besides. `awaited`: what did not happen, and `there`: what
 * was there instead, for a wait that has come to its end.
 * @typedef {import('../protocol.js').Page} Page
 * @typedef {import('../contract.js').WaitData} Data
 * @typedef {Pick<Data, 'download'> & { page: Page }} Met
 * @typedef {{ met: () => Promise<Met | null>, end?: () => void, awaited: string, there: (page: Page) => string }} Check
 * @typedef {Context['params']['strategy']} Strategy
 * @typedef {{ target?: string }} One
 */

/**
 * What the page itself is asked for.
 * @param {PageParams<'condition'>['strategy']} strategy @param {(target: string) => string} awaited
 * @returns {(context: Context, one: One) => Check}
 */
const inPage =
  (strategy, awaited) =>
  ({ driver, tabId, params, order, navigations }, { target = '' }) => {
    let there = '';
    return {
      met: async () => {
        // A page that another one is about to replace only seems to be at rest.
        const isLeft = navigations.underWay.get(tabId)?.document === null;
        if (isLeft && (strategy === 'stable' || strategy === 'idle')) {
          there = 'a page is on its way';
          return null;
        }
        try {
          const { data, page } = await driver.read(
            tabId,
            'condition',
            { strategy, target, frame: params.frame },
            order,
          );
          there = data.there;
          return data.met ? { page } : null;
        } catch (error) {
          // Between two documents there is no page to check.
          if (error instanceof DocumentGone || (error instanceof ActionError && error.code === 'NAVIGATION_FAILED')) {
            return null;
          }
          throw error;
        }
      },
      awaited: awaited(target),
      there: (page) => `${there === '' ? 'no page that answers' : there}, on ${named(page)}`,
    };
  };

/** @type {Record<Strategy, (context: Context, one: One) => Check>} */
const STRATEGIES = {
  selector: inPage('selector', (target) => `no visible element matched ${JSON.stringify(target)}`),
  gone: inPage('gone', (target) => `what matches ${JSON.stringify(target)} was not gone`),
  enabled: inPage('enabled', (target) => `nothing that matches ${JSON.stringify(target)} was enabled`),
  text: inPage('text', (target) => `the page did not show ${JSON.stringify(target)}`),
  'text-gone': inPage('text-gone', (target) => `the page did not cease to show ${JSON.stringify(target)}`),
  stable: inPage(
    'stable',
    (target) => `${target === '' ? 'the page' : `what matches ${JSON.stringify(target)}`} did not come to rest`,
  ),
  idle: inPage('idle', () => 'the page did not become idle'),
  url: ({ driver, tabId }, { target = '' }) => ({
    met: async () => {
      const tab = await driver.tab(tabId);
      return matches(target, tab.url ?? '') ? { page: await driver.page(tabId) } : null;
    },
    awaited: `the address did not match ${JSON.stringify(target)}`,
    there: named,
  }),
  navigation: ({ driver, tabId, navigations }, { target = '' }) => {
    let arrived = false;
    /** @param {import('../navigation.js').NavigationEvent} event */
    const watcher = (event) => {
      if (event.tabId === tabId && (event.kind === 'loaded' || event.kind === 'moved')) {
        arrived ||= matches(target, event.url);
      }
    };
    navigations.watchers.add(watcher);
    return {
      met: async () => (arrived ? { page: await driver.page(tabId) } : null),
      end: () => void navigations.watchers.delete(watcher),
      awaited: `no page that matches ${JSON.stringify(target)} has finished loading`,
      there: named,
    };
  },
  download: ({ driver, tabId, session, downloads, effects }, { target = '' }) => {
    let there = '';
    downloads.watch(tabId, effects, session);
    return {
      met: async () => {
        const found = await downloads.lookFor(effects, session, target);
        there = found.there;
        return found.complete ? { page: await driver.page(tabId), download: found.complete } : null;
      },
      end: () => downloads.unwatch(effects),
      awaited: `no download${target === '' ? '' : ` of ${JSON.stringify(target)}`} was complete`,
      there: () => there,
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
