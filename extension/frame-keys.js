/**
 * Keys in pages with frames: they go to the document that has the focus, which the page itself leads to, and Tab goes from
 * one document to another.
 */

import { find, frameGone } from './frame-acts.js';
import { ActionError } from './protocol.js';

/** Commands for what has the focus, or for what they give it to. */
const FOR_FOCUS = new Set(['press', 'release', 'begin-typing', 'type-keys', 'type-block']);
/** Frames that lead Tab on and on are left alone after so many. */
const FRAMES_MAX = 100;

/** @typedef {import('./frame-tree.js').Place} Place */
/** @typedef {import('./framed-driver.js').FramedDriver} FramedDriver */

/** @param {string} command */
export function goesToFocus(command) {
  return FOR_FOCUS.has(command);
}

/**
 * Asks the document that has the focus.
 * @param {FramedDriver} driver
 * @param {number} tabId
 * @param {PageCommandName} command
 * @param {any} params
 * @param {PageOrder} order
 * @returns {Promise<PageResult<any>>}
 */
export async function atFocus(driver, tabId, command, params, order) {
  let place = await driver.lastIn(tabId, order);
  // A frame that has lost the focus does not know which one has it: the page does.
  if (place !== null) {
    const result = await driver.askIn(tabId, place, command, { ...params, firm: true }, order);
    if (result.data.lost !== true) return follow(driver, tabId, place, result, command, params, order);
    place = null;
  }
  return follow(driver, tabId, null, await driver.ask(tabId, 0, command, params, order), command, params, order);
}

/**
 * Goes down to the document that has the focus, from one that was asked, and with Tab to where that leads.
 * @param {FramedDriver} driver @param {number} tabId @param {Place | null} place null: the page itself
 * @param {PageResult<any>} result @param {PageCommandName} command @param {any} params @param {PageOrder} order
 * @returns {Promise<PageResult<any>>}
 */
export async function follow(driver, tabId, place, result, command, params, order) {
  let [at, answer] = [place, result];
  while (answer.data.inside !== undefined) {
    at = await inside(driver, tabId, at, answer.data.inside, order);
    answer = await driver.askIn(tabId, at, command, params, order);
  }
  await driver.actedIn(tabId, at, order);
  if (answer.data.passed) await tab(driver, tabId, at, answer.data.passed, /^Shift/.test(params.key), order);
  return { ...answer, page: result.page };
}

/**
 * The frame in a slot of a document.
 * @param {FramedDriver} driver @param {number} tabId @param {Place | null} place @param {number} slot @param {PageOrder} order
 */
async function inside(driver, tabId, place, slot, order) {
  const around = await driver.withChildren(tabId, place, order);
  const child = around.children.find((it) => it.slot === slot);
  if (child === undefined) {
    const message =
      'a frame has the focus whose place on the page is ambiguous: name the element that the keys are for';
    throw new ActionError('ELEMENT_NOT_ACTIONABLE', message);
  }
  return child;
}

/**
 * The focus goes on by Tab, from one document to another.
 * @param {FramedDriver} driver @param {number} tabId @param {Place | null} from @param {PagePassed} passed
 * @param {boolean} backward @param {PageOrder} order
 */
async function tab(driver, tabId, from, passed, backward, order) {
  let [place, way] = [from, /** @type {PagePassed | undefined} */ (passed)];
  for (let count = 0; way !== undefined && count < FRAMES_MAX; count += 1) {
    let slot = way.slot;
    if (slot === undefined) {
      const { parent, slot: here } = await driver.withChildren(tabId, place, order);
      // Where a frame stands is not always known.
      if (parent === null || here === -1) return;
      [place, slot] = [parent, here];
    } else {
      const around = await driver.withChildren(tabId, place, order);
      const child = around.children.find((it) => it.slot === slot);
      // The page has taken it away when it heard that the focus leaves.
      if (child === undefined) return;
      if (child.readable && child.visible) [place, slot] = [child, undefined];
    }
    const params = { backward, ...(slot === undefined ? {} : { slot }) };
    ({
      data: { passed: way },
    } = await driver.askIn(tabId, place, 'tab-into', params, order));
    await driver.actedIn(tabId, place, order);
  }
}

/** The place of a document in a tree that was read anew. @param {Place} root @param {Place | null} place */
export function again(root, place) {
  if (place?.known == null) return root;
  const found = find(root, place.known.name);
  if (found === undefined) throw frameGone(place.known.name);
  return found;
}
