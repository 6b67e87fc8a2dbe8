/** What the browser says of one download, and how it is told. */

/** @typedef {chrome.downloads.DownloadItem} Item */

/**
 * All of a file is there for so long before it counts as kept back: the browser checks and renames it first. Its own
 * checks of one that it holds nothing against may take 5 s where it cannot ask its maker.
 */
const HELD_MS = 5_000;
const HARMLESS_MS = 8_000;

/** @param {Item} item @param {number} since when all of it was there (unix ms) */
export function isHeld({ danger }, since) {
  return Date.now() - since >= (danger === 'safe' ? HARMLESS_MS : HELD_MS);
}

/** @param {number} id @returns {Promise<Item | undefined>} undefined if it was taken out of the browser's list */
export async function itemOf(id) {
  const [item] = await chrome.downloads.search({ id });
  return item;
}

/** Whether nothing of it has to come any more. @param {Item} item */
export function isAllThere({ state, bytesReceived, totalBytes }) {
  return state === 'in_progress' && totalBytes > 0 && bytesReceived >= totalBytes;
}

/** Its name without the folder. @param {{ filename: string, url: string, finalUrl?: string }} item */
export function nameOf({ filename, url, finalUrl }) {
  return filename.split(/[\\/]/).at(-1) || nameIn(finalUrl || url);
}

/** What every answer says of it. @param {Item} item */
export function factsOf(item) {
  return {
    name: nameOf(item),
    bytes: item.bytesReceived,
    mime: item.mime,
    ...(item.state === 'complete' ? { path: item.filename } : {}),
    ...(item.danger === 'safe' ? {} : { danger: item.danger }),
  };
}

/** How far it is, in words. @param {Item} item */
export function progressOf(item) {
  const of = item.totalBytes > 0 ? ` of ${item.totalBytes}` : '';
  const why = item.error ? ` (${item.error})` : '';
  const state = item.paused ? 'paused' : item.state.replace('_', ' ');
  return `${nameOf(item)} is ${state}${why}, with ${item.bytesReceived}${of} bytes`;
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
