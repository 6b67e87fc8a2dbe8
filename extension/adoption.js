/**
 * Tabs that acts open, which become tabs of the act's session: those whose source is the act's tab, made during the act or
 * soon after. One that came to the front is put back at once: the person's tab stays where it was.
 */

/** A page may open a tab a moment after the act. */
const AFTER_MS = 2_000;

/**
 * @typedef {{
 *   effects: import('./effects.js').Effects, fronts: Promise<Map<number, number[]>>, until: number, adopting: Promise<void>[],
 * }} Act `fronts`: the tabs that came to the front of each window since the act began, and the one before
 */

export class Adoption {
  /**
   * @param {{
   *   navigations: import('./navigation.js').Navigations, groups: import('./groups.js').Groups,
   *   tell: (message: Record<string, unknown>) => boolean, now: () => number,
   * }} parts
   */
  constructor({ navigations, groups, tell, now }) {
    this.navigations = navigations;
    this.groups = groups;
    this.tell = tell;
    this.now = now;
    /** The last act in each tab. @type {Map<number, Act>} */
    this.acts = new Map();
  }

  /** @param {number} tabId @param {import('./effects.js').Effects} effects */
  begin(tabId, effects) {
    for (const [known, { until }] of this.acts) if (until < this.now()) this.acts.delete(known);
    const fronts = chrome.tabs.query({ active: true }).then(
      (tabs) => new Map(tabs.map(({ windowId, id }) => [windowId, [/** @type {number} */ (id)]])),
      () => new Map(),
    );
    this.acts.set(tabId, { effects, fronts, until: Number.POSITIVE_INFINITY, adopting: [] });
  }

  /** The act is over; resolves when its effects tell of the tabs that it opened. @param {number} tabId */
  async end(tabId) {
    const act = this.acts.get(tabId);
    if (act === undefined) return;
    act.until = this.now() + AFTER_MS;
    await Promise.all(act.adopting);
    await Promise.all(act.effects.opened.map(whereTo));
  }

  /** A tab came to the front: opened by an act, or by the person's hand. @param {{ tabId: number, windowId: number }} tab */
  activated({ tabId, windowId }) {
    for (const { effects, fronts, until } of this.acts.values()) {
      if (until + AFTER_MS < this.now()) continue;
      void fronts.then((front) => {
        front.set(windowId, [...(front.get(windowId) ?? []), tabId]);
        // It may come to the front a moment after it was opened.
        const opened = effects.opened.find((one) => one.tabId === tabId);
        if (opened) void putBack(front.get(windowId), effects, opened).catch(() => {});
      });
    }
  }

  /** A page has opened a tab. @param {{ sourceTabId: number, tabId: number, url: string }} opened */
  created({ sourceTabId: opener, tabId, url }) {
    const act = this.acts.get(opener);
    const session = this.navigations.held.get(opener);
    if (act === undefined || session === undefined || this.now() > act.until) return;
    this.navigations.hold(tabId, session);
    this.tell({ type: 'tab', session, opener, tabId, url });
    act.adopting.push(this.#adopt(act, { tabId, url }, session).catch(() => {}));
  }

  /** @param {Act} act @param {import('./effects.js').OpenedTab} opened @param {string} session */
  async #adopt({ effects, fronts }, opened, session) {
    effects.opened.push(opened);
    const [tab, front] = await Promise.all([chrome.tabs.get(opened.tabId), fronts]);
    if (tab.active) await putBack(front.get(tab.windowId), effects, opened);
    // Memory saving would discard the page that the session works on.
    void chrome.tabs.update(opened.tabId, { autoDiscardable: false }).catch(() => {});
    this.groups.add(opened.tabId, session);
  }
}

/**
 * Puts back, once, what was in front before a tab that an act has opened.
 * @param {number[] | undefined} fronts @param {import('./effects.js').Effects} effects @param {import('./effects.js').OpenedTab} opened
 */
async function putBack(fronts, effects, opened) {
  const before = fronts?.findLast((id) => !effects.opened.some(({ tabId }) => tabId === id));
  if (before === undefined || opened.flashed) return;
  opened.flashed = true;
  await chrome.tabs.update(before, { active: true });
}

/** What a page opens empty may be on its way to an address by now. @param {import('./effects.js').OpenedTab} opened */
async function whereTo(opened) {
  const tab = await chrome.tabs.get(opened.tabId).catch(() => undefined);
  const url = tab?.pendingUrl || tab?.url;
  if (url !== undefined && url !== '' && url !== 'about:blank') opened.url = url;
}
