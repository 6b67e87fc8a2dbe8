/** A picture of what the tab shows now. */

import { explain } from '../browser-errors.js';
import { ActionError } from '../protocol.js';
import { bringToFront } from './tabs.js';

/** Chrome allows two captures a second; a third one is tried again this much later. */
const QUOTA_RETRY_MS = 300;
/** A tab that has just come to the front may not be painted yet: it is tried again this much later. */
const UNPAINTED_RETRY_MS = 100;
/** A picture that is not there after this never comes: the window may be minimized. */
const PICTURE_MS = 3_000;
/** How long a page may take to say whether it is seen. */
const SAID_MS = 500;
const PREFIX = 'data:image/png;base64,';

/** @param {import('./index.js').Context<'screenshot'>} context */
export async function screenshot({ driver, tabId, params, signal, order }) {
  if (params.debugger) {
    throw new ActionError(
      'DEBUGGER_DISABLED',
      'screenshots through the debugger are not available: leave out the debugger flag',
    );
  }
  if (params.activate) await bringToFront(tabId);
  const until = Date.now() + PICTURE_MS;
  const visible = async () => {
    const tab = await driver.tab(tabId);
    return tab.active && !(await isHidden(driver, tabId, tab, order)) ? tab : null;
  };
  let tab = await visible();
  // A page that has just come to the front hears of it a moment later.
  while (params.activate && tab === null && Date.now() < until - UNPAINTED_RETRY_MS) {
    await pause(UNPAINTED_RETRY_MS, signal);
    tab = await visible();
  }
  if (tab === null) throw notVisible();
  const late = pause(until - Date.now(), signal).then(() => Promise.reject(notVisible()));
  late.catch(() => {});
  const picture = await Promise.race([capture(tab.windowId, signal, until), late]);
  // The person may have switched tabs meanwhile: the picture would show another one.
  const after = await visible();
  if (after?.windowId !== tab.windowId) throw notVisible();
  return { data: { base64: picture.slice(PREFIX.length), format: 'png' }, page: await driver.page(tabId) };
}

/**
 * Whether nobody sees the page of a tab that is in front: other windows cover it, or its window is minimized.
 * @param {import('../page-driver.js').PageDriver} driver @param {number} tabId @param {chrome.tabs.Tab} tab
 * @param {PageOrder} order
 */
async function isHidden(driver, tabId, tab, order) {
  const window = await chrome.windows.get(tab.windowId);
  if (window.state === 'minimized') return true;
  const said = driver.read(tabId, 'info', {}, { ...order, until: Date.now() + SAID_MS }).then(
    ({ data }) => data.hidden,
    // A page that scripts may not enter is pictured as well.
    () => false,
  );
  // Nor does one that is busy, or shows a dialog, have to say anything.
  return Promise.race([said, new Promise((resolve) => setTimeout(resolve, SAID_MS, false))]);
}

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}

/** @param {number} windowId @param {AbortSignal} signal @param {number} until @returns {Promise<string>} */
async function capture(windowId, signal, until) {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await chrome.tabs.captureVisibleTab(windowId, { format: 'png' });
    } catch (error) {
      const overQuota = /MAX_CAPTURE_VISIBLE_TAB_CALLS_PER_SECOND/.test(String(error));
      const isUnpainted = /readback failed|view is invisible/.test(String(error));
      if ((!overQuota && !isUnpainted) || Date.now() >= until) throw explain(error);
      await pause(overQuota ? QUOTA_RETRY_MS : UNPAINTED_RETRY_MS, signal);
    }
  }
}

function notVisible() {
  return new ActionError(
    'TAB_NOT_VISIBLE',
    'only the tab in front can be captured: activate it first, or ask for it with the activate flag',
    {
      suggestedAction: 'bproxy screenshot --activate',
    },
  );
}
