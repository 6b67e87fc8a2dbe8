/**
 * Checks values against JSON schemas, as much of JSON Schema as the contract uses: closed objects, lists, texts,
 * numbers, booleans, and choices among objects that one required member tells apart. The generator of the contract
 * refuses a schema that needs more.
 */

/**
 * @typedef {{ oneOf: readonly Schema[] } | {
 *   type?: string, properties?: Readonly<Record<string, Schema>>, required?: readonly string[], additionalProperties?: boolean,
 *   items?: Schema, minItems?: number, maxItems?: number, minimum?: number, maximum?: number,
 *   minLength?: number, maxLength?: number, pattern?: string, enum?: readonly string[],
 * }} Schema
 * @typedef {Exclude<Schema, { oneOf: unknown }>} TypedSchema
 */

/**
 * What is wrong with a value, or null.
 * @param {Schema} schema
 * @param {unknown} value
 * @param {string} at the value's path, with which the message starts
 * @returns {string | null}
 */
export function check(schema, value, at) {
  if ('oneOf' in schema) return checkChoice(schema.oneOf, value, at);
  const problem = schema.type === undefined ? null : TYPES[schema.type](schema, value, at);
  if (problem !== null || schema.enum === undefined) return problem;
  const known = schema.enum.includes(/** @type {string} */ (value));
  return known ? null : `${at} must be one of ${schema.enum.join(', ')}`;
}

/** @type {Readonly<Record<string, (schema: TypedSchema, value: unknown, at: string) => string | null>>} */
const TYPES = Object.freeze({
  object: checkObject,
  array: checkArray,
  string: checkText,
  integer: checkInteger,
  number: checkNumber,
  boolean: (_, value, at) => (typeof value === 'boolean' ? null : `${at} must be true or false`),
});

/** @param {readonly Schema[]} choices @param {unknown} value @param {string} at */
function checkChoice(choices, value, at) {
  const names = choices.map((choice) => ('oneOf' in choice ? '' : (choice.required?.[0] ?? '')));
  const present = names.filter((name) => isObject(value) && Object.hasOwn(value, name));
  if (present.length !== 1) return `${at} must have exactly one of ${names.join(', ')}`;
  return check(choices[names.indexOf(present[0])], value, at);
}

/** @param {TypedSchema} schema @param {unknown} value @param {string} at */
function checkObject({ properties = {}, required = [], additionalProperties }, value, at) {
  if (!isObject(value)) return `${at} must be an object`;
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  for (const [name, member] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name);
    if (!known && additionalProperties === false) return `${at}.${name} is not a known field`;
    const problem = known ? check(properties[name], member, `${at}.${name}`) : null;
    if (problem !== null) return problem;
  }
  return null;
}

/** @param {TypedSchema} schema @param {unknown} value @param {string} at */
function checkArray({ items = {}, minItems = 0, maxItems = Infinity }, value, at) {
  if (!Array.isArray(value)) return `${at} must be a list`;
  if (value.length < minItems || value.length > maxItems) return `${at} must have ${range(minItems, maxItems)} entries`;
  for (const [index, item] of value.entries()) {
    const problem = check(items, item, `${at}[${index}]`);
    if (problem !== null) return problem;
  }
  return null;
}

/** @param {TypedSchema} schema @param {unknown} value @param {string} at */
function checkText({ minLength = 0, maxLength = Infinity, pattern }, value, at) {
  if (typeof value !== 'string') return `${at} must be text`;
  if (minLength > 0 || maxLength < Infinity) {
    // JSON Schema and the daemon count code points.
    const length = [...value].length;
    if (length < minLength || length > maxLength) return `${at} must have ${range(minLength, maxLength)} characters`;
  }
  return pattern === undefined || new RegExp(pattern, 'u').test(value) ? null : `${at} must match ${pattern}`;
}

/** @param {TypedSchema} schema @param {unknown} value @param {string} at */
function checkInteger({ minimum = -Infinity, maximum = Infinity }, value, at) {
  if (Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum) return null;
  return `${at} must be an integer, ${range(minimum, maximum)}`;
}

/** @param {TypedSchema} schema @param {unknown} value @param {string} at */
function checkNumber({ minimum = -Infinity, maximum = Infinity }, value, at) {
  if (Number.isFinite(value) && Number(value) >= minimum && Number(value) <= maximum) return null;
  return `${at} must be a number, ${range(minimum, maximum)}`;
}

/** @param {number} low @param {number} high */
function range(low, high) {
  if (high === Infinity) return low === -Infinity ? 'of any size' : `at least ${low}`;
  return low === -Infinity ? `at most ${high}` : `${low} to ${high}`;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
