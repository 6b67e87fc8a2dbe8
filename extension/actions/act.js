/** Acts of the pointer and the wheel: done in the page, then reported once the page has come to rest. */

import { call, getTab } from '../inject.js';
import { ActionError } from '../protocol.js';
import { settle } from '../settle.js';

/** @typedef {import('../dispatch.js').Context} Context */

/** @param {Context} context */
export async function click(context) {
  await perform(context, 'click', context.params);
  const { stable, after, page } = await settle(context);
  return { data: { clicked: true, disappeared: after?.disappeared ?? true, stable }, page };
}

/** @param {Context} context */
export async function hover(context) {
  const began = Date.now();
  await perform(context, 'hover', context.params);
  const { stable, page } = await settle(context);
  return { data: { hovered: true, stable, elapsed: Date.now() - began }, page };
}

/** @param {Context} context */
export async function scroll(context) {
  const { data: start } = await perform(context, 'scroll', context.params);
  const { stable, after, page } = await settle(context);
  const before = Number(start.before);
  const now = after?.position ?? before;
  return {
    data: {
      target: start.target,
      before,
      after: now,
      scrolledPx: Math.abs(now - before),
      moved: now !== before,
      stable,
      ...(after === null ? {} : { scrollHeight: after.scrollHeight, clientHeight: after.clientHeight }),
    },
    page,
  };
}

/** A listbox that opens on click gets this many looks before its option counts as missing. */
const OPTION_LOOKS = 8;

/** @param {Context} context */
export async function select(context) {
  const { trigger, optionText } = context.params;
  const { data } = await perform(context, 'select', { trigger, optionText });
  if (data.opened) await chooseOption(context, optionText);
  const { after, page } = await settle(context);
  return { data: { selected: after?.selected ?? true, optionText: after?.optionText ?? optionText }, page };
}

/** @param {Context} context @param {string} optionText */
async function chooseOption(context, optionText) {
  for (let looks = 1; ; looks += 1) {
    await settle(context);
    try {
      await perform(context, 'choose', { optionText });
      return;
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== 'ELEMENT_NOT_FOUND' || looks === OPTION_LOOKS) throw error;
    }
  }
}

/**
 * Runs an act in the page. The page refuses when it is hidden; but the tab in front of a window
 * that other windows cover counts as hidden too, and acting there is fine.
 * @param {Context} context
 * @param {string} command
 * @param {Record<string, unknown>} params
 */
export async function perform({ tabId, deadline }, command, params) {
  // A page that hangs gets to it when it is free again, which may be after everyone has given up.
  const timely = { ...params, until: deadline };
  try {
    return await call(tabId, command, timely);
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'TAB_NOT_VISIBLE') throw error;
    const tab = await getTab(tabId);
    const window = tab.active ? await chrome.windows.get(tab.windowId) : null;
    if (window === null || window.state === 'minimized') throw error;
    return call(tabId, command, { ...timely, covered: true });
  }
}
