/** Opening, closing, pinning and showing tabs. A tab opens in the background; only `activate` brings one to the front. */

import { throwExplained } from '../browser-errors.js';
import { word } from '../command-lines.js';
import { RELOAD } from '../navigation.js';
import { tabPage } from '../page-driver.js';
import { ActionError } from '../protocol.js';
import { checkUrl, loadedPage, signInInterstitial } from './navigate.js';

/** @typedef {import('./index.js').Context} Context */

const NO_PAGE = Object.freeze({ url: '', title: '', state: /** @type {const} */ ('ready'), busy: false });

/** @param {import('./index.js').Context<'tab.open'>} context */
export async function open(context) {
  const { params, session, driver, navigations, groups, signal, order } = context;
  const url = await checkUrl(params.url, 'tab open');
  const own = params.window === 'own';
  const tabId = own ? await inOwnWindow(context, url) : await inBackground(context, url);
  // Chrome answers before the page commits, so that this commit is reported to the daemon.
  navigations.open(tabId, session);
  // The session never gets the tab of a failed open, so nothing would close it later. The deadline may pass while the
  // page hangs.
  const discard = () => {
    navigations.drop(tabId);
    return chrome.tabs.remove(tabId).catch(() => {});
  };
  signal.addEventListener('abort', discard);
  let page;
  try {
    signal.throwIfAborted();
    ({ page } = await loadedPage(tabId, context, { until: params.until }));
    // A tab that needs a person is still open; the next command in it reports that.
    await signInInterstitial(driver, tabId, url, page, { defer: true, order });
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'HUMAN_REQUIRED') {
      await discard();
      throw isNotLoaded(error) ? openAgain(error, params.url) : error;
    }
    page = tabPage(await driver.tab(tabId));
  }
  // Memory saving would discard the page that the session works on.
  void chrome.tabs.update(tabId, { autoDiscardable: false }).catch(() => {});
  // A window of its own needs no group to tell its tabs from the person's.
  if (!own) groups.add(tabId, session);
  navigations.opened(tabId);
  return { data: { tabId, url: page.url }, page };
}

/** @param {unknown} error @returns {error is ActionError} */
const isNotLoaded = (error) => error instanceof ActionError && error.suggestedAction === RELOAD;

/** The same failure for a tab that is gone with it: it cannot be loaded anew. @param {ActionError} error @param {string} url */
const openAgain = ({ code, message, details }, url) =>
  new ActionError(code, message, { details, suggestedAction: `bproxy tab open ${word(url)}` });

/** @param {import('./index.js').Context<'tab.open'>} context @param {string} url */
async function inBackground({ session, groups }, url) {
  const window = (await groups.window(session)) ?? (await normalWindow());
  const tab = await chrome.tabs.create({ url, active: false, ...(window === null ? {} : { windowId: window }) });
  return /** @type {number} */ (tab.id);
}

/**
 * Opens a tab in the session's own window, where it is drawn. The window does not get the focus: neither when it is made,
 * nor with each tab, which is shown only once it is there. It closes with its last tab.
 * @param {import('./index.js').Context<'tab.open'>} context @param {string} url
 * @returns {Promise<number>} the tab
 */
async function inOwnWindow({ session, windows }, url) {
  const known = await windows.of(session);
  const made = known === null ? await chrome.windows.create({ url: 'about:blank', focused: false }) : undefined;
  const windowId = known ?? made?.id;
  if (windowId === undefined) throw new ActionError('SCRIPT_ERROR', 'no window could be opened');
  if (made !== undefined) await windows.keep(session, windowId);
  const tab = await chrome.tabs.create({ url, active: false, windowId });
  const tabId = /** @type {number} */ (tab.id);
  void chrome.tabs.update(tabId, { active: true }).then(
    () => {
      // A window comes with a tab, which is not the session's.
      const blank = made?.tabs?.[0]?.id;
      if (blank !== undefined) void chrome.tabs.remove(blank).catch(() => {});
    },
    () => {},
  );
  return tabId;
}

/** @returns {Promise<number | null>} the window to open in; null lets Chrome make the choice */
async function normalWindow() {
  try {
    const window = await chrome.windows.getLastFocused({ windowTypes: ['normal'] });
    return window.id ?? null;
  } catch {
    const created = await chrome.windows.create({ focused: false });
    return created?.id ?? null;
  }
}

/** @param {Context} context */
export async function close({ tabId, navigations }) {
  await chrome.tabs.remove(tabId).catch(throwExplained);
  navigations.drop(tabId);
  return { data: { closed: true }, page: NO_PAGE };
}

/** @param {Context} context */
export const pin = ({ tabId }) => setPinned(tabId, true);
/** @param {Context} context */
export const unpin = ({ tabId }) => setPinned(tabId, false);

/** @param {number} tabId @param {boolean} pinned */
async function setPinned(tabId, pinned) {
  const tab = await chrome.tabs.update(tabId, { pinned }).catch(throwExplained);
  return { data: { pinned }, page: tabPage(tab) };
}

/** @param {Context} context */
export async function activate({ tabId, driver }) {
  const tab = await bringToFront(tabId);
  await chrome.windows.update(tab.windowId, { focused: true }).catch(throwExplained);
  return { data: { activated: true }, page: await driver.page(tabId) };
}

/**
 * Makes the tab the visible one of its window, and the window not minimized.
 * @param {number} tabId
 */
export async function bringToFront(tabId) {
  const tab = await chrome.tabs.update(tabId, { active: true }).catch(throwExplained);
  if (tab === undefined) throw new ActionError('TAB_NOT_FOUND', 'the tab is gone: open another one');
  const window = await chrome.windows.get(tab.windowId);
  if (window.state === 'minimized') await chrome.windows.update(tab.windowId, { state: 'normal' });
  return tab;
}
