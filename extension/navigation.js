/**
 * Navigations of each tab's main frame: reports every new page in a held tab to the daemon, and lets an action wait until
 * the navigation that it caused has loaded. Keeps the list of held tabs, those that `tab.open` made for a session, so that
 * the person's other tabs are neither reported nor touched. The list outlives the worker and an update of the extension
 * (`storage.local`), and ends with the browser.
 */

import { ActionError } from './protocol.js';

/** How long after an abort another navigation may follow, such as a script's redirect. */
const ABORT_GRACE_MS = 500;
/** The browser's error for a download, a 204, or a navigation that another one replaced. */
const ABORTED = 'net::ERR_ABORTED';

/**
 * @typedef {{ kind: 'started' | 'committed' | 'parsed' | 'loaded' | 'moved', tabId: number, url: string, documentId: string }
 *   | { kind: 'failed', tabId: number, url: string, documentId: string, error: string }} NavigationEvent
 *   `parsed` is a document that is complete, without its images; `moved` is a new address within the same document; `documentId` is empty where there is none yet.
 * @typedef {NonNullable<import('./contract.js').NavigateParams['until']>} Until
 */

export class Navigations {
  /**
   * @param {import('./storage.js').Area} local
   * @param {(message: Record<string, unknown>) => void} tell sends a message to the daemon
   */
  constructor(local, tell) {
    this.local = local;
    this.tell = tell;
    /** @type {Map<number, string>} each tab and its session, the one used last at the end */
    this.held = new Map();
    /** What hello listed last, until the daemon has said which sessions it has. @type {{ tabId: number, session: string }[]} */
    this.listed = [];
    /** @type {Set<number>} held tabs whose `tab.open` has not been answered */
    this.opening = new Set();
    /**
     * Tabs with a navigation that has not ended: its document once it has one, and since when it has that or has none
     * (unix ms).
     * @type {Map<number, { document: string | null, since: number, parsed: boolean }>}
     */
    this.underWay = new Map();
    /** @type {Map<number, string>} the document that each tab shows */
    this.documents = new Map();
    /** @type {Set<(event: NavigationEvent) => void>} */
    this.watchers = new Set();
    /** Whether the browser has just started. */
    this.restarted = false;
  }

  async load() {
    const { tabs } = await this.local.get('tabs');
    if (this.restarted) return;
    for (const [tabId, session] of tabs?.held ?? []) this.held.set(tabId, session);
    for (const tabId of tabs?.opening ?? []) this.opening.add(tabId);
  }

  /** The browser has started: no tab of before is there any more. */
  restart() {
    this.restarted = true;
    this.held.clear();
    this.opening.clear();
    this.#save();
  }

  /** A command is for the tab, which it must be if the session holds it. @param {number} tabId @param {string} session */
  use(tabId, session) {
    if (this.held.get(tabId) !== session) {
      throw new ActionError('TAB_NOT_FOUND', 'this session has no such tab in this browser: open another one', {
        suggestedAction: 'bproxy tab open about:blank',
      });
    }
    if ([...this.held.keys()].at(-1) === tabId) return;
    // The one used last goes to the end.
    this.held.delete(tabId);
    this.held.set(tabId, session);
    this.#save();
  }

  /** A tab that `tab.open` has just made. @param {number} tabId @param {string} session */
  open(tabId, session) {
    this.opening.add(tabId);
    this.held.set(tabId, session);
    this.#save();
  }

  /** The session has the tab from now on. @param {number} tabId */
  opened(tabId) {
    this.opening.delete(tabId);
    this.#save();
  }

  /** Every tab held, for hello. @returns {{ tabId: number, session: string }[]} */
  list() {
    this.listed = [...this.held].map(([tabId, session]) => ({ tabId, session }));
    return this.listed;
  }

  /**
   * The daemon says for the first time since hello which sessions it has here: the others have ended, and their tabs are
   * the person's again. Not those of an open that is under way, whose session begins with its answer.
   * @param {Set<string>} sessions
   */
  keep(sessions) {
    for (const { tabId, session } of this.listed.splice(0)) {
      if (sessions.has(session) || this.opening.has(tabId) || this.held.get(tabId) !== session) continue;
      this.drop(tabId);
    }
  }

  /** A session is told once more of a tab that it opened. @param {number} tabId @param {string} session */
  hold(tabId, session) {
    if (this.held.has(tabId)) return;
    this.held.set(tabId, session);
    this.#save();
  }

  /** The tabs that a session holds. @param {string} session @returns {number[]} */
  tabsOf(session) {
    return [...this.held].filter(([, holder]) => holder === session).map(([tabId]) => tabId);
  }

  /** The tab that the session used last. @param {string} session @returns {number | undefined} */
  tabOf(session) {
    return [...this.held].findLast(([, holder]) => holder === session)?.[0];
  }

  /** @param {number} tabId */
  drop(tabId) {
    this.underWay.delete(tabId);
    this.documents.delete(tabId);
    this.opening.delete(tabId);
    if (this.held.delete(tabId)) this.#save();
  }

  #save() {
    void this.local.set({ tabs: { held: [...this.held], opening: [...this.opening] } });
  }

  /** @param {NavigationEvent} event */
  handle(event) {
    const { kind, tabId, url, documentId } = event;
    const stopped = this.#stopped(event);
    // An error page replaces the page before it; an abort leaves it.
    const replaced = kind === 'committed' || (kind === 'failed' && !stopped && event.error !== ABORTED);
    if ((replaced || kind === 'moved') && this.held.has(tabId)) {
      this.announce(tabId, url, kind === 'moved' ? 'history_state' : 'committed');
    }

    for (const watcher of [...this.watchers]) watcher(event);

    if (kind === 'started') this.underWay.set(tabId, { document: null, since: Date.now(), parsed: false });
    if (kind === 'committed') this.underWay.set(tabId, { document: documentId, since: Date.now(), parsed: false });
    const shown = this.underWay.get(tabId);
    if (kind === 'parsed' && shown?.document === documentId) shown.parsed = true;
    const over = kind === 'loaded' || stopped ? this.underWay.get(tabId)?.document === documentId : kind === 'failed';
    if (over) this.underWay.delete(tabId);
    if (replaced) this.documents.set(tabId, documentId);
  }

  /** Whether the page that the tab shows stopped loading, rather than a new one failing. @param {NavigationEvent} event */
  #stopped({ kind, tabId, documentId }) {
    return kind === 'failed' && documentId !== '' && this.documents.get(tabId) === documentId;
  }

  /** @param {number} tabId @param {string} url @param {'committed' | 'history_state'} cause */
  announce(tabId, url, cause) {
    this.tell({ type: 'navigation', tabId, url, cause });
  }

  /**
   * Resolves when the next navigation of the tab has loaded, or has changed the address within its
   * document. Call it before the navigation starts.
   * @param {number} tabId
   * @param {AbortSignal} signal gives up waiting
   * @param {{ until?: Until, enough?: AbortSignal, joining?: boolean }} [how] `until`: how far the document has to
   *   come; `enough`: from then on a new document is enough, loaded or not; `joining`: the navigation that is under way is meant, if there is one
   * @returns {Promise<void>} rejects with `NAVIGATION_FAILED` and the browser's reason, or the signal's
   */
  next(tabId, signal, { until = 'load', enough, joining = false } = {}) {
    return new Promise((resolve, reject) => {
      let document = joining ? (this.underWay.get(tabId)?.document ?? null) : null;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let grace;
      const end = (/** @type {() => void} */ settle) => {
        clearTimeout(grace);
        this.watchers.delete(watcher);
        signal.removeEventListener('abort', aborted);
        enough?.removeEventListener('abort', sufficed);
        settle();
      };
      const aborted = () => end(() => reject(signal.reason));
      const sufficed = () => document !== null && end(resolve);
      const watcher = (/** @type {NavigationEvent} */ event) => {
        if (event.tabId !== tabId) return;
        const { kind, documentId } = event;
        if (kind === 'started' || kind === 'committed') clearTimeout(grace);
        if (kind === 'committed') {
          document = documentId;
          if (enough?.aborted || until === 'committed') return end(resolve);
        }
        if (kind === 'moved' && !this.underWay.has(tabId)) end(resolve);
        if (kind === 'parsed' && until === 'parsed' && document === documentId) return end(resolve);
        // A page that stopped loading will not load further.
        if ((kind === 'loaded' || this.#stopped(event)) && document === documentId) return end(resolve);
        if (kind !== 'failed' || this.#stopped(event)) return;
        const failed = () => end(() => reject(navigationFailed(event.url, event.error)));
        if (event.error !== ABORTED) failed();
        else if (document === null) grace = setTimeout(failed, ABORT_GRACE_MS);
      };
      if (signal.aborted) return reject(signal.reason);
      this.watchers.add(watcher);
      signal.addEventListener('abort', aborted);
      enough?.addEventListener('abort', sufficed);
    });
  }
}

/** What loads a page that was not loaded: in its own tab. */
export const RELOAD = 'bproxy reload';

/** @param {string} url @param {string} error */
export function navigationFailed(url, error) {
  // The page before it is still there.
  const isAborted = error === ABORTED;
  const why = isAborted
    ? 'the address gave a file, which download --url fetches, or nothing to show, or the loading was stopped'
    : 'check the address and that its server runs';
  return new ActionError('NAVIGATION_FAILED', `${withoutQuery(url)} was not loaded: ${error} (${why})`, {
    suggestedAction: isAborted ? 'bproxy download --help' : RELOAD,
  });
}

/** @param {string} url */
function withoutQuery(url) {
  return url.split(/[?#]/)[0];
}
