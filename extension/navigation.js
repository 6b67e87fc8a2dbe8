/**
 * What the browser says about the main frame of each tab: tells the daemon of every new page in a
 * tab it holds, and lets an action wait until the navigation it caused has loaded. Holds the list
 * of tabs that bproxy was given, so that the person's other tabs are never reported.
 */

import { ActionError } from './protocol.js';

/** How long after an abort another navigation may take its place (a script that redirects at once). */
const ABORT_GRACE_MS = 500;
/** The error a browser gives for a download, a 204, or a navigation that another one replaced. */
const ABORTED = 'net::ERR_ABORTED';

/**
 * @typedef {{ kind: 'started' | 'committed' | 'loaded' | 'moved', tabId: number, url: string }
 *   | { kind: 'failed', tabId: number, url: string, error: string }} NavigationEvent
 *   `moved` is a new address within the same document.
 */

export class Navigations {
  /**
   * @param {import('./storage.js').Area} session
   * @param {(message: Record<string, unknown>) => void} tell sends a message to the daemon
   */
  constructor(session, tell) {
    this.session = session;
    this.tell = tell;
    /** @type {Map<number, string>} each tab and its session, the one used last at the end */
    this.held = new Map();
    /** @type {Set<number>} held tabs whose `tab.open` has not been answered */
    this.opening = new Set();
    /** @type {Map<number, boolean>} tabs with a navigation that has not ended, and whether its document is there already */
    this.underWay = new Map();
    /** @type {Set<(event: NavigationEvent) => void>} */
    this.watchers = new Set();
  }

  async load() {
    const { tabs } = await this.session.get('tabs');
    for (const [tabId, session] of tabs?.held ?? []) this.held.set(tabId, session);
    for (const tabId of tabs?.opening ?? []) this.opening.add(tabId);
  }

  /** @param {number} tabId @param {string} session */
  hold(tabId, session) {
    if ([...this.held.keys()].at(-1) === tabId) return;
    this.held.delete(tabId);
    this.held.set(tabId, session);
    this.#save();
  }

  /** A tab that `tab.open` has just made. @param {number} tabId @param {string} session */
  open(tabId, session) {
    this.opening.add(tabId);
    this.hold(tabId, session);
  }

  /** The session has the tab from now on. @param {number} tabId */
  opened(tabId) {
    this.opening.delete(tabId);
    this.#save();
  }

  /** The tab that the session used last. @param {string} session @returns {number | undefined} */
  tabOf(session) {
    return [...this.held].findLast(([, holder]) => holder === session)?.[0];
  }

  /** @param {number} tabId */
  drop(tabId) {
    this.underWay.delete(tabId);
    this.opening.delete(tabId);
    if (this.held.delete(tabId)) this.#save();
  }

  #save() {
    void this.session.set({ tabs: { held: [...this.held], opening: [...this.opening] } });
  }

  /** @param {NavigationEvent} event */
  happened(event) {
    const { kind, tabId, url } = event;
    if (kind === 'started') this.underWay.set(tabId, false);
    if (kind === 'committed' && this.underWay.has(tabId)) this.underWay.set(tabId, true);
    if (kind === 'loaded' || kind === 'failed') this.underWay.delete(tabId);
    // An error page takes the place of the page before it; an abort leaves that as it was.
    const replaced = kind === 'committed' || (kind === 'failed' && event.error !== ABORTED);
    if ((replaced || kind === 'moved') && this.held.has(tabId)) this.announce(tabId, url, kind === 'moved' ? 'history_state' : 'committed');
    for (const watcher of [...this.watchers]) watcher(event);
  }

  /** @param {number} tabId @param {string} url @param {'committed' | 'history_state'} cause */
  announce(tabId, url, cause) {
    this.tell({ type: 'navigation', tabId, url, cause });
  }

  /**
   * Resolves when the navigation that is `underWay` has loaded.
   * @param {number} tabId
   * @param {AbortSignal} signal gives up waiting
   * @returns {Promise<void>} rejects as `next` does
   */
  end(tabId, signal) {
    return this.next(tabId, signal, undefined, this.underWay.get(tabId));
  }

  /**
   * Resolves when the next navigation of the tab has loaded, or has changed the address within its
   * document. Call it before the navigation starts; for one that is under way, see `end`.
   * @param {number} tabId
   * @param {AbortSignal} signal gives up waiting
   * @param {AbortSignal} [enough] from then on a new document will do, loaded or not
   * @param {boolean} [committed] whether the new document is there already
   * @returns {Promise<void>} rejects with `NAVIGATION_FAILED` and the browser's reason, or the signal's
   */
  next(tabId, signal, enough, committed = false) {
    return new Promise((resolve, reject) => {
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
      const sufficed = () => committed && end(resolve);
      const watcher = (/** @type {NavigationEvent} */ event) => {
        if (event.tabId !== tabId) return;
        if (event.kind === 'started') {
          clearTimeout(grace);
          committed = false;
        }
        if (event.kind === 'committed') committed = true;
        if (committed && enough?.aborted) end(resolve);
        if (event.kind === 'moved' && !this.underWay.has(tabId)) end(resolve);
        if (event.kind === 'loaded' && committed) end(resolve);
        if (event.kind === 'failed') {
          const failed = () => end(() => reject(navigationFailed(event.url, event.error)));
          if (event.error !== ABORTED) failed();
          else grace = setTimeout(failed, ABORT_GRACE_MS);
        }
      };
      if (signal.aborted) return reject(signal.reason);
      this.watchers.add(watcher);
      signal.addEventListener('abort', aborted);
      enough?.addEventListener('abort', sufficed);
    });
  }
}

/** @param {string} url @param {string} error */
export function navigationFailed(url, error) {
  const why =
    error === ABORTED
      ? 'the address gave a download or nothing to show, or the loading was stopped'
      : 'check the address and that its server runs';
  return new ActionError('NAVIGATION_FAILED', `${withoutQuery(url)} was not loaded: ${error} (${why})`);
}

/** @param {string} url */
function withoutQuery(url) {
  return url.split(/[?#]/)[0];
}
