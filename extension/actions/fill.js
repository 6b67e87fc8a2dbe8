/** Writing into fields and editors, and reading back what they hold once the page has come to rest. */

import { execute } from '../inject.js';
import { editorText } from '../page/main-world.js';
import { ActionError } from '../protocol.js';
import { settle } from '../settle.js';
import { perform } from './act.js';

/**
 * @typedef {import('../dispatch.js').Context} Context
 * @typedef {{ target: import('../protocol.js').Target, value: string, method: string, world: string }} Field
 */

/** @param {Context} context */
export async function fill(context) {
  const field = /** @type {Field} */ (context.params);
  checkMethod(field);
  await perform(context, 'check-fields', { fields: [field] });
  return write(context, field);
}

/**
 * Every field is looked up before the first is written: a form with a wrong target stays untouched.
 * @param {Context} context
 */
export async function fillForm(context) {
  const fields = /** @type {Field[]} */ (context.params.fields);
  fields.forEach(checkMethod);
  await perform(context, 'check-fields', { fields });
  const results = [];
  let page;
  for (const [index, field] of fields.entries()) {
    try {
      const written = await write(context, field);
      results.push({ target: field.target, ...written.data });
      page = written.page;
    } catch (error) {
      if (error instanceof ActionError) {
        const message = `field ${index + 1} of ${fields.length}: ${error.message}`;
        throw new ActionError(error.code, message, { ...error, details: { ...error.details, results } });
      }
      throw error;
    }
  }
  return { data: { results }, page: /** @type {import('../protocol.js').Page} */ (page) };
}

/** @param {Context} context @param {Field} field */
async function write(context, field) {
  if (field.method === 'runtime-api') return writeEditor(context, field);
  await perform(context, 'fill', field);
  const { after, page } = await settle(context);
  return { data: { filled: after?.filled ?? false, verifiedValue: after?.verifiedValue ?? '' }, page };
}

/** @param {Context} context @param {Field} field */
async function writeEditor(context, { target, value }) {
  await inEditor(context, target, value);
  const { page } = await settle(context);
  const held = await inEditor(context, target, null);
  return { data: { filled: meant(held) === meant(value), verifiedValue: held }, page };
}

/** Editors have their own idea of line ends and of the last empty line. @param {string} text */
const meant = (text) =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .replace(/\n+$/, '');

/**
 * Writes into the editor at `target`, or with null only reads it.
 * @param {Context} context @param {import('../protocol.js').Target} target @param {string | null} value
 * @returns {Promise<string>} what the editor holds
 */
async function inEditor({ tabId, deadline }, target, value) {
  const outcome = await execute({
    target: { tabId },
    world: 'MAIN',
    injectImmediately: true,
    func: editorText,
    args: [target, value, deadline],
  });
  if (typeof outcome?.value === 'string') return outcome.value;
  throw new ActionError('ELEMENT_NOT_ACTIONABLE', outcome?.problem ?? 'the editor’s own interface failed', {
    suggestedAction: 'bproxy fill --method paste --world isolated',
  });
}

/** @param {Field} field */
function checkMethod({ method, world }) {
  const needed = method === 'runtime-api' ? 'main' : 'isolated';
  if (world !== needed) {
    throw new ActionError('SCRIPT_ERROR', `fill method ${method} works in world ${needed}, not ${world}`, {
      suggestedAction: `bproxy fill --method ${method} --world ${needed}`,
    });
  }
}
