/**
 * Acts in frames: which frame is meant, whether a person could reach what is in it, and what becomes of a frame that is
 * replaced. The document of the frame is asked for the act; each document around it scrolls it into view and says what
 * covers it, up to the top of the page.
 */

import { DocumentGone } from './browser-errors.js';
import { ActionError } from './protocol.js';

/** @typedef {import('./frame-tree.js').Place} Place */

/** The parameters of acts that name elements. */
const TARGETS = ['target', 'trigger', 'from', 'to'];

/**
 * The targets among the parameters of a page command.
 * @param {any} params @returns {any[]}
 */
export function targetsOf(params) {
  const fields = Array.isArray(params.fields) ? params.fields.map((/** @type {any} */ { target }) => target) : [];
  return [...TARGETS.map((name) => params[name]), ...fields].filter((it) => typeof it === 'object' && it !== null);
}

/** The same parameters with each target as the document of its frame knows it. @param {any} params @param {(target: any) => any} inFrame */
export function retargeted(params, inFrame) {
  const changed = { ...params };
  delete changed.frame;
  for (const name of TARGETS) {
    if (typeof params[name] === 'object' && params[name] !== null) changed[name] = inFrame(params[name]);
  }
  if (Array.isArray(params.fields)) {
    changed.fields = params.fields.map((/** @type {any} */ field) => ({ ...field, target: inFrame(field.target) }));
  }
  return changed;
}

/** @param {string} name */
export function frameGone(name) {
  return new ActionError(
    'FRAME_NOT_FOUND',
    `frame ${name} is not on the page, or shows another document now: read the page again`,
    { suggestedAction: 'bproxy frames' },
  );
}

/** @param {Place} root @param {string} name @returns {Place | undefined} */
export function find(root, name) {
  if (root.known?.name === name) return root;
  for (const child of root.children) {
    const found = find(child, name);
    if (found) return found;
  }
  return undefined;
}

/**
 * Scrolls every level into view and fails where something covers it.
 * @param {Place} place
 * @param {any} target what is to be reached in it; undefined for the frame itself
 * @param {(place: Place, command: PageCommandName, params: any) => Promise<{ data: any, page: import('./protocol.js').Page }>} ask
 * @returns {Promise<{ page: import('./protocol.js').Page, shift: { x: number, y: number } }>} the page at the top, and where
 *   the frame is in its window
 */
export async function approach(place, target, ask) {
  let { data, page } = await ask(place, 'approach', target === undefined ? {} : { target });
  const { at: inner } = data;
  for (let at = place; at.parent !== null; at = at.parent) {
    if (at.slot === -1) {
      throw new ActionError(
        'ELEMENT_NOT_ACTIONABLE',
        `frame ${place.known?.name} cannot be acted in: ${at.why ?? 'its place on the page is ambiguous'}`,
      );
    }
    ({ data, page } = await ask(at.parent, 'through', { slot: at.slot, index: at.index, at: data.at }));
  }
  return { page, shift: { x: data.at.x - inner.x, y: data.at.y - inner.y } };
}

/**
 * The failure of an act in a frame, as one of the page. A frame that was replaced before the act is not found; in the
 * middle of it, the page has changed.
 * @param {unknown} error @param {string} name @param {boolean} begun
 */
export function inFrame(error, name, begun) {
  const isGone = error instanceof DocumentGone || (error instanceof ActionError && error.code === 'PAGE_CHANGED');
  if (isGone && !begun) return frameGone(name);
  // Which page there is now is told by who knows the page.
  if (isGone) return new DocumentGone();
  return error;
}
