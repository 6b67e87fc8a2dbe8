/**
 * What came of an act: gathered while it runs, from whoever sees it, and told with its answer. The browser's events tell
 * here of pages that the tab goes to; the page says where the focus went, how far it was scrolled and what it only wanted
 * (`page/effects.js`); who answers dialogs, adopts tabs and follows downloads adds those.
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
    /** The address that the frame which was acted in went to. @type {string | undefined} */
    this.frameWent = undefined;
    /** @type {OpenedTab[]} */
    this.opened = [];
    /** @type {NonNullable<Told['dialogs']>} */
    this.dialogs = [];
    /** @type {NonNullable<Told['downloads']>} */
    this.downloads = [];
    /** The addresses that the page asked to download, and those that were to be gone to and were not. @type {Set<string>} */
    this.asked = new Set();
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
    for (const url of seen.asked ?? []) this.asked.add(url);
    this.frameWent = seen.went ?? this.frameWent;
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
    const navigated = this.wentElsewhere ? url : this.frameWent;
    if (navigated !== undefined) effects.navigated = navigated;
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

  /** The same of an act that failed, where the daemon writes no names: without those of tabs and elements. @param {string} url */
  toldOfFailure(url) {
    const { navigated, dialogs, blocked } = this.told(url).effects;
    return { navigated, dialogs, blocked };
  }

  end() {
    this.navigations.watchers.delete(this.watcher);
  }
}
