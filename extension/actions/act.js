/** Acts of the pointer and the wheel: done in the page, then reported once the page has settled. */

import { DocumentGone } from '../browser-errors.js';
import { lendEffects } from '../page/main-transfer.js';
import { ActionError } from '../protocol.js';
import { settle } from '../settle.js';

/**
 * @template {import('../contract.js').ActionName} Name
 * @typedef {import('./index.js').Context<Name>} Context
 */
/** What every act needs of its context. @typedef {import('./index.js').Context} AnyContext */

/** @param {Context<'click'>} context */
export async function click(context) {
  const { stable, after, page } = await act(context, 'click', context.params);
  return { data: { clicked: true, disappeared: after?.disappeared ?? true, stable }, page };
}

/** @param {Context<'hover'>} context */
export async function hover(context) {
  const began = performance.now();
  const { stable, page } = await act({ ...context, document: undefined }, 'hover', context.params);
  return { data: { hovered: true, stable, elapsed: Math.round(performance.now() - began) }, page };
}

/** @param {Context<'drag'>} context */
export async function drag(context) {
  // The page runs what it is sent in that order.
  const transfer = `e${crypto.randomUUID()}`;
  context.driver.runInMainWorld(context.tabId, lendEffects, [transfer]).catch(() => {});
  const { stable, page } = await act(context, 'drag', { ...context.params, transfer });
  return { data: { dragged: true, stable }, page };
}

/** @param {Context<'select-text'>} context */
export async function selectText(context) {
  const { after, page } = await act(context, 'select-text', context.params);
  return { data: { selected: after?.selected ?? '' }, page };
}

/** @param {Context<'scroll'>} context */
export async function scroll(context) {
  // Without a target any page will do.
  const where = context.params.target === undefined ? { ...context, document: undefined } : context;
  const { data: start, stable, after, page } = await act(where, 'scroll', context.params);
  const now = after?.position ?? start.before;
  return {
    data: {
      target: start.target,
      before: start.before,
      after: now,
      scrolledPx: Math.abs(now - start.before),
      moved: now !== start.before,
      stable,
      ...(after === null ? {} : { scrollHeight: after.scrollHeight, clientHeight: after.clientHeight }),
    },
    page,
  };
}

/** A list that opens on a click is searched for this long, and this often, before its option counts as missing. */
const OPTION_MS = 800;
/** The same where nobody sees the page: its timers run once a second. */
const HIDDEN_OPTION_MS = 2_500;
const OPTION_LOOK_MS = 50;

/** @param {Context<'select'>} context */
export async function select(context) {
  const { trigger, optionText } = context.params;
  const native = await act(context, 'select', { trigger, optionText });
  if (native.data.opened) context.done = 1;
  const { data, after, page } = native.data.opened ? await chooseInList(context, optionText) : native;
  // A page that is replaced at once leaves what was seen at the press.
  if (after?.selected ?? data.selected) {
    return { data: { selected: true, optionText: after?.optionText ?? optionText }, page };
  }
  throw new ActionError(
    'ELEMENT_NOT_ACTIONABLE',
    `the option ${JSON.stringify(optionText)} was pressed, but nothing shows that it is chosen: read the page to see what it holds now`,
    { suggestedAction: 'bproxy snapshot' },
  );
}

/** Chooses an option of the list that is open, and closes what stays open. @param {Context<'select'>} context @param {string} optionText */
async function chooseInList(context, optionText) {
  let chosen;
  try {
    chosen = await chooseOption(context, optionText);
  } catch (error) {
    await act(context, 'close-list', { optionText: null, by: 'key' }).catch(() => {});
    throw error;
  }
  for (const by of /** @type {const} */ (['key', 'press'])) {
    if (!chosen.after?.open) break;
    const { after, page } = await act(context, 'close-list', { optionText, by });
    chosen = { ...chosen, after: /** @type {ActAfter['choose'] | null} */ (after), page };
  }
  return chosen;
}

/** @param {Context<'select'>} context @param {string} optionText */
async function chooseOption(context, optionText) {
  const patience = () => Date.now() + (context.effects.seen.hidden ? HIDDEN_OPTION_MS : OPTION_MS);
  let searched = false;
  let until = patience();
  for (;;) {
    try {
      return await act(context, 'choose', { optionText });
    } catch (error) {
      const missing = error instanceof ActionError && error.code === 'ELEMENT_NOT_FOUND';
      if (!missing) throw error;
      if (Date.now() >= until) {
        const search = searched || (await perform(context, 'search-option', { optionText })).data;
        if (search === true || !search.searched) throw error;
        searched = true;
        until = patience();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, OPTION_LOOK_MS));
    await settle(context);
  }
}

/**
 * Runs an act in the page and waits until the page has settled.
 * @template {PageAct} Name
 * @param {AnyContext} context
 * @param {Name} command
 * @param {PageParams<Name>} params
 */
export async function act(context, command, params) {
  const { data } = await perform(context, command, params);
  const settled = await settle(context);
  return { data, ...settled, after: /** @type {ActAfter[Name] | null} */ (settled.after) };
}

/**
 * Runs an act in the page, in the document that is meant and in no other: once it has begun in one, each further step is
 * for that one. Whether anybody sees the tab makes no difference.
 * @template {PageAct} Name
 * @param {AnyContext} context
 * @param {Name} command
 * @param {PageParams<Name>} params
 */
export async function perform(context, command, params) {
  const { driver, tabId, order } = context;
  try {
    const { data, page } = await driver.run(tabId, command, params, { ...order, document: context.document });
    context.document = page.document;
    return { data, page };
  } catch (error) {
    if (error instanceof DocumentGone) throw await replaced(context);
    const done = context.done;
    if (error instanceof ActionError && error.code === 'PAGE_CHANGED' && done > 0) {
      throw new ActionError(error.code, error.message, { details: { ...error.details, done } });
    }
    throw error;
  }
}

/** How long the page that takes the place of another one may take to be there. */
const COMMIT_MS = 1_000;

/** The failure of an act in whose midst its document went away. @param {AnyContext} context */
async function replaced({ driver, tabId, done, action, navigations, signal }) {
  // A document tells that it is left before the next one is there.
  if (navigations.underWay.get(tabId)?.document === null) {
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(COMMIT_MS)]);
    await navigations.next(tabId, waiting, { joining: true, until: 'committed' }).catch(() => {});
  }
  const { url, title, document } = await driver.page(tabId);
  const message = `the page was replaced in the middle of ${action}, so part of it may have been done: read the page again`;
  const details = { page: { url, title, document }, ...(done > 0 ? { done } : {}) };
  return new ActionError('PAGE_CHANGED', message, { details });
}
