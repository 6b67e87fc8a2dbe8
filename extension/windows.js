/**
 * Each session's own window, if it has one: opened for pictures and for pages that must be drawn. Kept in
 * `storage.session`, because windows end with the browser.
 */

/** More than a daemon has sessions. */
const KEEP_COUNT = 1_024;

export class Windows {
  /** @param {import('./storage.js').Area} session */
  constructor(session) {
    this.session = session;
  }

  /** The session's window, if it is open. @param {string} name @returns {Promise<number | null>} */
  async of(name) {
    const id = (await this.#read())[name];
    if (id === undefined) return null;
    return chrome.windows.get(id).then(
      () => id,
      () => null,
    );
  }

  /** @param {string} name @param {number} id */
  async keep(name, id) {
    const { [name]: _, ...others } = await this.#read();
    const kept = Object.entries(others).slice(1 - KEEP_COUNT);
    await this.session.set({ windows: { ...Object.fromEntries(kept), [name]: id } });
  }

  /** @returns {Promise<Record<string, number>>} */
  async #read() {
    return (await this.session.get('windows')).windows ?? {};
  }
}
