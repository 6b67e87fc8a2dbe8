/**
 * What came of an act: gathered while it runs, from whoever sees it, and told with its answer. The browser's events tell
 * here of pages that the tab goes to and of downloads; the page says where the focus went, how far it was scrolled and
 * what it only wanted (`page/effects.js`); who answers dialogs and adopts tabs adds those.
 */

/**
 * @typedef {{ tabId: number, url: string, flashed?: boolean }} OpenedTab the daemon writes its own name for the tab
 * @typedef {import('./contract.js').Effects} Told
 */

/** The kinds of requests whose answers change pages. @type {`${chrome.webRequest.ResourceType}`[]} */
const REQUESTS = ['xmlhttprequest', 'script'];
/** How long the answers to what an act has asked for are waited for: some never come. */
const ANSWER_MS = 500;
/** What is told of each kind at most: a page may go on for ever. */
const MAX_ENTRIES = 20;

export class Effects {
  /**
   * @param {Pick<import('./navigation.js').Navigations, 'watchers'>} navigations
   * @param {number} tabId
   */
  constructor(navigations, tabId) {
    this.navigations = navigations;
    this.tabId = tabId;
    this.wentElsewhere = false;
    /** @type {OpenedTab[]} */
    this.opened = [];
    /** @type {NonNullable<Told['dialogs']>} */
    this.dialogs = [];
    /** @type {NonNullable<Told['downloads']>} */
    this.downloads = [];
    /** @type {Set<string>} */
    this.blocked = new Set();
    /** What the page said last. @type {PageSeen} */
    this.seen = {};
    navigations.watchers.add(this.watcher);
    /** Since when the act runs (unix ms). */
    this.since = Date.now();
    /** The document that was waited for. @type {object | undefined} */
    this.waitedFor = undefined;
    /** Requests of the page without an answer. @type {Set<string>} */
    this.requests = new Set();
    /** @type {(() => void) | undefined} */
    this.onAnswer = undefined;
  }

  /** From now on the page's requests count as what the act caused. */
  begin() {
    const { webRequest } = globalThis.chrome ?? {};
    const filter = { urls: ['<all_urls>'], tabId: this.tabId, types: /** @type {any} */ (REQUESTS) };
    webRequest?.onBeforeRequest.addListener(this.requested, filter);
    webRequest?.onCompleted.addListener(this.ended, filter);
    webRequest?.onErrorOccurred.addListener(this.ended, filter);
  }

  requested = (/** @type {{ requestId: string }} */ { requestId }) => {
    this.requests.add(requestId);
    return undefined;
  };

  ended = (/** @type {{ requestId: string }} */ { requestId }) => {
    this.requests.delete(requestId);
    if (this.requests.size === 0) this.onAnswer?.();
  };

  /** Waits for the answers to what the page has asked for, though not for long. Whether some came. */
  async answered() {
    const left = this.since + ANSWER_MS - Date.now();
    if (this.requests.size === 0 || left <= 0) return false;
    await new Promise((resolve) => {
      this.onAnswer = () => resolve(undefined);
      setTimeout(resolve, left);
    });
    return true;
  }

  /** @param {import('./navigation.js').NavigationEvent} event */
  watcher = ({ tabId, kind }) => {
    if (tabId === this.tabId && (kind === 'committed' || kind === 'moved')) this.wentElsewhere = true;
  };

  /**
   * What a look at the page tells.
   * @param {PageSeen} seen
   * @param {boolean} here whether it is the document that was acted in
   */
  see(seen, here) {
    this.seen = seen;
    if (!here || seen.moved) this.wentElsewhere = true;
    for (const text of seen.blocked ?? []) this.blocked.add(text);
  }

  /**
   * What every act answers besides its own data.
   * @param {string} url the address that the tab shows now
   * @returns {{ effects: Record<string, unknown>, hidden?: true, suggestedAction?: string }}
   */
  told(url) {
    const { focus, scrolled, hidden, waits } = this.seen;
    /** @type {Record<string, unknown>} */
    const effects = {};
    if (this.wentElsewhere) effects.navigated = url;
    for (const [name, entries] of Object.entries({
      opened: this.opened,
      dialogs: this.dialogs,
      downloads: this.downloads,
    })) {
      if (entries.length > 0) effects[name] = entries.slice(0, MAX_ENTRIES);
    }
    if (focus) effects.focus = focus;
    if (scrolled) effects.scrolled = scrolled;
    if (this.blocked.size > 0) effects.blocked = [...this.blocked].slice(0, MAX_ENTRIES);
    return {
      effects,
      ...(hidden ? { hidden: true } : {}),
      ...(hidden && waits ? { suggestedAction: 'bproxy tab activate' } : {}),
    };
  }

  end() {
    this.navigations.watchers.delete(this.watcher);
    const { webRequest } = globalThis.chrome ?? {};
    webRequest?.onBeforeRequest.removeListener(this.requested);
    webRequest?.onCompleted.removeListener(this.ended);
    webRequest?.onErrorOccurred.removeListener(this.ended);
  }
}
