/**
 * The envelopes of the wire contract: how a forwarded command is checked, which errors an action may answer with and how
 * an answer is laid out. The facts about single actions are in `contract.js`.
 * Pure: knows no browser, no clock and no storage.
 *
 * The manifest's `key` fixes the extension's id: afgmhlmdmjjdddecnkgbflnnpopehjmd
 */

import { ACTIONS, LIMITS, VERSIONS } from './contract.js';
import { check, isObject } from './schema.js';

/** The protocol version that hello names: the newest one. */
export const PROTOCOL_VERSION = VERSIONS[VERSIONS.length - 1];

/** Why the daemon closes a socket, beyond the standard codes. */
export const CLOSE = Object.freeze({ REPLACED: 4000, TOKEN_VOID: 4001, INCOMPATIBLE: 4002 });

/**
 * @typedef {import('./contract.js').ActionName} ActionName
 * @typedef {import('./contract.js').ErrorCode} ErrorCode
 * @typedef {{ url: string, title: string, state: 'loading' | 'ready' | 'error', busy: boolean, document?: string }} Page
 *   `document` is the mark of the document, if scripts can enter it.
 * @typedef {{ code: ErrorCode, message: string, suggestedAction?: string, details?: Record<string, unknown> }} Failure
 * @typedef {{ data: object, page: Page }} Result
 */

/**
 * A command as the daemon forwards it. `destructive` is the client's statement that the action changes something: for
 * the log and the person; nothing here depends on it. Whether a command may run again after the browser stopped the
 * extension in the middle of it is decided by `acts` in the contract's table alone.
 * @template {ActionName} [Name=ActionName]
 * @typedef {{
 *   protocol_version: number, id: string, action: Name, params: import('./contract.js').ParamsOf[Name], session: string,
 *   deadline: number, destructive: boolean,
 *   target: { tabId?: number, document?: string, el?: number, ln?: number } | null,
 * }} Command
 */

/**
 * The version to speak with a daemon: its own, if this extension speaks it, or which of the two is too old for the other.
 * A newer daemon adapts by itself.
 * @param {unknown} theirs the newest version that the daemon speaks
 * @returns {number | 'extension_old' | 'daemon_old' | 'incompatible'}
 */
export function negotiate(theirs) {
  if (!Number.isInteger(theirs)) return 'incompatible';
  const version = Number(theirs);
  if (version > PROTOCOL_VERSION) return 'extension_old';
  return VERSIONS.includes(version) ? version : 'daemon_old';
}

/** A failure with a code of the protocol: an action throws it to be answered with it. */
export class ActionError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message what happened, and what to do next
   * @param {{ suggestedAction?: string, details?: Record<string, unknown>, didSomething?: boolean }} [more]
   *   `didSomething`: the act was carried out and did not lead to what was asked for; what came of it belongs to the details
   */
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.suggestedAction = more.suggestedAction;
    this.details = more.details;
    this.didSomething = more.didSomething ?? false;
  }

  /** The command line to run next, which names the session. @param {string | undefined} session */
  next(session) {
    return this.suggestedAction && session ? `${this.suggestedAction} -s ${session}` : this.suggestedAction;
  }
}

/**
 * The daemon relays a success as it is, so its keys and their order are part of the contract.
 * @param {string} id
 * @param {Result} result
 * @param {boolean} replay
 * @param {number} version of the command
 */
export function success(
  id,
  { data, page: { url, title, state, busy, document } },
  replay = false,
  version = PROTOCOL_VERSION,
) {
  return {
    protocol_version: version,
    id,
    ok: true,
    data,
    page: { url, title, state, busy, ...(document === undefined ? {} : { document }) },
    replay,
  };
}

/**
 * The daemon adds the code's category and whether to retry from its own table.
 * @param {string} id
 * @param {Failure} failure
 * @param {boolean} replay
 * @param {number} version of the command
 */
export function failure(id, { code, message, suggestedAction, details }, replay = false, version = PROTOCOL_VERSION) {
  return {
    protocol_version: version,
    id,
    ok: false,
    error: {
      code,
      message,
      ...(suggestedAction === undefined ? {} : { suggestedAction }),
      ...(details === undefined ? {} : { details }),
    },
    replay,
  };
}

const NUMBERS = {
  // The first of the numbers that this command may give to elements, and to links.
  el: { type: 'integer', minimum: 1 },
  ln: { type: 'integer', minimum: 1 },
};
const TAB = {
  type: 'object',
  properties: {
    tabId: { type: 'integer', minimum: 0 },
    // The mark of the document that the client last heard of.
    document: { type: 'string', maxLength: 64 },
    ...NUMBERS,
  },
  required: ['tabId'],
  additionalProperties: false,
};
/** What a command has that opens its tab itself, and brings a read of its page along. */
const NEW_TAB = { type: 'object', properties: NUMBERS, required: ['el', 'ln'], additionalProperties: false };
const ENVELOPE = {
  type: 'object',
  properties: {
    protocol_version: { type: 'integer', minimum: VERSIONS[0], maximum: PROTOCOL_VERSION },
    id: { type: 'string', minLength: 1, maxLength: LIMITS.idChars },
    action: { type: 'string' },
    params: { type: 'object' },
    session: { type: 'string' },
    deadline: { type: 'integer', minimum: 0 },
    destructive: { type: 'boolean' },
    // Null for an action that needs no tab, or one that opens it and brings no read along.
    target: {},
  },
  required: ['protocol_version', 'id', 'action', 'params', 'session', 'deadline', 'destructive', 'target'],
  additionalProperties: false,
};

/**
 * Takes out of a message that it only asks what came of a command: `target.recall`. What is left is the command as it was
 * sent before.
 * @param {Record<string, unknown>} message
 * @returns {{ message: Record<string, unknown>, recall: boolean }}
 */
export function withoutRecall(message) {
  if (!isObject(message.target) || message.target.recall !== true) return { message, recall: false };
  const { recall: _, ...target } = message.target;
  return { message: { ...message, target: 'tabId' in target ? target : null }, recall: true };
}

/**
 * Checks a forwarded command: envelope, then whether the target fits the action, then parameters.
 * @param {unknown} message
 * @returns {string | null} the problem, naming the field
 */
export function checkCommand(message) {
  const problem = check(ENVELOPE, message, 'command');
  if (problem !== null) return problem;
  const { action, params, target } = /** @type {Command} */ (message);
  if (target !== null) {
    const opens =
      isObject(target) && !('tabId' in target) && Object.hasOwn(ACTIONS, action) && !ACTIONS[action].needsTab;
    const wrong = check(opens ? NEW_TAB : TAB, target, 'command.target');
    if (wrong !== null) return wrong;
  } else if (Object.hasOwn(ACTIONS, action) && ACTIONS[action].needsTab) {
    return `command.target is missing: ${action} needs a tab`;
  }
  return checkParams(action, params);
}

/**
 * What is wrong with an action's parameters, or null. The path in the message starts at `params`.
 * @param {string} action
 * @param {unknown} params
 * @returns {string | null}
 */
export function checkParams(action, params) {
  if (!Object.hasOwn(ACTIONS, action)) return `action ${JSON.stringify(action)} is not known to this extension`;
  return check(ACTIONS[/** @type {ActionName} */ (action)].params, params, 'params');
}
