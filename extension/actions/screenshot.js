/** A picture of what the tab shows now. */

import { explain } from '../browser-errors.js';
import { ActionError } from '../protocol.js';
import { bringToFront } from './tabs.js';

/** Chrome allows two captures a second; a third one is tried again this much later. */
const QUOTA_RETRY_MS = 300;
/** A tab that has just come to the front may not be painted yet: it is captured again this often, this far apart. */
const UNPAINTED_RETRIES = 20;
const UNPAINTED_RETRY_MS = 100;
const PREFIX = 'data:image/png;base64,';

/** @param {import('./index.js').Context<'screenshot'>} context */
export async function screenshot({ driver, tabId, params, signal }) {
  if (params.debugger) {
    throw new ActionError(
      'DEBUGGER_DISABLED',
      'screenshots through the debugger are not available: leave out the debugger flag',
    );
  }
  if (params.activate) await bringToFront(tabId);
  const tab = await driver.tab(tabId);
  if (!tab.active) throw notVisible();
  const picture = await capture(tab.windowId, signal);
  // The person may have switched tabs meanwhile: the picture would show another one.
  const after = await driver.tab(tabId);
  if (!after.active || after.windowId !== tab.windowId) throw notVisible();
  return { data: { base64: picture.slice(PREFIX.length), format: 'png' }, page: await driver.page(tabId) };
}

/** @param {number} windowId @param {AbortSignal} signal @returns {Promise<string>} */
async function capture(windowId, signal) {
  for (let unpainted = 0; ; ) {
    signal.throwIfAborted();
    try {
      return await chrome.tabs.captureVisibleTab(windowId, { format: 'png' });
    } catch (error) {
      const overQuota = /MAX_CAPTURE_VISIBLE_TAB_CALLS_PER_SECOND/.test(String(error));
      const isUnpainted = /readback failed|view is invisible/.test(String(error));
      if (isUnpainted) unpainted += 1;
      if (!overQuota && (!isUnpainted || unpainted > UNPAINTED_RETRIES)) throw explain(error);
      await new Promise((resolve) => setTimeout(resolve, overQuota ? QUOTA_RETRY_MS : UNPAINTED_RETRY_MS));
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
