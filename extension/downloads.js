/**
 * Downloads that acts begin, to be told among their effects. The browser does not say which tab a download is from, so it
 * is matched: by a navigation of the act's tab that ended in it, by the address that the page asked for, or by the page
 * that it was asked from. What fits several acts, or a page that several tabs show, is told by none.
 */

/** How long a download is waited for that the page has asked for: its server has to answer first. */
const BEGIN_MS = 500;
/** And how long its name, which the browser finds a moment later. */
const NAME_MS = 200;
const LOOK_MS = 20;
/** The browser's error for a navigation that became a download. */
const ABORTED = 'net::ERR_ABORTED';

/** @typedef {import('./effects.js').Effects} Effects */
/** @typedef {Pick<chrome.downloads.DownloadItem, 'id' | 'url' | 'finalUrl' | 'referrer'>} Begun */
/** @typedef {{ tabId: number, effects: Effects, begun: Begun[] }} Act */

export class Downloads {
  /** @param {{ navigations: Pick<import('./navigation.js').Navigations, 'watchers'> }} parts */
  constructor({ navigations }) {
    /** @type {Map<Effects, Act>} */
    this.acts = new Map();
    navigations.watchers.add((event) => {
      if (event.kind !== 'failed' || event.error !== ABORTED) return;
      for (const { tabId, effects } of this.acts.values()) if (tabId === event.tabId) effects.asked.add(event.url);
    });
  }

  /** @param {number} tabId @param {Effects} effects */
  begin(tabId, effects) {
    this.acts.set(effects, { tabId, effects, begun: [] });
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
    const own = [];
    for (const item of act.begun) if (await this.#isOf(act, item)) own.push(item);
    this.acts.delete(effects);
    effects.downloads.push(...(await Promise.all(own.map(told))));
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
  const name = item?.filename.split(/[\\/]/).at(-1) || nameIn(begun.finalUrl || begun.url);
  return { name, state: item?.state ?? 'interrupted' };
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
