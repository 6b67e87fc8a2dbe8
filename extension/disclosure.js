/**
 * What leaves the browser as a page wrote it: characters that a reader cannot see, or that change the order of others, are
 * written visibly, and secrets are cut out of the addresses that reads tell. Every answer passes here on its way to the
 * daemon.
 */

import { isObject } from './schema.js';

/** Controls but for tab and line feed, bidirectional controls, tag characters. */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Bidi_C}\u{e0000}-\u{e007f}]/gu;
/** The same in a JSON text, where controls up to 1F are written as escapes; escaped backslashes may look like them. */
const UNSEEN_IN_JSON = /[\x7f-\x9f\p{Bidi_C}\u{e0000}-\u{e007f}]|\\[bfru]/u;

/** Names of parameters that hold a secret, whatever it looks like. */
const SECRET_NAME =
  '[\\w.-]*(?:token|secret|passw(?:or)?d|passphrase|pwd|signature|credentials?|jwt|otp|api[_-]?key|session[_-]?id|sid)';
/** Names that hold one where the value looks random: long, of letters and digits. */
const RANDOM_NAME = '(?:code|key|sig|auth|session|hash|state|nonce|ticket|sign)';
const RANDOM_VALUE = '(?=[\\w.~%+-]*\\d)(?=[\\w.~%+-]*[a-z])[\\w.~%+-]{16,}';
/** After what begins a parameter, in a query or a fragment; `;` ends the `&amp;` of HTML. */
const PARAMETER = new RegExp(
  `([?&#;](?:${SECRET_NAME}=(?=[^&#;\\s"'<>\\\\])|${RANDOM_NAME}=(?=${RANDOM_VALUE})))[^&#;\\s"'<>\\\\]+`,
  'gi',
);
/** The password before a host. */
const USERINFO = /(:\/\/[^/?#\s"'<>\\:@]{0,256}):[^/?#\s"'<>\\@]{1,256}@/g;

/** An address, or a text with addresses in it, without the secrets in them. @param {string} text */
export function withoutSecrets(text) {
  return text.replace(PARAMETER, '$1…').replace(USERINFO, '$1:…@');
}

/** A text in which every character can be seen. @param {string} text */
export function visibly(text) {
  return text.replace(UNSEEN, (char) => `\\u{${/** @type {number} */ (char.codePointAt(0)).toString(16)}}`);
}

/**
 * The JSON text of an answer as it may leave the browser. Only what a read, one that a command brought along too, tells of the page is without secrets: the
 * page's own address is what navigations, waits and handles go by.
 * @param {object} answer an envelope
 * @param {{ read: boolean }} what `read`: it answers an action that only reads
 */
export function disclosed(answer, { read }) {
  const text = JSON.stringify(answer);
  const brings = 'data' in answer && isObject(answer.data) && 'then' in answer.data;
  const secrets = (read || brings) && (text.search(PARAMETER) !== -1 || text.search(USERINFO) !== -1);
  if (!secrets && !UNSEEN_IN_JSON.test(text)) return text;
  const { data, ...rest } = /** @type {{ data?: unknown }} */ (rewritten(answer, visibly));
  const told = () => {
    if (read) return rewritten(data, withoutSecrets);
    if (!isObject(data) || !brings) return data;
    // biome-ignore lint/suspicious/noThenProperty: the wire calls it so, and it is no function
    return { ...data, then: rewritten(data.then, withoutSecrets) };
  };
  return JSON.stringify({ ...answer, ...rest, ...('data' in answer ? { data: told() } : {}) });
}

/** A value with each text in it rewritten. @param {unknown} value @param {(text: string) => string} write @returns {unknown} */
function rewritten(value, write) {
  if (typeof value === 'string') return write(value);
  if (Array.isArray(value)) return value.map((item) => rewritten(item, write));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rewritten(item, write)]));
}
