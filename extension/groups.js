/**
 * The tabs of a session in one named tab group, so that the person sees which tabs the agent has.
 * A tab is put there once, when it opens: one that the person drags out stays out, and keeps working.
 */

/** @typedef {{ groupId: number, title: string }} Group */

/** Tabs are added one after the other, so that each finds the group made for the previous one. */
export class Groups {
  /** @param {import('./storage.js').Area} session */
  constructor(session) {
    this.session = session;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
  }

  /** The window that the session's group is in, if it has one. @param {string} name @returns {Promise<number | null>} */
  async window(name) {
    const group = (await this.#read())[name];
    if (group === undefined) return null;
    return chrome.tabGroups.get(group.groupId).then(
      ({ windowId }) => windowId,
      () => null,
    );
  }

  /** @param {number} tabId @param {string} name the session's id */
  add(tabId, name) {
    this.#next(async () => {
      const groups = await this.#read();
      const known = groups[name];
      const there = known !== undefined && (await chrome.tabGroups.get(known.groupId).catch(() => null));
      const groupId = await chrome.tabs.group(there ? { tabIds: tabId, groupId: there.id } : { tabIds: tabId });
      if (there) return;
      const title = known?.title ?? titleOf(name);
      await chrome.tabGroups.update(groupId, { title, color: 'blue' });
      await this.session.set({ groups: { ...groups, [name]: { groupId, title } } });
    });
  }

  /**
   * Updates names (from labels) and colours (from pauses), and forgets the groups of closed sessions.
   * @param {import('./presenter.js').Session[]} sessions
   */
  follow(sessions) {
    this.#next(async () => {
      const groups = await this.#read();
      /** @type {Record<string, Group>} */
      const kept = {};
      for (const { session, label, paused } of sessions) {
        const group = groups[session];
        if (group === undefined) continue;
        const title = titleOf(label || session);
        await chrome.tabGroups.update(group.groupId, { title, color: paused ? 'orange' : 'blue' }).catch(() => {});
        kept[session] = { ...group, title };
      }
      await this.session.set({ groups: kept });
    });
  }

  /** Groups are cosmetic: a failure is ignored. @param {() => Promise<void>} step */
  #next(step) {
    this.last = this.last.then(step).catch(() => {});
  }

  /** @returns {Promise<Record<string, Group>>} */
  async #read() {
    return (await this.session.get('groups')).groups ?? {};
  }
}

/** @param {string} name */
const titleOf = (name) => `bproxy: ${name}`;
