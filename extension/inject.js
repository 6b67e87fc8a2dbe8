/**
 * The way into a page: runs one command of the page scripts in the isolated world, bringing the
 * scripts there first if this document has not seen them. One round trip when it has.
 */

import { ActionError } from './protocol.js';

const PAGE_SCRIPTS = [
  'dom',
  'interstitial',
  'selector',
  'accessibility',
  'read',
  'controls',
  'snapshot',
  'act',
  'fill',
].map((name) => `page/${name}.js`);

/**
 * Runs in the page. Everything it needs comes as an argument: it travels as text.
 * @param {string} version @param {string} command @param {unknown} params
 */
function invoke(version, command, params) {
  const page = globalThis.bproxy;
  if (page?.version !== version) return '{"missing":true}';
  // One text crosses from the page to the worker far quicker than a tree of values.
  const outcome = page.invoke(command, params);
  return outcome instanceof Promise ? outcome.then((done) => JSON.stringify(done)) : JSON.stringify(outcome);
}

/**
 * @param {number} tabId
 * @param {string} command a name the page scripts define
 * @param {Record<string, unknown>} [params]
 * @returns {Promise<import('./protocol.js').Result>}
 */
export async function call(tabId, command, params = {}) {
  const version = chrome.runtime.getManifest().version;
  const run = async () => {
    const outcome = await execute({
      target: { tabId },
      injectImmediately: true,
      func: invoke,
      args: [version, command, params],
    });
    // A document that goes away in the middle leaves no result.
    if (typeof outcome !== 'string') throw new DocumentGone();
    return JSON.parse(outcome);
  };
  let outcome = await run();
  if (outcome.missing) {
    await execute({ target: { tabId }, injectImmediately: true, files: PAGE_SCRIPTS });
    outcome = await run();
  }
  if (outcome.missing) throw new DocumentGone();
  if (outcome.error)
    throw new ActionError(outcome.error.code, outcome.error.message, { details: outcome.error.details });
  return outcome;
}

/**
 * Like `call`, for what may simply be done again when the page is replaced in the middle of it.
 * @param {number} tabId @param {string} command @param {Record<string, unknown>} [params]
 */
export async function read(tabId, command, params) {
  try {
    return await call(tabId, command, params);
  } catch (error) {
    if (!(error instanceof DocumentGone)) throw error;
    return call(tabId, command, params);
  }
}

/** @param {number} tabId @returns {Promise<chrome.tabs.Tab>} */
export async function getTab(tabId) {
  try {
    return await chrome.tabs.get(tabId);
  } catch (error) {
    throw explain(error);
  }
}

/**
 * What the browser knows of a page without asking it.
 * @param {chrome.tabs.Tab | undefined} tab
 * @returns {import('./protocol.js').Page}
 */
export function tabPage(tab) {
  return {
    url: tab?.url ?? '',
    title: tab?.title ?? '',
    state: tab?.status === 'complete' ? 'ready' : 'loading',
    busy: false,
  };
}

/** The browser's own pages, the web store, a PDF: no extension may look into them. */
export class RestrictedPage extends ActionError {
  constructor() {
    super(
      'SCRIPT_ERROR',
      'the browser lets no extension into this page (its own pages, the web store, PDF files, empty tabs): navigate to an ordinary web page',
      {
        suggestedAction: 'bproxy navigate URL',
      },
    );
  }
}

/** The page was replaced while a command ran in it. */
export class DocumentGone extends ActionError {
  constructor() {
    super(
      'SCRIPT_ERROR',
      'the page was replaced while the command ran in it: read the page again to see what happened',
    );
  }
}

/** @param {any} injection @returns {Promise<any>} */
export async function execute(injection) {
  try {
    const [frame] = await chrome.scripting.executeScript(injection);
    return frame?.result;
  } catch (error) {
    throw explain(error);
  }
}

/**
 * The browser's own words for why it will not run a script, as an error an agent can act on.
 * @param {unknown} error
 * @returns {ActionError}
 */
export function explain(error) {
  if (error instanceof ActionError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/No tab with id|tab was closed|No current window|Invalid tab/i.test(message)) {
    return new ActionError('TAB_NOT_FOUND', 'the tab is gone: open another one', {
      suggestedAction: 'bproxy tab open URL',
    });
  }
  if (/Frame with ID \d+ (was removed|is not ready)|document was (removed|destroyed)/i.test(message))
    return new DocumentGone();
  if (/error page/i.test(message)) {
    return new ActionError(
      'NAVIGATION_FAILED',
      'the tab shows the browser’s error page: navigate to an address that loads',
    );
  }
  if (/Cannot access|cannot be scripted|extensions gallery|Missing host permission|Blocked/i.test(message)) {
    return new RestrictedPage();
  }
  return new ActionError('SCRIPT_ERROR', message);
}
