/** Writing into fields and editors, and reading back what they hold once the page has come to rest. */

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
  await perform(context, 'check-fields', { targets: [field.target] });
  return write(context, field);
}

/**
 * Every field is looked up before the first is written: a form with a wrong target stays untouched.
 * @param {Context} context
 */
export async function fillForm(context) {
  const fields = /** @type {Field[]} */ (context.params.fields);
  fields.forEach(checkMethod);
  await perform(context, 'check-fields', { targets: fields.map((field) => field.target) });
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
  await perform(context, 'fill', field);
  const { after, page } = await settle(context);
  return { data: { filled: after?.filled ?? false, verifiedValue: after?.verifiedValue ?? '' }, page };
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
