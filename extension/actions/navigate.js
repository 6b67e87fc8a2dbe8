/**
 * Going to a page, by its address, through the history or anew: waits until the new document has come as far as was asked
 * for, but not for ever.
 */

import { RestrictedPage, throwExplained } from '../browser-errors.js';
import { word } from '../command-lines.js';
import { tabPage } from '../page-driver.js';
import { ActionError } from '../protocol.js';

/** A page that is still loading after this is answered with `state: "loading"`: some never end. */
const LOAD_MS = 10_000;
/** A page that is still loading is answered for this long before the deadline, so that the answer arrives in time. */
const ANSWER_MARGIN_MS = 250;

/** @param {import('./index.js').Context<'navigate'>} context */
export async function navigate(context) {
  const { tabId, driver, order } = context;
  const url = await checkUrl(context.params.url, 'navigate');
  const began = performance.now();
  const loaded = loadedPage(tabId, context, { until: context.params.until });
  // If the tab is gone, the update below reports it and this outcome is not read.
  loaded.catch(() => {});
  await chrome.tabs.update(tabId, { url }).catch(throwExplained);
  const { page, status } = await loaded;
  const reason = await signInInterstitial(driver, tabId, url, page, { defer: false, order });
  if (reason !== null) throw new ActionError('HUMAN_REQUIRED', reason, { suggestedAction: 'bproxy session wait' });
  return arrived({ page, status }, began);
}

/** @param {{ page: import('../protocol.js').Page, status: number | undefined }} loaded @param {number} began */
function arrived({ page, status }, began) {
  const loadTime = Math.round(performance.now() - began);
  return { data: { url: page.url, title: page.title, loadTime, ...(status ? { status } : {}) }, page };
}

/** @param {import('./index.js').Context<'reload'>} context */
export async function reload(context) {
  const began = performance.now();
  const loaded = loadedPage(context.tabId, context);
  loaded.catch(() => {});
  await chrome.tabs.reload(context.tabId).catch(throwExplained);
  return arrived(await loaded, began);
}

/** @param {import('./index.js').Context<'back'>} context */
export const back = (context) => through(context, -1);
/** @param {import('./index.js').Context<'forward'>} context */
export const forward = (context) => through(context, 1);

/** A page that goes through its history has begun to after this: if it has not, there is nothing to go to. */
const HISTORY_MS = 1_000;

/**
 * Goes through the page's own history: the browser's passes over entries that no person's hand made.
 * @param {import('./index.js').Context<'back' | 'forward'>} context @param {-1 | 1} by
 */
async function through(context, by) {
  const { tabId, navigations, driver, order, action } = context;
  const began = performance.now();
  const none = new AbortController();
  const restored = new AbortController();
  const fails = () =>
    none.abort(
      new ActionError('NAVIGATION_FAILED', `there is no page to go ${action} to in this tab’s history`, {
        suggestedAction: 'bproxy snapshot',
      }),
    );
  const timer = setTimeout(fails, HISTORY_MS);
  /** @param {import('../navigation.js').NavigationEvent} event */
  const watcher = (event) => {
    if (event.tabId !== tabId) return;
    clearTimeout(timer);
    // A page that the browser has kept comes back as it was, and loads nothing.
    if (event.kind === 'committed') {
      driver.run(tabId, 'info', {}, order).then(
        ({ page }) => page.state === 'ready' && restored.abort(),
        () => {},
      );
    }
  };
  navigations.watchers.add(watcher);
  try {
    const signal = AbortSignal.any([context.signal, none.signal]);
    const loaded = loadedPage(tabId, { ...context, signal }, { restored: restored.signal });
    loaded.catch(() => {});
    const { data } = await driver.run(tabId, 'go', { by }, order);
    if (!data.possible) fails();
    return arrived(await loaded, began);
  } finally {
    clearTimeout(timer);
    navigations.watchers.delete(watcher);
  }
}

/**
 * What a person has to do on a sign-in page that came in place of the page asked for, or null.
 * @param {import('../page-driver.js').PageDriver} driver
 * @param {number} tabId
 * @param {string} asked
 * @param {import('../protocol.js').Page} page
 * @param {{ defer: boolean, order: PageOrder }} how `defer`: the next command in the page reports it
 * @returns {Promise<string | null>}
 */
export async function signInInterstitial(driver, tabId, asked, page, { defer, order }) {
  if (page.url === asked || page.state === 'error' || !page.url.startsWith('http')) return null;
  return driver.read(tabId, 'sign-in-interstitial', { asked, defer }, order).then(
    ({ data }) => data.reason,
    // A page that scripts cannot enter is not a sign-in page.
    () => null,
  );
}

/**
 * Waits for the tab's next navigation and asks the page for its state. One that has a document
 * but has not finished loading in time counts, with `state: "loading"`.
 * @param {number} tabId
 * @param {Pick<import('./index.js').Context, 'driver' | 'navigations' | 'signal' | 'hurry' | 'deadline' | 'order'>} context
 * @param {{ until?: import('../navigation.js').Until, restored?: AbortSignal }} [how] `restored`: from then on a new
 *   document is enough
 * @returns {Promise<{ page: import('../protocol.js').Page, status: number | undefined }>}
 */
export async function loadedPage(tabId, context, { until, restored } = {}) {
  const { driver, navigations, signal, hurry, deadline, order } = context;
  const left = Math.max(0, deadline - Date.now() - ANSWER_MARGIN_MS);
  const timeout = AbortSignal.timeout(Math.min(LOAD_MS, left));
  const enough = restored === undefined ? timeout : AbortSignal.any([timeout, restored]);
  const prepare = (/** @type {import('../navigation.js').NavigationEvent} */ { tabId: inTab, kind }) => {
    if (inTab === tabId && kind === 'committed') driver.prepare(tabId);
  };
  navigations.watchers.add(prepare);
  try {
    await navigations.next(tabId, AbortSignal.any([signal, hurry]), { until, enough });
  } finally {
    navigations.watchers.delete(prepare);
  }
  try {
    const { data, page } = await driver.read(tabId, 'info', {}, order);
    return { page, status: data.status };
  } catch (error) {
    // A page that scripts may not enter (an empty one, a PDF) has been loaded all the same.
    if (error instanceof RestrictedPage) return { page: tabPage(await chrome.tabs.get(tabId)), status: undefined };
    throw error;
  }
}

/** A host with what may follow it, without a scheme: as people write addresses. */
const HOST = /^(localhost|[\w-]+(\.[\w-]+)+)(:\d+)?([/?#]\S*)?$/;

/**
 * An absolute address with a scheme that an extension can access.
 * @param {string} input
 * @param {'navigate' | 'tab open'} verb which is suggested for what was meant
 * @returns {Promise<string>}
 */
export async function checkUrl(input, verb) {
  if (/=…|:…@/.test(input)) {
    throw new ActionError(
      'NAVIGATION_FAILED',
      'a secret was left out of this address when it was read (…): click the link by its handle instead',
      { suggestedAction: 'bproxy links' },
    );
  }
  const url = URL.parse(input);
  const isHost = HOST.test(input);
  if (url === null || isHost) {
    const meant = isHost ? `${/^(localhost|127\.)/.test(input) ? 'http' : 'https'}://${input}` : null;
    throw new ActionError(
      'NAVIGATION_FAILED',
      `${JSON.stringify(input)} is not an absolute address: write it in full, like ${meant ?? 'https://example.org/'}`,
      { suggestedAction: meant === null ? `bproxy ${verb} --help` : `bproxy ${verb} ${word(meant)}` },
    );
  }
  if (url.protocol === 'http:' || url.protocol === 'https:' || url.href === 'about:blank') return url.href;
  if (url.protocol === 'file:') {
    if (await chrome.extension.isAllowedFileSchemeAccess()) return url.href;
    throw new ActionError(
      'NAVIGATION_FAILED',
      'bproxy has no access to local files: allow “access to file URLs” on the extension’s details page, or serve the file over http',
      { suggestedAction: `bproxy ${verb} --help` },
    );
  }
  throw new ActionError(
    'NAVIGATION_FAILED',
    `bproxy cannot work in ${url.protocol} pages: use an http or https address`,
    { suggestedAction: `bproxy ${verb} --help` },
  );
}
