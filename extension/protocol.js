/**
 * The wire contract as the extension sees it: the version, the shape of a forwarded command, the
 * parameters of every action, the errors it may answer with and how an answer is laid out.
 * Pure: knows no browser, no clock and no storage.
 *
 * The manifest's `key` fixes the extension's id: afgmhlmdmjjdddecnkgbflnnpopehjmd
 */

/** The protocol versions that this extension speaks, oldest first. */
export const VERSIONS = Object.freeze([1]);
/** The one that it says hello with. */
export const PROTOCOL_VERSION = VERSIONS[VERSIONS.length - 1];
export const DEFAULT_PORT = 9615;
export const SUBPROTOCOL = 'bproxy.v1';

/** Why the daemon closes a socket, beyond the standard codes. */
export const CLOSE = Object.freeze({ REPLACED: 4000, TOKEN_VOID: 4001, INCOMPATIBLE: 4002 });

/**
 * @typedef {{ selector: string }
 *   | { route: { hosts: { selector: string, index?: number }[], target: string } }} Target
 * @typedef {{ url: string, title: string, state: 'loading' | 'ready' | 'error', busy: boolean }} Page
 * @typedef {{ code: string, message: string, suggestedAction?: string, details?: Record<string, unknown> }} Failure
 * @typedef {{
 *   protocol_version: number, id: string, action: string, params: Record<string, any>, session: string,
 *   deadline: number, destructive: boolean, target: { tabId: number } | null,
 * }} Command
 * @typedef {{ data: Record<string, unknown>, page: Page }} Result
 */

/**
 * What to speak with a daemon: its own version, if that is spoken here, or who of the two is too old for the other.
 * A newer daemon decides that by itself.
 * @param {unknown} theirs the newest version that the daemon speaks
 * @returns {number | 'extension_old' | 'daemon_old' | 'incompatible'}
 */
export function agree(theirs) {
  if (!Number.isInteger(theirs)) return 'incompatible';
  const version = Number(theirs);
  if (version > PROTOCOL_VERSION) return 'extension_old';
  return VERSIONS.includes(version) ? version : 'daemon_old';
}

/** @type {Readonly<Record<string, [category: string, retry: string]>>} */
const ERRORS = Object.freeze({
  TIMEOUT: ['transport', 'conditional'],
  HUMAN_REQUIRED: ['policy', 'conditional'],
  DEBUGGER_DISABLED: ['policy', 'never'],
  TAB_NOT_FOUND: ['target', 'conditional'],
  ELEMENT_NOT_FOUND: ['target', 'conditional'],
  ELEMENT_NOT_ACTIONABLE: ['target', 'conditional'],
  SELECTOR_AMBIGUOUS: ['target', 'conditional'],
  SCRIPT_ERROR: ['execution', 'conditional'],
  NAVIGATION_FAILED: ['execution', 'conditional'],
  TAB_NOT_VISIBLE: ['execution', 'conditional'],
});

/** A failure with a protocol code: what an action throws to be answered with it. */
export class ActionError extends Error {
  /**
   * @param {string} code
   * @param {string} message what happened, and what to do next
   * @param {{ suggestedAction?: string, details?: Record<string, unknown> }} [more]
   */
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.suggestedAction = more.suggestedAction;
    this.details = more.details;
  }
}

/**
 * The daemon relays a success as it is, so its keys and their order are part of the contract.
 * @param {string} id
 * @param {Result} result
 * @param {boolean} replay
 * @param {number} version of the command
 */
export function success(id, { data, page }, replay = false, version = PROTOCOL_VERSION) {
  return {
    protocol_version: version,
    id,
    ok: true,
    data,
    page: { url: page.url, title: page.title, state: page.state, busy: page.busy },
    replay,
  };
}

/**
 * @param {string} id
 * @param {Failure} failure
 * @param {boolean} replay
 * @param {number} version of the command
 */
export function failure(id, { code, message, suggestedAction, details }, replay = false, version = PROTOCOL_VERSION) {
  const [category, retry] = ERRORS[code] ?? ERRORS.SCRIPT_ERROR;
  return {
    protocol_version: version,
    id,
    ok: false,
    error: {
      code,
      category,
      retry,
      message,
      ...(suggestedAction === undefined ? {} : { suggestedAction }),
      ...(details === undefined ? {} : { details }),
    },
    replay,
  };
}

// ---- Parameters. A rule says what is wrong with a value, or null; `at` is the field's path. ----

/** @typedef {(value: unknown, at: string) => string | null} Rule */

/** @type {Rule} */
const text = (value, at) => (typeof value === 'string' ? null : `${at} must be text`);
/** @type {Rule} */
const bool = (value, at) => (typeof value === 'boolean' ? null : `${at} must be true or false`);
/** @type {(low: number, high?: number) => Rule} */
const int =
  (low, high = Number.MAX_SAFE_INTEGER) =>
  (value, at) =>
    Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high
      ? null
      : `${at} must be an integer ${high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`}`;
/** @type {(...words: string[]) => Rule} */
const oneOf =
  (...words) =>
  (value, at) =>
    words.includes(/** @type {string} */ (value)) ? null : `${at} must be one of ${words.join(', ')}`;
/** @type {(pattern: RegExp, like: string) => Rule} */
const match = (pattern, like) => (value, at) =>
  typeof value === 'string' && pattern.test(value) ? null : `${at} must look like ${like}`;
/** @type {(rule: Rule, low: number, high: number) => Rule} */
const list = (rule, low, high) => (value, at) => {
  if (!Array.isArray(value)) return `${at} must be a list`;
  if (value.length < low || value.length > high) return `${at} must have ${low} to ${high} entries`;
  return first(value.map((entry, i) => rule(entry, `${at}[${i}]`)));
};
/** @type {(required: Record<string, Rule>, optional?: Record<string, Rule>) => Rule} */
const shape =
  (required, optional = {}) =>
  (value, at) => {
    if (!isObject(value)) return `${at} must be an object`;
    for (const key of Object.keys(required)) if (!Object.hasOwn(value, key)) return `${at}.${key} is missing`;
    return first(
      Object.entries(value).map(([key, field]) => {
        const rule = Object.hasOwn(required, key) ? required[key] : Object.hasOwn(optional, key) ? optional[key] : null;
        return rule === null ? `${at}.${key} is not a known field` : rule(field, `${at}.${key}`);
      }),
    );
  };
const first = (/** @type {(string | null)[]} */ problems) => problems.find((problem) => problem !== null) ?? null;

const TARGETS = {
  selector: text,
  route: shape({ hosts: list(shape({ selector: text }, { index: int(0) }), 1, 100), target: text }),
  handle: match(/^(el|ln)[0-9]+$/, 'el1 or ln1'),
};
/** @type {Rule} */
const target = (value, at) => {
  if (!isObject(value) || Object.keys(value).length !== 1 || !Object.hasOwn(TARGETS, Object.keys(value)[0])) {
    return `${at} must have exactly one of selector, route, handle`;
  }
  return shape({}, TARGETS)(value, at);
};

const tab = match(/^t[0-9]+$/, 't1');
const method = oneOf('direct', 'paste', 'runtime-api');
const world = oneOf('isolated', 'main');
const field = { target, value: text, method, world };
const tabParams = shape({}, { tab });

/** The forwarded actions and what each takes. @type {Readonly<Record<string, Rule>>} */
const PARAMS = Object.freeze({
  'tab.open': shape({ url: text }),
  'tab.close': tabParams,
  'tab.pin': tabParams,
  'tab.unpin': tabParams,
  'tab.activate': tabParams,
  navigate: shape({ url: text }),
  text: shape({}, { selector: text }),
  links: shape({}, { selector: text, visibleOnly: bool, limit: int(1, 5000), hrefContains: text, offset: int(0) }),
  images: shape({}, { selector: text }),
  elements: shape({}, { form: bool }),
  outline: shape({}),
  dom: shape({}, { selector: text, depth: int(1, 50) }),
  inspect: shape({ selector: text }, { properties: list(text, 0, 50), limit: int(1, 50) }),
  snapshot: shape({}, { selector: text, maxDepth: int(1, 12), interactiveOnly: bool }),
  scroll: shape(
    {},
    {
      target,
      by: match(/^(viewport|half|end|[0-9]+px)$/, 'viewport, half, end or 300px'),
      direction: oneOf('up', 'down'),
    },
  ),
  click: shape({ target }),
  hover: shape({ target }),
  fill: shape(field),
  'fill-form': shape({ fields: list(shape(field), 1, 100) }),
  select: shape({ trigger: target, optionText: text }),
  screenshot: shape({}, { activate: bool, debugger: bool }),
  wait: shape({ strategy: oneOf('selector', 'url', 'navigation'), target: text }, { timeout: int(0, 600_000) }),
  'require-human': shape({ reason: text }, { forAttach: text }),
  'debug.log': shape({}, { id: text, limit: int(1, 1000) }),
});

export const FORWARDED_ACTIONS = Object.freeze(Object.keys(PARAMS));

/**
 * What is wrong with an action's parameters, or null. The path in the message starts at `params`.
 * @param {string} action
 * @param {unknown} params
 * @returns {string | null}
 */
export function checkParams(action, params) {
  if (!Object.hasOwn(PARAMS, action)) return `action ${JSON.stringify(action)} is not known to this extension`;
  return PARAMS[action](params, 'params');
}

/** @type {Rule} */
const envelope = shape({
  protocol_version: (value, at) =>
    typeof value === 'number' && VERSIONS.includes(value) ? null : `${at} must be one of ${VERSIONS.join(', ')}`,
  id: (value, at) =>
    typeof value === 'string' && value !== '' && value.length <= 128 ? null : `${at} must be 1 to 128 characters`,
  action: text,
  params: (value, at) => (isObject(value) ? null : `${at} must be an object`),
  session: text,
  deadline: int(0),
  destructive: bool,
  target: (value, at) => (value === null ? null : shape({ tabId: int(0) })(value, at)),
});

/**
 * Checks a forwarded command: envelope, then parameters, then that the target fits the action.
 * @param {unknown} message
 * @returns {string | null} the problem, naming the field
 */
export function checkCommand(message) {
  const problem = envelope(message, 'command');
  if (problem !== null) return problem;
  const { action, params, target: where } = /** @type {Command} */ (message);
  if (action !== 'tab.open' && where === null) return `command.target is missing: ${action} needs a tab`;
  return checkParams(action, params);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
