/**
 * The names of frames: `f1`, `f2`, … in each tab, one for each document that a frame shows, never given again; and which
 * frame each handle is in. Kept in `storage.session`, so that the next worker knows them too. What stands in a frame, and
 * where it stands, is not known here.
 */

/** As many handles as the daemon keeps. */
const HANDLES_MAX = 5_000;

/**
 * A document in a frame. `mark`: that of the document, once it was asked.
 * @typedef {{ name: string, frameId: number, documentId: string, mark?: string }} Known
 * @typedef {{ next: number, top: string, known: Known[], handles: Map<string, string> }} OfTab
 */

export class Frames {
  /** @param {import('./storage.js').Area} [session] none where nothing has to last */
  constructor(session) {
    this.session = session;
    /** @type {Map<number, OfTab>} */
    this.tabs = new Map();
  }

  async load() {
    const { frames = [] } = (await this.session?.get('frames')) ?? {};
    for (const [tabId, { handles, ...rest }] of frames) this.tabs.set(tabId, { ...rest, handles: new Map(handles) });
  }

  /**
   * The tab shows this page with these frames: those that are gone lose their names for good.
   * @param {number} tabId @param {{ frameId: number, documentId: string }[]} listed the page itself included
   */
  seen(tabId, listed) {
    const top = listed.find(({ frameId }) => frameId === 0)?.documentId ?? '';
    const of = this.tabs.get(tabId) ?? { next: 1, top, known: [], handles: new Map() };
    const isThere = (/** @type {Known} */ { frameId, documentId }) =>
      listed.some((frame) => frame.frameId === frameId && frame.documentId === documentId);
    of.known = of.known.filter(isThere);
    if (of.top !== top) of.handles.clear();
    of.top = top;
    this.tabs.set(tabId, of);
  }

  /**
   * What is known of a document in a frame; it gets a name if it has none.
   * @param {number} tabId @param {{ frameId: number, documentId: string }} frame @param {string} [mark] of the document
   * @returns {Known}
   */
  know(tabId, { frameId, documentId }, mark) {
    const of = /** @type {OfTab} */ (this.tabs.get(tabId));
    const found = of.known.find((known) => known.frameId === frameId && known.documentId === documentId);
    if (found && (mark === undefined || (found.mark ?? mark) === mark)) {
      if (found.mark !== undefined || mark === undefined) return found;
      found.mark = mark;
      this.#save();
      return found;
    }
    // One that came back from the browser's cache is a new page.
    if (found) of.known.splice(of.known.indexOf(found), 1);
    const known = { name: `f${of.next}`, frameId, documentId, ...(mark === undefined ? {} : { mark }) };
    of.next += 1;
    of.known.push(known);
    this.#save();
    return known;
  }

  /** @param {number} tabId @param {string} name @returns {Known | undefined} */
  named(tabId, name) {
    return this.tabs.get(tabId)?.known.find((known) => known.name === name);
  }

  /** The name of the frame that a handle is in; undefined if it is in the page itself. @param {number} tabId @param {string} session @param {string} handle */
  of(tabId, session, handle) {
    return this.tabs.get(tabId)?.handles.get(`${session}/${handle}`);
  }

  /** Handles of the frame are handed out. @param {number} tabId @param {string} session @param {string} name @param {string[]} handles */
  hand(tabId, session, name, handles) {
    const known = this.tabs.get(tabId)?.handles;
    if (!known || handles.length === 0) return;
    for (const handle of handles) {
      known.delete(`${session}/${handle}`);
      known.set(`${session}/${handle}`, name);
    }
    for (const oldest of known.keys()) {
      if (known.size <= HANDLES_MAX) break;
      known.delete(oldest);
    }
    this.#save();
  }

  /** @param {number} tabId */
  drop(tabId) {
    if (this.tabs.delete(tabId)) this.#save();
  }

  #save() {
    const frames = [...this.tabs].map(([tabId, { handles, ...rest }]) => [tabId, { ...rest, handles: [...handles] }]);
    void this.session?.set({ frames });
  }
}
