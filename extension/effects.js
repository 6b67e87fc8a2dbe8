/**
 * What came of an act: gathered while it runs, from whoever sees it, and told with its answer. The browser's events tell
 * here of pages that the tab goes to and of downloads; the page says where the focus went, how far it was scrolled and
 * what it only wanted (`page/effects.js`); who answers dialogs and adopts tabs adds those.
 */

/**
 * @typedef {{ tabId: number, url: string, flashed?: boolean }} OpenedTab the daemon writes its own name for the tab
 * @typedef {import('./contract.js').Effects} Told
 */

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
  }
}
