/** Keys: pressed one after the other, or for each character of a text. Each is a step, after which the page goes on. */

import { DocumentGone } from '../browser-errors.js';
import { ActionError } from '../protocol.js';
import { settle } from '../settle.js';
import { perform } from './act.js';

/** @typedef {import('./index.js').Context} AnyContext */

/** How many characters are typed between two looks at whether the page is still the same. */
const PIECE = 50;
/** Longer texts go in by blocks of this many characters, each as one change, as if pasted: by keys they took minutes. */
const KEYS_MAX = 2_000;
const BLOCK = 1_000;

/** @param {import('./index.js').Context<'press'>} context */
export async function press(context) {
  const { keys, target } = context.params;
  for (const [index, key] of keys.entries()) await strike(context, key, index === 0 && target ? { target } : {});
  const { page } = await settle(context);
  return { data: { pressed: keys.length }, page };
}

/** @param {AnyContext} context @param {string} key @param {Pick<PageParams<'press'>, 'target' | 'typing'>} how */
async function strike(context, key, how) {
  const usesClipboard = /^(Control|Meta|Shift)\+/.test(key);
  const clipboard = usesClipboard ? await readClipboard(context.session) : undefined;
  const { data } = await perform(context, 'press', { key, clipboard, ...how });
  context.done += 1;
  if (data.clipboard !== undefined && data.clipboard !== clipboard)
    await writeClipboard(context.session, data.clipboard);
  await release(context, key);
}

/** A key that led to another page comes up there, where nobody waits for it. @param {AnyContext} context @param {string} key */
async function release({ driver, tabId, order, document }, key) {
  try {
    await driver.run(tabId, 'release', { key }, { ...order, document });
  } catch (error) {
    const left = error instanceof DocumentGone || (error instanceof ActionError && error.code === 'PAGE_CHANGED');
    if (!left) throw error;
  }
}

/** @param {import('./index.js').Context<'type'>} context */
export async function type(context) {
  const { text, target, replace = false, private: hidden = false } = context.params;
  const { data } = await perform(context, 'begin-typing', { target, replace, private: hidden });
  if (replace && text === '') await strike(context, 'Delete', { typing: true });
  context.done = 0;
  for (const piece of piecesOf(text, data.multiline ?? false)) {
    if (piece === '\n') await strike(context, 'Enter', { typing: true });
    else if (text.length > KEYS_MAX) await perform(context, 'type-block', { text: piece });
    else await typeKeys(context, piece);
    if (piece !== '\n') context.done += [...piece].length;
  }
  const { after, page } = await settle(context);
  const { value } = /** @type {ActAfter['begin-typing'] | null} */ (after) ?? {};
  return { data: { typed: context.done, ...(value === undefined ? {} : { value }) }, page };
}

/** Types a piece. The page may move the focus from one frame to another in the middle. @param {AnyContext} context @param {string} piece */
async function typeKeys(context, piece) {
  for (let text = piece; text !== ''; ) {
    const { data } = await perform(context, 'type-keys', { text });
    text = text.slice(data.typed ?? text.length);
    if (data.up !== undefined) await release(context, data.up);
  }
}

/**
 * The pieces of a text, in order; a line break is one of its own, where it is not part of a block.
 * @param {string} text @param {boolean} multiline
 */
function* piecesOf(text, multiline) {
  const isLong = text.length > KEYS_MAX;
  const lines = text.replace(/\r\n?/g, '\n').split(isLong && multiline ? /(?!)/ : /(\n)/);
  for (const line of lines) {
    const chars = line === '\n' ? ['\n'] : [...line];
    const size = isLong ? BLOCK : PIECE;
    for (let at = 0; at < chars.length; at += size) yield chars.slice(at, at + size).join('');
  }
}

// ---- The clipboard of each session ----

/** So many sessions, those that used theirs last, have a clipboard. */
const CLIPBOARDS = 16;

/** @param {string} session @returns {Promise<string | undefined>} */
async function readClipboard(session) {
  const { clipboards = [] } = await chrome.storage.session.get('clipboards');
  return new Map(/** @type {[string, string][]} */ (clipboards)).get(session);
}

/** @param {string} session @param {string} text */
async function writeClipboard(session, text) {
  const { clipboards = [] } = await chrome.storage.session.get('clipboards');
  const others = /** @type {[string, string][]} */ (clipboards).filter(([other]) => other !== session);
  await chrome.storage.session.set({ clipboards: [...others.slice(1 - CLIPBOARDS), [session, text]] });
}
