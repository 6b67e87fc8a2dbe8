/** The browser's errors for pages and tabs, as errors that an agent can act on. */

import { ActionError } from './protocol.js';

/** The browser's own pages, the web store, a PDF: no extension may access them. */
export class RestrictedPage extends ActionError {
  constructor() {
    super(
      'SCRIPT_ERROR',
      'the browser lets no extension into this page (its own pages, the web store, PDF files, empty tabs): navigate to an ordinary web page',
      { suggestedAction: 'bproxy tab list' },
    );
  }
}

/** The tab is there, and its page is not: it crashed, or the browser freed its memory. */
export class PageUnloaded extends ActionError {
  /** @param {boolean} discarded the browser did it */
  constructor(discarded) {
    const what = discarded ? 'the browser has unloaded this page to save memory' : 'this page has crashed';
    super('SCRIPT_ERROR', `${what}: reload it, or navigate to another address`, {
      suggestedAction: 'bproxy reload',
    });
  }
}

/** The page lets no script begin. */
export class PageBlocked extends ActionError {
  constructor() {
    super(
      'PAGE_BLOCKED',
      'the page shows a dialog or is busy, so that nothing was done in it: a person has to answer the dialog, or reload the page',
      { suggestedAction: 'bproxy reload' },
    );
  }
}

/** The page was replaced while a command ran in it. */
export class DocumentGone extends ActionError {
  constructor() {
    super(
      'SCRIPT_ERROR',
      'the page was replaced while the command ran in it: read the page again to see what happened',
      { suggestedAction: 'bproxy snapshot' },
    );
  }
}

/**
 * @param {unknown} error as an API of the browser rejects with it
 * @returns {ActionError}
 */
export function explain(error) {
  if (error instanceof ActionError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/No tab with id|tab was closed|No current window|Invalid tab/i.test(message)) {
    return new ActionError('TAB_NOT_FOUND', 'the tab is gone: open another one', {
      suggestedAction: 'bproxy tab open about:blank',
    });
  }
  if (/Frame with ID \d+ (was removed|is not ready)|No frame with id|document was (removed|destroyed)/i.test(message)) {
    return new DocumentGone();
  }
  if (/error page/i.test(message)) {
    return new ActionError(
      'NAVIGATION_FAILED',
      'the tab shows the browser’s error page: try the address again, or navigate to one that loads',
      { suggestedAction: 'bproxy reload' },
    );
  }
  if (/Cannot access|cannot be scripted|extensions gallery|Missing host permission|Blocked/i.test(message)) {
    return new RestrictedPage();
  }
  return new ActionError('SCRIPT_ERROR', message);
}

/**
 * The same for a script that could not run in a tab: the browser refuses a page that crashed in the same words as its
 * own pages.
 * @param {number} tabId @param {unknown} error @returns {Promise<never>}
 */
export async function throwExplainedOf(tabId, error) {
  const explained = explain(error);
  if (explained instanceof RestrictedPage) {
    const tab = await chrome.tabs.get(tabId).catch(() => null);
    if (tab?.status === 'unloaded') throw new PageUnloaded(tab.discarded);
  }
  throw explained;
}

/** @param {unknown} error @returns {never} */
export function throwExplained(error) {
  throw explain(error);
}
