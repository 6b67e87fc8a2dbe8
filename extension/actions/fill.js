/** Writing into fields and editors, and reading back what they hold once the page has settled. */

import { editorText } from '../page/main-world.js';
import { ActionError } from '../protocol.js';
import { settle } from '../settle.js';
import { act, perform } from './act.js';

/**
 * @typedef {import('./index.js').Context<'fill' | 'fill-form'>} Context
 * @typedef {import('../contract.js').Field} Field
 */

/** @param {import('./index.js').Context<'fill'>} context */
export async function fill(context) {
  const field = context.params;
  checkMethod(field);
  await perform(context, 'check-fields', { fields: [field] });
  return write(context, field);
}

/**
 * Every field is looked up before the first is written: a form with a wrong target stays untouched.
 * @param {import('./index.js').Context<'fill-form'>} context
 */
export async function fillForm(context) {
  const { fields } = context.params;
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
  const { data, after, page } = await act(context, 'fill', field);
  if (after === null || after.gone) {
    const message = data.took
      ? 'the field took the value, and was gone when it was left: read the page to see what became of it'
      : 'the field was gone when it was written: read the page to see what it holds now';
    throw new ActionError('ELEMENT_NOT_ACTIONABLE', message, { suggestedAction: 'bproxy snapshot' });
  }
  if (after.choices) {
    throw new ActionError(
      'ELEMENT_NOT_ACTIONABLE',
      'the field takes only what its list offers, and went back to what it held: choose with select',
      { suggestedAction: 'bproxy select' },
    );
  }
  return { data: { filled: after.filled, verifiedValue: after.verifiedValue }, page };
}

/** @param {Context} context @param {Field} field */
async function writeEditor(context, { target, value }) {
  await inEditor(context, target, value);
  const { page } = await settle(context);
  const held = await inEditor(context, target, null);
  return { data: { filled: normalized(held) === normalized(value), verifiedValue: held }, page };
}

/** Editors differ in line ends and in the last empty line. @param {string} text */
const normalized = (text) =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .replace(/\n+$/, '');

/**
 * Writes into the editor at `target`, or with null only reads it.
 * @param {Context} context @param {import('../contract.js').Target} target @param {string | null} value
 * @returns {Promise<string>} what the editor holds
 */
async function inEditor({ driver, tabId, deadline }, target, value) {
  const outcome = await driver.runInMainWorld(tabId, editorText, [target, value, deadline]);
  const problem = outcome && 'problem' in outcome ? outcome.problem : undefined;
  if (outcome && 'value' in outcome && typeof outcome.value === 'string') return outcome.value;
  throw new ActionError('ELEMENT_NOT_ACTIONABLE', problem ?? 'the editor’s own interface failed', {
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
