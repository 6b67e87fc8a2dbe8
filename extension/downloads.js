/**
 * Downloads that acts begin, to be told among their effects. The browser does not say which tab a download is from, so
 * what no act has fetched itself is matched: by a navigation of the act's tab that ended in it, by the address that the
 * page asked for, or by the page that it was asked from. What fits several acts, or a page that several tabs show, is told
 * by none, and only listed.
 * What a session's acts have begun is known for later waits and lists, also to the next worker.
 */

import { factsOf, isAllThere, isHeld, itemOf, nameOf, progressOf } from './download-item.js';

/** How long a download is waited for that the page has asked for: its server has to answer first. */
const BEGIN_MS = 500;
/** And how long its name, which the browser finds a moment later. */
const NAME_MS = 200;
const LOOK_MS = 20;
/** How long one that an act fetches may take to be known by its number, once the browser has told of it. */
const FETCHED_MS = 200;
/** How many downloads are known for later. */
const KEPT_MAX = 500;
/** The browser's error for a navigation that became a download. */
const ABORTED = 'net::ERR_ABORTED';

/** @typedef {import('./effects.js').Effects} Effects */
/** @typedef {Pick<chrome.downloads.DownloadItem, 'id' | 'url' | 'finalUrl' | 'referrer'>} Begun */
/** `tabs`: its own, and those that it opens. @typedef {{ tabId: number, tabs: Set<number>, effects: Effects, session: string, begun: Begun[] }} Act */
/**
 * A download of a session's acts. `told`: the session knows that it is complete; `past`: and has acted since, so that no
 * wait is for it; `ambiguous`: it may as well be of another act, or of the person.
 * @typedef {{ id: number, session: string, told?: true, past?: true, ambiguous?: true }} Kept
 */

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
    /** What acts have fetched by an address, the last one at the end. @type {Map<number, Effects>} */
    this.fetched = new Map();
    /** The addresses that are asked for just now. @type {Map<Promise<unknown>, string>} */
    this.fetching = new Map();
    navigations.watchers.add((event) => {
      if (event.kind !== 'failed' || event.error !== ABORTED) return;
      for (const { tabs, effects } of this.acts.values()) if (tabs.has(event.tabId)) effects.asked.add(event.url);
    });
  }

  async load() {
    this.kept = (await this.area.get('downloads')).downloads ?? [];
  }

  /** An act begins: what is complete and known to be so, no later wait is for. @param {number} tabId @param {Effects} effects @param {string} session */
  begin(tabId, effects, session) {
    const isOver = (/** @type {Kept} */ it) => it.session === session && it.told && !it.past;
    if (this.kept.some(isOver)) this.#keep(this.kept.map((it) => (isOver(it) ? { ...it, past: true } : it)));
    this.watch(tabId, effects, session);
  }

  /** Downloads that the tab begins from now on are the session's. @param {number} tabId @param {Effects} effects @param {string} session */
  watch(tabId, effects, session) {
    this.acts.set(effects, { tabId, tabs: new Set([tabId]), effects, session, begun: [] });
  }

  /** @param {Effects} effects */
  unwatch(effects) {
    this.acts.delete(effects);
  }

  /** A page has opened a tab, which may be for a download. @param {{ sourceTabId: number, tabId: number }} opened */
  opened({ sourceTabId, tabId }) {
    for (const { tabs } of this.acts.values()) if (tabs.has(sourceTabId)) tabs.add(tabId);
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
    const { own, maybe } = await this.#sorted(act);
    this.acts.delete(effects);
    const all = await Promise.all(own.map(told));
    effects.downloads.push(...all);
    const { session } = act;
    this.#add(maybe.map(({ id }) => ({ id, session, ambiguous: true })));
    this.#add(own.map(({ id }) => ({ id, session })));
    this.#tell(own.filter((_, at) => all[at].state === 'complete').map(({ id }) => id));
  }

  /**
   * The first download that the act has begun so far; `ambiguous`: one began that may as well be of another tab.
   * @param {Effects} effects @returns {Promise<{ id?: number, ambiguous: boolean }>}
   */
  async begunBy(effects) {
    const act = this.acts.get(effects);
    if (act === undefined) return { ambiguous: false };
    const { own, maybe } = await this.#sorted(act);
    if (own.length > 0) this.#add([{ id: own[0].id, session: act.session }]);
    return { id: own[0]?.id, ambiguous: maybe.length > 0 };
  }

  /** Fetches an address for an act, with the person's cookies. @param {Effects} effects @param {string} session @param {string} url */
  async fetch(effects, session, url) {
    const begun = chrome.downloads.download({ url, conflictAction: 'uniquify' });
    this.fetching.set(begun, url);
    try {
      const id = await begun;
      this.fetched.set(id, effects);
      for (const oldest of this.fetched.keys()) if (this.fetched.size > KEPT_MAX) this.fetched.delete(oldest);
      this.#add([{ id, session }]);
      return id;
    } finally {
      this.fetching.delete(begun);
    }
  }

  /**
   * What the session's acts have begun, and what may be theirs, the last one at the end.
   * @param {string} session @returns {Promise<import('./contract.js').DownloadListData['downloads']>}
   */
  async list(session) {
    const own = this.kept.filter((it) => it.session === session);
    const items = await Promise.all(own.map(({ id }) => itemOf(id)));
    return items.flatMap((item, at) => {
      if (item === undefined) return [];
      return {
        ...factsOf(item),
        state: isAllThere(item) && isHeld(item, Date.parse(item.startTime)) ? 'waiting' : item.state,
        ...(/^https?:/.test(item.url) ? { url: item.url } : {}),
        ...(item.error ? { error: item.error } : {}),
        ...(own[at].ambiguous ? { ambiguous: true } : {}),
      };
    });
  }

  /**
   * A complete download of the session's acts, or of what is watched, the last one if there are several; `there`: what is
   * there if none is.
   * @param {Effects} effects of the watch @param {string} session @param {string} name or a part of it
   * @returns {Promise<{ complete?: { name: string, bytes: number }, there: string }>}
   */
  async lookFor(effects, session, name) {
    const watched = this.acts.get(effects);
    if (watched) this.#add((await this.#sorted(watched)).own.map(({ id }) => ({ id, session })));
    let there = 'no act of the session has begun a download';
    for (const kept of this.kept.filter((it) => it.session === session && !it.past && !it.ambiguous).reverse()) {
      const item = await itemOf(kept.id);
      if (!item || !nameOf(item).toLowerCase().includes(name.toLowerCase())) continue;
      if (item.state === 'complete') {
        this.#tell([kept.id]);
        return { complete: { name: nameOf(item), bytes: item.bytesReceived }, there };
      }
      there = progressOf(item);
    }
    return { there };
  }

  /** The session is told that these are complete. @param {number[]} ids */
  #tell(ids) {
    if (ids.length === 0) return;
    this.#keep(this.kept.map((it) => (ids.includes(it.id) && !it.ambiguous ? { ...it, told: true } : it)));
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

  /** What began during an act: what is its own, and what may be. @param {Act} act */
  async #sorted(act) {
    /** @type {{ own: Begun[], maybe: Begun[], other: Begun[] }} */
    const sorted = { own: [], maybe: [], other: [] };
    for (const item of act.begun) sorted[await this.#whose(act, item)].push(item);
    return sorted;
  }

  /** Whether a download is of this act, and of no other one. @param {Act} act @param {Begun} item */
  async #whose(act, item) {
    const asking = [...this.fetching].filter(([, url]) => url === item.url).map(([begun]) => begun);
    if (asking.length > 0) await Promise.race([Promise.allSettled(asking), pause(FETCHED_MS)]);
    const fetcher = this.fetched.get(item.id);
    if (fetcher) return fetcher === act.effects ? 'own' : 'other';
    const others = [...this.acts.values()].filter((other) => other !== act);
    const isAskedElsewhere = others.some((other) => asked(other, item));
    if (asked(act, item)) return isAskedElsewhere ? 'maybe' : 'own';
    if (item.referrer === '' || isAskedElsewhere) return 'other';
    const tabs = await chrome.tabs.query({}).catch(() => []);
    const from = tabs.filter(({ url }) => url !== undefined && bare(url) === bare(item.referrer ?? ''));
    if (from.length > 0) {
      if (!from.some(({ id }) => id === act.tabId)) return 'other';
      return from.length === 1 ? 'own' : 'maybe';
    }
    // The page was left, or it is in a frame.
    const frames = (await chrome.webNavigation.getAllFrames({ tabId: act.tabId }).catch(() => null)) ?? [];
    if (!frames.some(({ url }) => bare(url) === bare(item.referrer ?? ''))) return 'other';
    return others.length === 0 ? 'own' : 'maybe';
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
  let item = /** @type {import('./download-item.js').Item | undefined} */ (undefined);
  await until(NAME_MS, async () => {
    item = await itemOf(begun.id);
    return item === undefined || item.filename !== '';
  });
  return { name: nameOf(item ?? { ...begun, filename: '' }), state: item?.state ?? 'interrupted' };
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something is so, but no longer than this. @param {number} ms @param {() => boolean | Promise<boolean>} isSo */
async function until(ms, isSo) {
  for (const end = Date.now() + ms; !(await isSo()) && Date.now() < end; ) await pause(LOOK_MS);
}
