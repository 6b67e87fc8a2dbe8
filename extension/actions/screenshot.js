/** Pictures of what the tab shows, of the whole page, and of one element. */

import { explain } from '../browser-errors.js';
import { Picture } from '../picture.js';
import { ActionError } from '../protocol.js';
import { bringToFront } from './tabs.js';

/** Chrome allows two captures a second; a third one is tried again this much later. */
const QUOTA_RETRY_MS = 300;
/** Two captures are at least this far apart: refused ones count as well. */
const APART_MS = 510;
/** A tab that has just come to the front may not be painted yet: it is tried again this much later. */
const UNPAINTED_RETRY_MS = 100;
/** A picture that is not there after this never comes: the window may be minimized. */
const PICTURE_MS = 3_000;
/** How long a page may take to say whether it is seen. */
const SAID_MS = 500;
const PREFIX = 'data:image/png;base64,';
/** Numbers that the daemon reserves for one command. */
const BLOCK = 1_000;

/** @typedef {import('./index.js').Context<'screenshot'>} Context */
/** @typedef {import('../picture.js').Area} Area */
/** @typedef {Area & { n: number }} Mark an element, in CSS pixels of the picture */

/** When the browser was asked for a picture last. */
let capturedAt = 0;

/** @param {Context} context */
export async function screenshot(context) {
  const { driver, tabId, params, deadline } = context;
  if (params.debugger) {
    throw new ActionError(
      'DEBUGGER_DISABLED',
      'screenshots through the debugger are not available: leave out the debugger flag',
    );
  }
  if (params.activate) await bringToFront(tabId);
  const until = Math.min(Date.now() + PICTURE_MS, deadline);
  const windowId = await seen(context, until);
  const isWindow = params.target === undefined && !params.fullPage;
  const { picture, marks, capped } = await (isWindow ? ofWindow : ofParts)(context, windowId, until);
  // The person may have switched tabs meanwhile: the picture would show another one.
  if ((await visibleIn(context)) !== windowId) throw notVisible();
  const uniform = picture.isUniform();
  const named = marks?.map(({ n, ...area }) => ({ n, ...picture.scaled(area) }));
  if (named) picture.mark(named.map(({ n, ...area }) => ({ ...area, name: `el${n}` })));
  const { format = 'png', quality } = params;
  const { width, height } = picture.canvas;
  return {
    data: {
      base64: await picture.written(format, quality),
      format,
      width,
      height,
      ...(uniform ? { uniform } : {}),
      ...(capped ? { capped } : {}),
      ...(named ? { marks: named } : {}),
    },
    page: await driver.page(tabId),
  };
}

/** What the window shows, as it is. @param {Context} context @param {number} windowId @param {number} until */
async function ofWindow(context, windowId, until) {
  const { driver, tabId, params, order } = context;
  const bitmap = await captured(context, windowId, until);
  // A page that scripts may not enter has no marks, and is pictured as large as it is on the screen.
  const width = params.marks ? (await driver.read(tabId, 'picture-window', {}, order)).data.width : bitmap.width;
  const density = bitmap.width / width;
  const picture = new Picture(width, bitmap.height / density, density, params.maxSide);
  const from = { x: 0, y: 0, width, height: bitmap.height / density };
  picture.add(bitmap, density, { from, to: { x: 0, y: 0 } });
  bitmap.close();
  const marks = params.marks ? await marksIn(context, [{ from, to: { x: 0, y: 0 } }], new Map()) : undefined;
  return { picture, marks: marks && [...marks.values()], capped: false };
}

/** More or less than the window shows: scrolled to, and put together. @param {Context} context @param {number} windowId @param {number} first when the first part has to be there */
async function ofParts(context, windowId, first) {
  const { driver, tabId, params, order, deadline } = context;
  const { target, fullPage, maxSide } = params;
  /** @type {PageOrder} */
  const act = { ...order, act: `picture ${context.id}` };
  try {
    const begun = await driver.run(tabId, 'picture-begin', { target, fullPage }, act);
    const { width, height, steps, capped } = begun.data;
    const shift = begun.shift ?? { x: 0, y: 0 };
    /** @type {Picture | undefined} */
    let picture;
    /** @type {Map<number, Mark>} */
    let marks = new Map();
    for (let step = 0; step < steps; step += 1) {
      const { data } = await driver.run(tabId, 'picture-show', { step }, act);
      const parts = data.parts.map(({ from, to }) => ({
        from: { ...from, x: from.x + shift.x, y: from.y + shift.y },
        to,
      }));
      const bitmap = await captured(context, windowId, Math.max(first, Math.min(Date.now() + PICTURE_MS, deadline)));
      const density = bitmap.width / (begun.shift === undefined ? data.width : await windowWidth(context));
      picture ??= new Picture(width, height, density, maxSide);
      for (const part of parts) picture.add(bitmap, density, part);
      bitmap.close();
      if (params.marks) marks = await marksIn(context, parts, marks);
      if (step + 1 < steps && (await visibleIn(context)) !== windowId) throw notVisible();
    }
    if (picture === undefined) {
      throw new ActionError(
        'ELEMENT_NOT_ACTIONABLE',
        'nothing of the element can be scrolled into view: see what cuts it off',
      );
    }
    return { picture, marks: params.marks ? [...marks.values()] : undefined, capped };
  } finally {
    // It goes back by itself if this does not arrive.
    await driver.runInFrames(tabId, 'ISOLATED', endInPage, []).catch(() => {});
  }
}

/** Runs in every frame. */
function endInPage() {
  globalThis.bproxy?.endPicture?.();
}

/** @param {Context} context */
async function windowWidth({ driver, tabId, order }) {
  return (await driver.read(tabId, 'picture-window', {}, order)).data.width;
}

/**
 * Adds what can be acted on in these parts of the window.
 * @param {Context} context @param {import('../picture.js').Part[]} parts @param {Map<number, Mark>} marks by number
 */
async function marksIn({ driver, tabId, order }, parts, marks) {
  // New elements get the numbers after those that were given already.
  const next = Math.max(order.el ?? 0, ...[...marks.keys()].map((n) => n + 1));
  const room = (order.el ?? 0) + BLOCK - next;
  const { data } = await driver.read(tabId, 'marks', {}, { ...order, el: order.el && next, room });
  for (const { n, x, y, width, height } of data.marks) {
    if (n === undefined || marks.has(n)) continue;
    const [midX, midY] = [x + width / 2, y + height / 2];
    const part = parts.findLast(
      ({ from }) => midX >= from.x && midY >= from.y && midX < from.x + from.width && midY < from.y + from.height,
    );
    if (!part) continue;
    marks.set(n, { n, x: x - part.from.x + part.to.x, y: y - part.from.y + part.to.y, width, height });
  }
  return marks;
}

// ---- Whether it is seen ----

/** The window that shows the tab; fails if none does. @param {Context} context @param {number} until */
async function seen(context, until) {
  let windowId = await visibleIn(context);
  // A page that has just come to the front hears of it a moment later.
  while (context.params.activate && windowId === null && Date.now() < until - UNPAINTED_RETRY_MS) {
    await pause(UNPAINTED_RETRY_MS, context.signal);
    windowId = await visibleIn(context);
  }
  if (windowId === null) throw notVisible();
  return windowId;
}

/** @param {Context} context @returns {Promise<number | null>} */
async function visibleIn({ driver, tabId, order }) {
  const tab = await driver.tab(tabId);
  return tab.active && !(await isHidden(driver, tabId, tab, order)) ? tab.windowId : null;
}

/**
 * Whether nobody sees the page of a tab that is in front: other windows cover it, or its window is minimized.
 * @param {import('../page-driver.js').PageDriver} driver @param {number} tabId @param {chrome.tabs.Tab} tab
 * @param {PageOrder} order
 */
async function isHidden(driver, tabId, tab, order) {
  const window = await chrome.windows.get(tab.windowId);
  if (window.state === 'minimized') return true;
  const said = driver.read(tabId, 'info', {}, { ...order, until: Date.now() + SAID_MS }).then(
    ({ data }) => data.hidden,
    // A page that scripts may not enter is pictured as well.
    () => false,
  );
  // Nor does one that is busy, or shows a dialog, have to say anything.
  return Promise.race([said, new Promise((resolve) => setTimeout(resolve, SAID_MS, false))]);
}

function notVisible() {
  return new ActionError(
    'TAB_NOT_VISIBLE',
    'only the tab in front can be captured: activate it first, or ask for it with the activate flag',
    {
      suggestedAction: 'bproxy screenshot --activate',
    },
  );
}

// ---- Capturing ----

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}

/** @param {Context} context @param {number} windowId @param {number} until @returns {Promise<ImageBitmap>} */
async function captured({ signal }, windowId, until) {
  const late = pause(until - Date.now(), signal).then(() => Promise.reject(notVisible()));
  late.catch(() => {});
  const url = await Promise.race([capture(windowId, signal, until), late]);
  // The extension's own policy lets it fetch nothing but the daemon, data URLs neither.
  const bytes = /** @type {any} */ (Uint8Array).fromBase64(url.slice(PREFIX.length));
  return createImageBitmap(new Blob([bytes], { type: 'image/png' }));
}

/** @param {number} windowId @param {AbortSignal} signal @param {number} until @returns {Promise<string>} */
async function capture(windowId, signal, until) {
  for (;;) {
    signal.throwIfAborted();
    const wait = capturedAt + APART_MS - Date.now();
    if (wait > 0) await pause(wait, signal);
    capturedAt = Date.now();
    try {
      return await chrome.tabs.captureVisibleTab(windowId, { format: 'png' });
    } catch (error) {
      const overQuota = /MAX_CAPTURE_VISIBLE_TAB_CALLS_PER_SECOND/.test(String(error));
      const isUnpainted = /readback failed|view is invisible/.test(String(error));
      if ((!overQuota && !isUnpainted) || Date.now() >= until) throw explain(error);
      await pause(overQuota ? QUOTA_RETRY_MS : UNPAINTED_RETRY_MS, signal);
    }
  }
}
