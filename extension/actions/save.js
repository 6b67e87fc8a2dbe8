/** The page as one file. */

import { explain } from '../browser-errors.js';
import { ActionError } from '../protocol.js';

/** How often it is tried. */
const TRIES = 20;

/** @param {import('./index.js').Context<'save'>} context */
export async function save({ driver, tabId, params, signal }) {
  const bytes = /** @type {any} */ (new Uint8Array(await captured(tabId, signal)));
  return {
    data: { base64: bytes.toBase64(), format: params.format, bytes: bytes.length },
    page: await driver.page(tabId),
  };
}

/**
 * The browser removes its file once it has handed it over, and then it may be gone before it is read.
 * @param {number} tabId @param {AbortSignal} signal @returns {Promise<ArrayBuffer>}
 */
async function captured(tabId, signal) {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    const blob = await chrome.pageCapture.saveAsMHTML({ tabId }).catch((error) => {
      throw explain(error);
    });
    if (!blob) throw new ActionError('SCRIPT_ERROR', 'the browser did not save the page: read it instead');
    try {
      return await blob.arrayBuffer();
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}
