/** Acts of the pointer and the wheel: done in the page, then reported once the page has settled. */

import { DocumentGone } from '../browser-errors.js';
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

/** A listbox that opens on click is searched this often before its option counts as missing. */
const OPTION_ATTEMPTS = 8;

/** @param {Context<'select'>} context */
export async function select(context) {
  const { trigger, optionText } = context.params;
  const chosen = await act(context, 'select', { trigger, optionText });
  if (chosen.data.opened) context.done = 1;
  const { after, page } = chosen.data.opened ? await chooseOption(context, optionText) : chosen;
  return { data: { selected: after?.selected ?? true, optionText: after?.optionText ?? optionText }, page };
}

/** @param {Context<'select'>} context @param {string} optionText */
async function chooseOption(context, optionText) {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await act(context, 'choose', { optionText });
    } catch (error) {
      const missing = error instanceof ActionError && error.code === 'ELEMENT_NOT_FOUND';
      if (!missing || attempts === OPTION_ATTEMPTS) throw error;
    }
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
 * for that one. The page refuses when it is hidden; but the tab in front of a window that other windows cover counts as
 * hidden too, and acting there is fine.
 * @template {PageAct} Name
 * @param {AnyContext} context
 * @param {Name} command
 * @param {PageParams<Name>} params
 */
export async function perform(context, command, params) {
  try {
    const { data, page } = await runVisible(context, command, params);
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

/**
 * @template {PageAct} Name
 * @param {AnyContext} context
 * @param {Name} command
 * @param {PageParams<Name>} params
 */
async function runVisible({ driver, tabId, order, document }, command, params) {
  try {
    return await driver.run(tabId, command, params, { ...order, document });
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'TAB_NOT_VISIBLE') throw error;
    const tab = await driver.tab(tabId);
    const window = tab.active ? await chrome.windows.get(tab.windowId) : null;
    if (window === null || window.state === 'minimized') throw error;
    return driver.run(tabId, command, { ...params, covered: true }, { ...order, document });
  }
}

/** The failure of an act in whose midst its document went away. @param {AnyContext} context */
async function replaced({ driver, tabId, done, action }) {
  const { url, title, document } = await driver.page(tabId);
  const message = `the page was replaced in the middle of ${action}, so part of it may have been done: read the page again`;
  const details = { page: { url, title, document }, ...(done > 0 ? { done } : {}) };
  return new ActionError('PAGE_CHANGED', message, { details });
}
