/**
 * Which document each session was last told of in each tab: acts are for that one. A document is known by the mark that
 * the page scripts draw for it. Kept in `storage.session`, so that the next worker knows it too.
 */

/** The tabs of a full daemon are far fewer. */
const KEEP_COUNT = 1_024;

export class Documents {
  /** @param {import('./storage.js').Area} session */
  constructor(session) {
    this.session = session;
    /** @type {Map<number, { session: string, document: string }>} by tab, the one told of last at the end */
    this.told = new Map();
  }

  async load() {
    const { documents } = await this.session.get('documents');
    this.told = new Map(documents ?? []);
  }

  /** The document that the session was last told of; undefined if of none. @param {number} tabId @param {string} session */
  last(tabId, session) {
    const told = this.told.get(tabId);
    return told?.session === session ? told.document : undefined;
  }

  /**
   * The session is told of a page by an answer. A page that scripts cannot enter has no mark.
   * @param {number} tabId @param {string} session @param {string | undefined} document
   */
  tell(tabId, session, document) {
    if (document === undefined || this.last(tabId, session) === document) return;
    this.told.delete(tabId);
    this.told.set(tabId, { session, document });
    for (const oldest of this.told.keys()) {
      if (this.told.size <= KEEP_COUNT) break;
      this.told.delete(oldest);
    }
    this.#save();
  }

  /** @param {number} tabId */
  drop(tabId) {
    if (this.told.delete(tabId)) this.#save();
  }

  #save() {
    void this.session.set({ documents: [...this.told] });
  }
}
