/**
 * The read that a command brings along once the page has come to rest: under the command's own id, in its turn and before
 * its deadline. It fails by itself: what the command did stands.
 */

import { LIMITS } from './contract.js';
import { ActionError, checkParams } from './protocol.js';

/** The read ends this long before the command's deadline, so that the answer arrives in time. */
const SPARE_MS = 500;

/**
 * @typedef {import('./contract.js').Then} Then
 * @typedef {{ code: import('./protocol.js').ErrorCode, message: string, suggestedAction?: string }} ThenError
 */

/**
 * The result of a command that has succeeded, with the read that it brings along.
 * @param {Then} then
 * @param {import('./protocol.js').Result} result
 * @param {Pick<import('./actions/index.js').Context, 'driver' | 'tabId' | 'order' | 'deadline' | 'signal'>
 *   & { actions: (name: import('./contract.js').ActionName) => import('./actions/index.js').Action, now: () => number }} how `signal`: ends the read at once
 * @returns {Promise<import('./protocol.js').Result>}
 */
export async function withRead(
  { action, params = {} },
  result,
  { actions, driver, tabId, order, deadline, signal, now },
) {
  const left = deadline - SPARE_MS - now();
  const late = () => new ActionError('TIMEOUT', `the page was not read in time by ${action}: read it by itself`);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  try {
    const problem = checkParams(action, params);
    if (problem !== null) throw new ActionError('SCRIPT_ERROR', problem);
    if (left <= 0) throw late();
    const running = actions(action)(
      /** @type {any} */ ({ driver, tabId, action, params, order: afterFocus(order, result) }),
    );
    const ended = new Promise((_, reject) => {
      timer = setTimeout(() => reject(late()), left);
      signal.addEventListener('abort', () => reject(signal.reason));
      if (signal.aborted) reject(signal.reason);
    });
    const { data, page } = await Promise.race([running, /** @type {Promise<never>} */ (ended)]);
    // biome-ignore lint/suspicious/noThenProperty: the wire calls it so, and it is no function
    return { data: { ...result.data, then: data }, page };
  } catch (error) {
    return withoutRead(result, whyNot(error, order.session));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The read goes on with the numbers after the one that the act gave to what got the focus.
 * @param {PageOrder} order @param {import('./protocol.js').Result} result @returns {PageOrder}
 */
function afterFocus(order, { data }) {
  const { effects } = /** @type {{ effects?: PageSeen }} */ (data);
  const given = effects?.focus?.n;
  if (order.el === undefined || given === undefined || given < order.el) return order;
  return { ...order, el: given + 1, room: order.el + LIMITS.numbers - (given + 1) };
}

/** @param {unknown} error @param {string | undefined} session @returns {ThenError} */
function whyNot(error, session) {
  if (error instanceof ActionError) {
    const { code, message } = error;
    const suggestedAction = error.next(session);
    return { code, message, ...(suggestedAction === undefined ? {} : { suggestedAction }) };
  }
  return { code: 'SCRIPT_ERROR', message: error instanceof Error ? error.message : String(error) };
}

/**
 * The result of a command without the read that it was to bring along.
 * @param {import('./protocol.js').Result} result @param {ThenError} thenError @returns {import('./protocol.js').Result}
 */
export function withoutRead({ data, page }, thenError) {
  const { then: _, ...own } = /** @type {{ then?: object }} */ (data);
  return { data: { ...own, thenError }, page };
}
