/** Going to an address: waits for the load event of the new document, but not for ever. */

import { RestrictedPage, throwExplained } from '../browser-errors.js';
import { tabPage } from '../page-driver.js';
import { ActionError } from '../protocol.js';

/** A page that is still loading after this is answered with `state: "loading"`: some never end. */
const LOAD_MS = 10_000;
/** A page that is still loading is answered for this long before the deadline, so that the answer arrives in time. */
const ANSWER_MARGIN_MS = 250;

/** @param {import('./index.js').Context<'navigate'>} context */
export async function navigate(context) {
  const { tabId, driver, order } = context;
  const url = await checkUrl(context.params.url);
  const began = performance.now();
  const loaded = loadedPage(tabId, context);
  // If the tab is gone, the update below reports it and this outcome is not read.
  loaded.catch(() => {});
  await chrome.tabs.update(tabId, { url }).catch(throwExplained);
  const { page, status } = await loaded;
  const reason = await signInInterstitial(driver, tabId, url, page, { defer: false, order });
  if (reason !== null) throw new ActionError('HUMAN_REQUIRED', reason, { suggestedAction: 'bproxy session wait' });
  const loadTime = Math.round(performance.now() - began);
  return { data: { url: page.url, title: page.title, loadTime, ...(status ? { status } : {}) }, page };
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
 * @returns {Promise<{ page: import('../protocol.js').Page, status: number | undefined }>}
 */
export async function loadedPage(tabId, { driver, navigations, signal, hurry, deadline, order }) {
  const left = Math.max(0, deadline - Date.now() - ANSWER_MARGIN_MS);
  const enough = AbortSignal.timeout(Math.min(LOAD_MS, left));
  await navigations.next(tabId, AbortSignal.any([signal, hurry]), { enough });
  try {
    const { data, page } = await driver.read(tabId, 'info', {}, order);
    return { page, status: data.status };
  } catch (error) {
    // A page that scripts may not enter (an empty one, a PDF) has been loaded all the same.
    if (error instanceof RestrictedPage) return { page: tabPage(await chrome.tabs.get(tabId)), status: undefined };
    throw error;
  }
}

/**
 * An absolute address with a scheme that an extension can access.
 * @param {string} input
 * @returns {Promise<string>}
 */
export async function checkUrl(input) {
  if (/=…|:…@/.test(input)) {
    throw new ActionError(
      'NAVIGATION_FAILED',
      'a secret was left out of this address when it was read (…): click the link by its handle instead',
      { suggestedAction: 'bproxy links' },
    );
  }
  let url;
  try {
    url = new URL(input);
  } catch {
    throw new ActionError(
      'NAVIGATION_FAILED',
      `${JSON.stringify(input)} is not an absolute address: write it in full, like https://example.org/`,
    );
  }
  if (url.protocol === 'http:' || url.protocol === 'https:' || url.href === 'about:blank') return url.href;
  if (url.protocol === 'file:') {
    if (await chrome.extension.isAllowedFileSchemeAccess()) return url.href;
    throw new ActionError(
      'NAVIGATION_FAILED',
      'bproxy has no access to local files: allow “access to file URLs” on the extension’s details page, or serve the file over http',
    );
  }
  throw new ActionError(
    'NAVIGATION_FAILED',
    `bproxy cannot work in ${url.protocol} pages: use an http or https address`,
  );
}
