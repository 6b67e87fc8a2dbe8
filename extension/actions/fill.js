/** Writing into fields and editors, and reading back what they hold once the page has settled. */

import { enterBy } from '../command-lines.js';
import { awaitEditor } from '../page/main-world.js';
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
  const { data } = await perform(context, 'check-fields', { fields: [field], isForm: false });
  return write(context, field, data.each[0]);
}

/**
 * Every field is looked up before the first is written: a form with a wrong target stays untouched.
 * @param {import('./index.js').Context<'fill-form'>} context
 */
export async function fillForm(context) {
  const { fields } = context.params;
  for (const [index, field] of fields.entries()) {
    try {
      checkMethod(field);
    } catch (error) {
      throw ofField(error, index + 1, fields.length);
    }
  }
  const { data } = await perform(context, 'check-fields', { fields, isForm: true }).catch((error) => {
    const place = error instanceof ActionError ? error.details?.field : undefined;
    throw typeof place === 'number' ? ofField(error, place, fields.length) : error;
  });
  const results = [];
  // What a server makes of the fields is waited for when all are written.
  const { order } = context;
  context.order = { ...order, holds: false };
  for (const [index, field] of fields.entries()) {
    try {
      const { data: written } = await write(context, { ...field, place: index }, data.each[index]);
      results.push({ target: field.target, ...written });
      context.done += 1;
    } catch (error) {
      throw ofField(error, index + 1, fields.length, { results });
    }
  }
  context.order = order;
  const { page } = await settle(context);
  return { data: { results: await lookedAgain(context, results, page) }, page };
}

/** The failure of a field of a form, which it names. @param {unknown} error @param {number} place @param {number} count @param {object} [more] details */
function ofField(error, place, count, more) {
  if (!(error instanceof ActionError)) return error;
  const { code, message, suggestedAction, details } = error;
  return new ActionError(code, `field ${place} of ${count}: ${message}`, {
    suggestedAction,
    details: { ...details, ...more, field: place },
  });
}

/**
 * What the fields of a form hold when all are written: one of them, or the server, may have changed another.
 * @param {import('./index.js').Context<'fill-form'>} context
 * @param {({ target: Field['target'] } & Written['data'])[]} results
 * @param {import('../protocol.js').Page} page as it came to rest
 */
async function lookedAgain(context, results, page) {
  // What was seen in a page that is gone stands.
  if (page.document !== context.document) return results;
  const fields = context.params.fields.map((field, place) => ({ ...field, place }));
  const looked = await perform(context, 'look-again', { fields }).catch(() => null);
  if (looked === null) return results;
  const again = results.map(async (before, place) => {
    const field = fields[place];
    const seen = looked.data.each[place];
    if (seen?.gone) return before;
    // What an editor's own interface was given, that tells.
    const isEditor =
      seen === null ? field.method !== 'direct' && field.method !== 'paste' : seen.editor && !seen.filled;
    const known = isEditor ? await inEditor(context, field, null).catch(() => null) : null;
    if (known !== null) return { target: field.target, ...outcomeOf(field, known) };
    if (seen === null || isEditor) return before;
    const { filled, verifiedValue } = seen;
    return { target: field.target, filled, ...(verifiedValue === undefined ? {} : { verifiedValue }) };
  });
  return Promise.all(again);
}

/**
 * Writes in the first of the ways that is taken. The next one is tried only where a way has left the field as it was.
 * @param {Context} context @param {Field & { place?: number }} field @param {Way[]} ways
 * @returns {Promise<Written>}
 */
async function write(context, field, ways) {
  const [way, ...others] = ways;
  const { untouched, ...written } = await writeBy(context, field, way);
  if (written.data.filled || !untouched || others.length === 0) return written;
  try {
    return await write(context, field, others);
  } catch (error) {
    // That the others do not work either says no more than that the first was not taken.
    if (error instanceof ActionError && error.code === 'ELEMENT_NOT_ACTIONABLE') return written;
    throw error;
  }
}

/** @typedef {'direct' | 'paste' | 'runtime-api'} Way */
/** @typedef {{ data: { filled: boolean, verifiedValue?: string }, page: import('../protocol.js').Page }} Written */

/**
 * @param {Context} context @param {Field & { place?: number }} field @param {Way} way
 * @returns {Promise<Written & { untouched?: boolean }>} `untouched`: the field holds what it held before
 */
async function writeBy(context, field, way) {
  if (way === 'runtime-api') return writeEditor(context, field);
  const { data, after, page } = await act(context, 'fill', { ...field, method: way });
  // The page that the field was in is gone.
  if (after === null) return { data: gone(field), page };
  if (after.gone) {
    const message = data.took
      ? 'the field took the value, and was gone when it was left: read the page to see what became of it'
      : 'the field was gone when it was written: read the page to see what it holds now';
    throw new ActionError('ELEMENT_NOT_ACTIONABLE', message, { suggestedAction: 'bproxy snapshot' });
  }
  if (after.choices) {
    throw new ActionError(
      'ELEMENT_NOT_ACTIONABLE',
      'the field takes only what its list offers, and went back to what it held: choose with select',
      { suggestedAction: enterBy('select', '--option-text', field) },
    );
  }
  const { filled, verifiedValue, editor } = after;
  // An editor may draw only what is near the window: what it holds, its own interface knows.
  if (!filled && editor) {
    const known = await inEditor(context, field, null).catch(() => null);
    if (known !== null) return { data: outcomeOf(field, known), page, untouched: after.untouched };
  }
  // The value of a private field is not told.
  return {
    data: verifiedValue === undefined ? { filled } : { filled, verifiedValue },
    page,
    untouched: after.untouched,
  };
}

/** What an editor's own interface says of what was written. @param {Field} field @param {{ held: string, isSecret: boolean }} known */
const outcomeOf = (field, { held, isSecret }) => {
  const filled = normalized(held) === normalized(field.value);
  return isSecret ? { filled } : { filled, verifiedValue: held };
};

/** The page that the field was in is gone. @param {Field} field */
const gone = (field) => (field.private ? { filled: false } : { filled: false, verifiedValue: '' });

/** @param {Context} context @param {Field} field */
async function writeEditor(context, field) {
  await inEditor(context, field, field.value);
  const { page } = await settle(context);
  // What another document holds is not what was written here.
  if (page.document !== context.document) return { data: gone(field), page };
  return { data: outcomeOf(field, await inEditor(context, field, null)), page };
}

/** Editors differ in line ends and in the last empty line. @param {string} text */
const normalized = (text) =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/\u00a0/g, ' ')
    .replace(/\n+$/, '');

/**
 * Writes into the field's editor, or with null only reads it.
 * @param {Context} context @param {Field} field @param {string | null} value
 * @returns {Promise<{ held: string, isSecret: boolean }>} what the editor holds
 */
async function inEditor(context, field, value) {
  const { target, private: hidden } = field;
  const { driver, tabId, deadline, order } = context;
  const [event, answer] = [drawnName(), drawnName()];
  await driver.runInMainWorld(tabId, awaitEditor, [event, answer, value, deadline], order);
  const handed = { target, event, answer, reads: value === null, private: hidden };
  const { data } = await perform(context, 'hand-over', handed);
  /** @type {{ value?: unknown, problem?: string }} */
  const { value: held, problem } = data.outcome === null ? {} : JSON.parse(data.outcome);
  if (typeof held === 'string') return { held, isSecret: data.isSecret };
  throw new ActionError('ELEMENT_NOT_ACTIONABLE', problem ?? 'the editor’s own interface failed', {
    suggestedAction: enterBy('fill', '--value', field, ' --method paste'),
  });
}

/** A name that no page can listen for. */
const drawnName = () => `e${crypto.randomUUID()}`;

/** @param {Field} field */
function checkMethod(field) {
  const { method = 'auto', world } = field;
  const needed = method === 'runtime-api' ? 'main' : 'isolated';
  if (method !== 'auto' && world !== undefined && world !== needed) {
    throw new ActionError('SCRIPT_ERROR', `fill method ${method} works in world ${needed}, not ${world}`, {
      suggestedAction: enterBy('fill', '--value', field, ` --method ${method} --world ${needed}`),
    });
  }
}
