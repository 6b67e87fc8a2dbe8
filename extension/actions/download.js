/** Downloading: a click that makes the page give a file, or an address that is fetched, until the browser has it. */

import { factsOf, isAllThere, isHeld, itemOf, nameOf, progressOf } from '../download-item.js';
import { ActionError } from '../protocol.js';
import { act } from './act.js';

/** How long a page that is at rest may take to begin a download; one that a server is asked for takes as long as that. */
const BEGIN_MS = 5_000;
const LOOK_MS = 50;
/** An interrupted download is resumed so often, if the browser has not done so itself after this. */
const RESUMES = 3;
const RESUME_MS = 1_000;
/** What is not complete must also be answered before the deadline, with what came of the act; of a short time a part. */
const ANSWER_MARGIN_MS = 1_000;
const MARGIN_SHARE = 0.25;
/** What can be fetched: the browser would also copy files of its machine. */
const FETCHED = /^(https?|blob|data):/i;

/** @typedef {import('./index.js').Context<'download'>} Context */
/** @typedef {import('../download-item.js').Item} Item */

/** @param {Context} context */
export async function download(context) {
  const { driver, tabId, deadline } = context;
  const until = deadline - Math.min(ANSWER_MARGIN_MS, MARGIN_SHARE * (deadline - Date.now()));
  const id = await (context.params.target === undefined ? fetched(context, until) : clicked(context, until));
  const { item, waits } = await ended(context, id, until);
  const held = /** @type {const} */ ({ state: 'waiting', suggestedAction: 'bproxy wait --strategy download' });
  return { data: { ...factsOf(item), ...(waits ? held : {}) }, page: await driver.page(tabId) };
}

/** @param {import('./index.js').Context<'download.list'>} context */
export async function list({ driver, tabId, session, downloads }) {
  return { data: { downloads: await downloads.list(session) }, page: await driver.page(tabId) };
}

/** Fetches the address. @param {Context} context @param {number} until */
async function fetched({ downloads, effects, session, params, signal, hurry }, until) {
  const url = params.url ?? '';
  if (!FETCHED.test(url)) {
    throw failed(`the browser fetches no such address: ${url}`, { error: 'NETWORK_INVALID_REQUEST' }, false);
  }
  const begun = downloads.fetch(effects, session, url);
  begun.catch(() => {});
  // The browser tells of it once the server has answered.
  const late = new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, until - Date.now()));
    const stop = () => resolve(clearTimeout(timer));
    for (const end of [signal, hurry]) end.addEventListener('abort', stop);
  });
  try {
    const id = await Promise.race([begun, late]);
    if (typeof id === 'number') return id;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw failed(`the browser could not fetch ${url}: ${why}`, { error: why }, false);
  }
  signal.throwIfAborted();
  throw notInTime({ there: 'the server has not answered' });
}

/** Clicks, and waits until a download of this act begins. @param {Context} context @param {number} until */
async function clicked(context, until) {
  const { params, downloads, effects, navigations, tabId, signal, hurry } = context;
  const target = /** @type {NonNullable<typeof params.target>} */ (params.target);
  await act(context, 'click', { target });
  const patience = Date.now() + BEGIN_MS;
  for (;;) {
    const { id, ambiguous } = await downloads.begunBy(effects);
    if (id !== undefined) return id;
    const isAwaited = navigations.underWay.get(tabId)?.document === null || Date.now() < patience;
    if (!isAwaited || Date.now() >= until || hurry.aborted) throw ambiguous ? notSurelyOwn() : notBegun(effects.asked);
    await pause(LOOK_MS, signal);
  }
}

function notSurelyOwn() {
  const message =
    'a download began that may as well be of another tab with the same page, so it is not taken for this one: look at it with `bproxy download list`, and close the other tab before you download again';
  return new ActionError('TIMEOUT', message, { suggestedAction: 'bproxy download list', didSomething: true });
}

/** @param {Set<string>} asked the addresses that the page asked for */
function notBegun(asked) {
  const message =
    asked.size > 0
      ? 'the page asked for a file and the browser began no download: it gives a tab one by click without the hand of its person, so fetch what details.asked names with --url'
      : 'the element was clicked and no download began: see details.effects for what came of it, answer a dialog with --dialog accept, or fetch the address with --url';
  return new ActionError('TIMEOUT', message, {
    suggestedAction: 'bproxy snapshot',
    details: asked.size > 0 ? { asked: [...asked].slice(0, 5) } : {},
    didSomething: true,
  });
}

/**
 * Waits until the browser has the file, or keeps it back.
 * @param {Context} context @param {number} id @param {number} until
 * @returns {Promise<{ item: Item, waits: boolean }>}
 */
async function ended({ signal, hurry, params }, id, until) {
  const byClick = params.target !== undefined;
  let resumed = 0;
  /** @type {number | undefined} */
  let allThereSince;
  for (;;) {
    const item = await itemOf(id);
    if (item === undefined) {
      throw failed('the download was taken out of the browser’s list', { error: 'USER_CANCELED' }, byClick);
    }
    if (item.state === 'complete') return { item, waits: false };
    const isLate = Date.now() >= until || hurry.aborted;
    allThereSince = isAllThere(item) ? (allThereSince ?? Date.now()) : undefined;
    const isOver = isLate && item.danger !== 'safe';
    if (allThereSince !== undefined && (isOver || isHeld(item, allThereSince))) return { item, waits: true };
    if (item.state === 'interrupted') {
      if (isLate || !isResumable(item) || resumed >= RESUMES) throw await givenUp(item, byClick);
      resumed += 1;
      await pause(Math.min(RESUME_MS, until - Date.now()), signal);
      const now = await itemOf(id);
      // The browser may have done it meanwhile, and then refuses.
      if (now?.state === 'interrupted') await chrome.downloads.resume(id).catch(() => {});
    }
    if (isLate) throw notInTime({ there: progressOf(item) });
    await pause(LOOK_MS, signal);
  }
}

/** Whether what is there of it is kept. @param {Item} item */
function isResumable({ canResume, bytesReceived, error }) {
  return canResume && bytesReceived > 0 && error !== 'USER_CANCELED' && error !== 'FILE_NO_SPACE';
}

/** @param {Item} item @param {boolean} byClick */
async function givenUp(item, byClick) {
  // Nothing half is left.
  await chrome.downloads.cancel(item.id).catch(() => {});
  const error = item.error ?? 'unknown';
  const name = nameOf(item);
  if (error === 'FILE_NO_SPACE') {
    const message = 'the disk that the browser downloads to is full: make room there, then download again';
    return new ActionError('STORAGE_FULL', message, { details: { name, error }, didSomething: byClick });
  }
  const why = error === 'USER_CANCELED' && item.filename === '' ? NAMELESS : (WHY[error] ?? 'it was interrupted');
  return failed(`the download of ${JSON.stringify(name)} failed: ${why} (${error})`, { name, error }, byClick);
}

/** The browser gives up what it finds no name for, such as one of more than 255 bytes. */
const NAMELESS =
  'the browser found no name for it, because the one that it was given is too long, or somebody cancelled it';

/** The commonest of the browser's reasons in words. @type {Partial<Record<string, string>>} */
const WHY = {
  USER_CANCELED: 'it was cancelled in the browser',
  SERVER_BAD_CONTENT: 'the server has no such file',
  SERVER_UNAUTHORIZED: 'the server wants a login',
  SERVER_FORBIDDEN: 'the server does not allow it',
  SERVER_FAILED: 'the server failed',
  SERVER_CONTENT_LENGTH_MISMATCH: 'the connection broke',
  NETWORK_FAILED: 'the server cannot be reached, or the connection broke',
  FILE_ACCESS_DENIED: 'the browser may not write to its folder for downloads',
  FILE_FAILED: 'the browser could not write the file',
};

/** @param {string} message @param {Record<string, unknown>} details @param {boolean} didSomething */
function failed(message, details, didSomething) {
  return new ActionError('NAVIGATION_FAILED', message, {
    suggestedAction: 'bproxy download list',
    details,
    didSomething,
  });
}

/** @param {{ there: string }} details */
function notInTime(details) {
  const message =
    'the download was not complete in time, and goes on: wait for it with `bproxy wait --strategy download`, or give more time with --timeout';
  return new ActionError('TIMEOUT', message, {
    suggestedAction: 'bproxy wait --strategy download',
    details,
    didSomething: true,
  });
}

/** @param {number} ms @param {AbortSignal} signal */
async function pause(ms, signal) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}
