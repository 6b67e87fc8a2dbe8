/** Giving files to a page, which asks for them once it is known what takes them. */

import { lendEffects } from '../page/main-transfer.js';
import { ActionError } from '../protocol.js';
import { act } from './act.js';

/** @param {import('./index.js').Context<'upload'>} context */
export async function upload(context) {
  const { driver, tabId, session, signal, files: sessionFiles } = context;
  const { target, files, drop } = context.params;
  // The page runs what it is sent in that order.
  const transfer = `e${crypto.randomUUID()}`;
  driver.runInFrames(tabId, 'MAIN', lendEffects, [transfer]).catch(() => {});
  const given = files.map(({ name, bytes, type }) => ({ name, bytes, type }));
  const { data, after, page } = await sessionFiles
    .lend({ tabId, session, files, signal }, (token) =>
      act(context, 'upload', { target, files: given, token, transfer, ...(drop === undefined ? {} : { drop }) }),
    )
    .finally(() => void driver.runInFrames(tabId, 'ISOLATED', endEffects, [transfer]).catch(() => {}));
  // A page that is replaced at once leaves what was seen at the moment itself.
  const { uploaded } = after ?? data;
  if (uploaded.length > 0) return { data: { uploaded }, page };
  const { hidden } = context.effects.seen;
  throw new ActionError(
    'ELEMENT_NOT_ACTIONABLE',
    `the page was given the files, and nothing shows that it kept any${hidden ? ': it may wait to be drawn, and nobody sees its tab' : ''}: read the page to see what it says`,
    { suggestedAction: hidden ? 'bproxy tab activate' : 'bproxy snapshot' },
  );
}

/** Runs in each frame. @param {string} transfer */
function endEffects(transfer) {
  globalThis.bproxy?.endTransfer?.(transfer);
}
