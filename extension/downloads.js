/**
 * Downloads that acts begin, to be told among their effects. The browser does not say which tab a download is from, so it
 * is matched: by a navigation of the act's tab that ended in it, by the address that the page asked for, or by the page
 * that it was asked from. What fits several acts, or a page that several tabs show, is told by none.
 * What a session's acts have begun is known for later waits, also to the next worker.
 */

/** How long a download is waited for that the page has asked for: its server has to answer first. */
const BEGIN_MS = 500;
/** And how long its name, which the browser finds a moment later. */
const NAME_MS = 200;
const LOOK_MS = 20;
/** How many downloads are known for later. */
const KEPT_MAX = 100;
/** The browser's error for a navigation that became a download. */
const ABORTED = 'net::ERR_ABORTED';

/** @typedef {import('./effects.js').Effects} Effects */
/** @typedef {Pick<chrome.downloads.DownloadItem, 'id' | 'url' | 'finalUrl' | 'referrer'>} Begun */
/** @typedef {{ tabId: number, effects: Effects, session: string, begun: Begun[] }} Act */
/** A download of a session's acts; `told`: the session knows that it is complete. @typedef {{ id: number, session: string, told: boolean }} Kept */

export class Downloads {
  /**
   * @param {{
   *   navigations: Pick<import('./navigation.js').Navigations, 'watchers'>, area: import('./storage.js').Area,
   * }} parts
   */
  constructor({ navigations, area }) {
    this.area = area;
    /** Of all sessions, the last one at the end. @type {Kept[]} */
    this.kept = [];
    /** @type {Map<Effects, Act>} */
    this.acts = new Map();
    navigations.watchers.add((event) => {
      if (event.kind !== 'failed' || event.error !== ABORTED) return;
      for (const { tabId, effects } of this.acts.values()) if (tabId === event.tabId) effects.asked.add(event.url);
    });
  }

  async load() {
    this.kept = (await this.area.get('downloads')).downloads ?? [];
  }

  /** An act begins: what is complete and known to be so, no later wait is for. @param {number} tabId @param {Effects} effects @param {string} session */
  begin(tabId, effects, session) {
    if (this.kept.some((it) => it.session === session && it.told)) {
      this.#keep(this.kept.filter((it) => it.session !== session || !it.told));
    }
    this.watch(tabId, effects, session);
  }

  /** Downloads that the tab begins from now on are the session's. @param {number} tabId @param {Effects} effects @param {string} session */
  watch(tabId, effects, session) {
    this.acts.set(effects, { tabId, effects, session, begun: [] });
  }

  /** @param {Effects} effects */
  unwatch(effects) {
    this.acts.delete(effects);
  }

  /** A download has begun, in whichever tab. @param {Begun} item */
  created(item) {
    for (const { begun } of this.acts.values()) begun.push(item);
  }

  /** The act is over; resolves when its effects tell of what it downloads. @param {Effects} effects */
  async end(effects) {
    const act = this.acts.get(effects);
    if (act === undefined) return;
    const isAwaited = () => effects.asked.size > 0 && !act.begun.some((item) => asked(act, item));
    await until(BEGIN_MS, () => !isAwaited());
    const own = await this.#own(act);
    this.acts.delete(effects);
    const all = await Promise.all(own.map(told));
    effects.downloads.push(...all);
    this.#add(own.map(({ id }, at) => ({ id, session: act.session, told: all[at].state === 'complete' })));
  }

  /**
   * A complete download of the session's acts, or of what is watched, the last one if there are several; `there`: what is
   * there if none is.
   * @param {Effects} effects of the watch @param {string} session @param {string} name or a part of it
   * @returns {Promise<{ complete?: { name: string, bytes: number }, there: string }>}
   */
  async lookFor(effects, session, name) {
    const watched = this.acts.get(effects);
    if (watched) this.#add((await this.#own(watched)).map(({ id }) => ({ id, session, told: false })));
    let there = 'no act of the session has begun a download';
    for (const kept of this.kept.filter((it) => it.session === session).reverse()) {
      const [item] = await chrome.downloads.search({ id: kept.id });
      const is = item && nameOf(item);
      if (!item || !is?.toLowerCase().includes(name.toLowerCase())) continue;
      if (item.state === 'complete') {
        kept.told = true;
        this.#keep(this.kept);
        return { complete: { name: is, bytes: item.bytesReceived }, there };
      }
      const why = item.error ? ` (${item.error})` : '';
      there = `${is} is ${item.state.replace('_', ' ')}${why}, with ${item.bytesReceived} bytes`;
    }
    return { there };
  }

  /** @param {Kept[]} more */
  #add(more) {
    const fresh = more.filter(({ id }) => !this.kept.some((it) => it.id === id));
    if (fresh.length > 0) this.#keep([...this.kept, ...fresh].slice(-KEPT_MAX));
  }

  /** @param {Kept[]} kept */
  #keep(kept) {
    this.kept = kept;
    void this.area.set({ downloads: kept });
  }

  /** @param {Act} act @returns {Promise<Begun[]>} */
  async #own(act) {
    const own = [];
    for (const item of act.begun) if (await this.#isOf(act, item)) own.push(item);
    return own;
  }

  /** Whether a download is of this act, and of no other one. @param {Act} act @param {Begun} item */
  async #isOf(act, item) {
    const others = [...this.acts.values()].filter((other) => other !== act);
    if (asked(act, item)) return !others.some((other) => asked(other, item));
    if (item.referrer === '' || others.some((other) => asked(other, item))) return false;
    const tabs = await chrome.tabs.query({}).catch(() => []);
    const from = tabs.filter(({ url }) => url !== undefined && bare(url) === bare(item.referrer ?? ''));
    if (from.length > 0) return from.length === 1 && from[0].id === act.tabId;
    // The page was left, or it is in a frame.
    const frames = (await chrome.webNavigation.getAllFrames({ tabId: act.tabId }).catch(() => null)) ?? [];
    return others.length === 0 && frames.some(({ url }) => bare(url) === bare(item.referrer ?? ''));
  }
}

/** @param {Act} act @param {Begun} item */
function asked({ effects }, { url, finalUrl }) {
  return effects.asked.has(url) || effects.asked.has(finalUrl);
}

/** @param {string} url */
const bare = (url) => url.replace(/#.*/, '');

/** @param {Begun} begun @returns {Promise<{ name: string, state: string }>} */
async function told(begun) {
  let item = /** @type {chrome.downloads.DownloadItem | undefined} */ (undefined);
  await until(NAME_MS, async () => {
    [item] = await chrome.downloads.search({ id: begun.id });
    return item === undefined || item.filename !== '';
  });
  return { name: nameOf(item ?? { ...begun, filename: '' }), state: item?.state ?? 'interrupted' };
}

/** @param {Begun & { filename: string }} item */
function nameOf({ filename, url, finalUrl }) {
  return filename.split(/[\\/]/).at(-1) || nameIn(finalUrl || url);
}

/** What a person would call it while it has no name yet. @param {string} url */
function nameIn(url) {
  if (!/^https?:/.test(url)) return 'download';
  return (
    url
      .replace(/[?#].*/, '')
      .split('/')
      .at(-1) || 'download'
  );
}

/** Waits until something is so, but no longer than this. @param {number} ms @param {() => boolean | Promise<boolean>} isSo */
async function until(ms, isSo) {
  for (const end = Date.now() + ms; !(await isSo()) && Date.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
