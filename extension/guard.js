/**
 * The guard around an act, on the worker's side: puts it into the page's own world before the act and takes it away
 * afterwards. What it does there is in `page/main-guard.js`.
 */

import { guard, lift } from './page/main-guard.js';

/** A guard that nobody takes away ends after this, however late the deadline is. */
const LONGEST_MS = 30_000;
/** How long the page, and its frames, may take to tell which dialogs were answered there: those that hang never do. */
const PAGE_TELLS_MS = 3_000;
const FRAMES_TELL_MS = 1_000;
/** And how long after the deadline of the act. */
const LATE_MS = 200;

export class Guard {
  /**
   * @param {{
   *   driver: import('./page-driver.js').PageDriver, navigations: import('./navigation.js').Navigations,
   *   effects: import('./effects.js').Effects, tabId: number, act: string, deadline: number,
   *   dialog: import('./contract.js').Dialog | undefined, holds: boolean,
   * }} parts `act`: the name of the events by which it asks the extension's world; `dialog`: how dialogs are answered;
   *   `holds`: the act says what a field holds
   */
  constructor({ driver, navigations, effects, tabId, act, deadline, dialog, holds }) {
    this.driver = driver;
    this.navigations = navigations;
    this.tabId = tabId;
    this.deadline = deadline;
    this.dialog = dialog;
    this.holds = holds;
    this.effects = effects;
    this.act = act;
    this.secret = crypto.randomUUID();
    /** Whether the tab is in front, where dialogs of any frame block it. @type {Promise<boolean> | null} */
    this.inFront = null;
    // A page that comes during the act is guarded as well, as early as can be.
    this.watcher = (/** @type {import('./navigation.js').NavigationEvent} */ { kind, tabId: moved }) => {
      if (kind === 'committed' && moved === tabId) this.#inject();
    };
  }

  /**
   * Puts it into every frame. Nothing is waited for: a page runs what it is sent in that order, so that the act comes
   * after it.
   */
  put() {
    this.#inject();
    this.navigations.watchers.add(this.watcher);
    this.inFront = this.driver.tab(this.tabId).then(
      ({ active }) => active,
      () => false,
    );
  }

  #inject() {
    const { secret, act, dialog, holds } = this;
    const until = Math.min(this.deadline, Date.now() + LONGEST_MS);
    const accepts = dialog?.answer === 'accept';
    const args = /** @type {const} */ ([secret, act, until, accepts, dialog?.text ?? null, holds]);
    this.driver.runInFrames(this.tabId, 'MAIN', guard, [...args]).catch(() => {});
  }

  /** Takes it away; resolves when the effects tell which dialogs were answered. */
  async lift() {
    this.navigations.watchers.delete(this.watcher);
    const { driver, tabId } = this;
    const main = driver.runInMainWorld(tabId, lift, [this.secret]).then((text) => this.#hear([text]));
    const all = driver.runInFrames(tabId, 'MAIN', lift, [this.secret]).then((texts) => this.#hear(texts));
    driver.runInFrames(tabId, 'ISOLATED', stopListening, []).catch(() => {});
    all.catch(() => {});
    // In a tab that is not in front, the dialogs of other frames are answered by the browser itself.
    const everywhere = this.dialog !== undefined || (await this.inFront);
    const left = Math.max(this.deadline - Date.now(), LATE_MS);
    await Promise.all([
      within(Math.min(PAGE_TELLS_MS, left), main),
      everywhere && within(Math.min(FRAMES_TELL_MS, left), all),
    ]);
  }

  /** @param {(string | undefined)[]} texts */
  #hear(texts) {
    for (const text of texts) if (typeof text === 'string') this.effects.dialogs.push(...JSON.parse(text));
  }
}

/** What hangs, or is gone, is not waited for any longer. @param {number} ms @param {Promise<void>} telling */
async function within(ms, telling) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([telling.catch(() => {}), late]);
  clearTimeout(timer);
}

/** Runs in the extension's world of a page: nothing of the act goes on there. */
function stopListening() {
  globalThis.bproxy?.stopListening?.();
}
