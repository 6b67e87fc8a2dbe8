/**
 * The frames of a page as a tree: which there are, in document order, which can be entered, and where each stands among
 * those of the document around it. No message is sent that a page could hear: a frame looks for itself in its parent, and
 * the parent for its frames.
 */

import { explain } from './browser-errors.js';

/** A frame that does not answer for this long, while no other one does, is left out. */
export const ANSWER_MS = 1_000;
/** How long a busy machine takes to give one frame its scripts. */
const ENTER_MS = 100;
/** A frame is waited for as many times longer as the page itself takes to answer: on a busy machine all are slow. */
const BUSY = 5;

/**
 * A document of the page. `slot`: its place among the frames that its parent tells of; -1: it is not known. `why`: why it
 * cannot be entered, or not be acted in.
 * @typedef {object} Place
 * @property {number} frameId
 * @property {string} documentId
 * @property {string} url
 * @property {import('./frames.js').Known | null} known null for the page itself
 * @property {Place | null} parent
 * @property {Place[]} children in document order, those without a slot at the end
 * @property {number} slot
 * @property {number} index its place in its parent's window, or -1
 * @property {boolean} readable
 * @property {boolean} visible whether the frame has a size where it stands
 * @property {string} name what the page calls it
 * @property {{ x: number, y: number }} origin where it is in the tab's window, in CSS pixels
 * @property {string} [why]
 */

/** @typedef {PageData<'where'>} Self */

/**
 * Asks within a time that begins anew whenever any frame answers, and is the longer the slower the page itself answers: a
 * busy machine leaves none out.
 */
export class Patience {
  /**
   * @param {() => Promise<unknown>} page asks the page itself
   * @param {number} [frames] how many are asked: the first answer comes once all that before it were given their scripts
   */
  constructor(page, frames = 0) {
    this.page = page;
    this.last = Date.now() + frames * ENTER_MS;
    /** @type {Promise<void> | null} */
    this.probing = null;
  }

  /** Resolves when the page itself has answered, and its own time has passed so many times again. */
  #probe() {
    const began = Date.now();
    this.probing ??= this.page()
      .catch(() => {})
      .then(() => new Promise((resolve) => setTimeout(resolve, (Date.now() - began) * (BUSY - 1))));
    return this.probing;
  }

  /** @template Value @param {Promise<Value>} asked @returns {Promise<Value>} */
  async wait(asked) {
    let answered = false;
    const silence = async () => {
      for (let probed = false; !answered; ) {
        const left = this.last + ANSWER_MS - Date.now();
        if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
        else if (probed) throw new Silent();
        else {
          await this.#probe();
          probed = true;
        }
      }
    };
    try {
      return /** @type {Value} */ (await Promise.race([asked, silence()]));
    } finally {
      answered = true;
      this.last = Math.max(this.last, Date.now());
    }
  }
}

/** A frame that did not answer in time. */
export class Silent extends Error {
  constructor() {
    super(`it did not answer within ${ANSWER_MS / 1_000} s`);
  }
}

/** Why a frame could not be entered. @param {unknown} error */
export function whyNot(error) {
  if (error instanceof Silent) return error.message;
  const { message } = explain(error);
  return /no extension into this page/.test(message) ? 'the browser lets no extension into it' : message;
}

/**
 * The tree of a tab's frames.
 * @param {number} tabId
 * @param {import('./frames.js').Frames} frames
 * @param {(frameId: number) => Promise<{ data: Self, page: import('./protocol.js').Page, frames?: Framing }>} ask
 *   asks a frame where it is
 * @param {Set<number>} [chain] the frames to ask; all of them if absent
 * @returns {Promise<Place>} the page itself
 */
export async function treeOf(tabId, frames, ask, chain) {
  const listed = ((await chrome.webNavigation.getAllFrames({ tabId })) ?? []).filter(
    ({ documentLifecycle }) => documentLifecycle === undefined || documentLifecycle === 'active',
  );
  frames.seen(tabId, listed);
  const patience = new Patience(() => ask(0), listed.length);
  /** @type {Map<number, { self?: Self, children: Child[], mark?: string, why?: string }>} */
  const answers = new Map();
  await Promise.all(
    listed.map(async ({ frameId }) => {
      if (chain && !chain.has(frameId)) return;
      // Without an answer of the page itself there is no tree.
      if (frameId === 0) return answers.set(0, told(await ask(0)));
      const asked = patience.wait(ask(frameId)).then(told, (error) => ({ children: [], why: whyNot(error) }));
      answers.set(frameId, await asked);
    }),
  );
  const root = placeOf(listed.find(({ frameId }) => frameId === 0) ?? { frameId: 0, documentId: '', url: '' });
  grow(root);
  return root;

  /** @param {Awaited<ReturnType<typeof ask>>} answer */
  function told({ data, page, frames: framing }) {
    return { self: data, children: framing?.children ?? [], mark: page.document };
  }

  /** @param {{ frameId: number, documentId: string, url: string }} frame @returns {Place} */
  function placeOf({ frameId, documentId, url }) {
    const { self, why } = answers.get(frameId) ?? {};
    return {
      frameId,
      documentId,
      url,
      known: null,
      parent: null,
      children: [],
      slot: -1,
      index: self?.index ?? -1,
      readable: why === undefined,
      visible: true,
      name: self?.name ?? '',
      origin: { x: 0, y: 0 },
      ...(why === undefined ? {} : { why }),
    };
  }

  /** @param {Place} place */
  function grow(place) {
    const below = listed.filter(({ parentFrameId }) => parentFrameId === place.frameId);
    const selves = below.map(({ frameId, url }) => ({ url, self: answers.get(frameId)?.self }));
    const children = answers.get(place.frameId)?.children ?? [];
    const slots = placed(selves, children);
    place.children = below.map((frame, at) => {
      const child = children.find(({ slot }) => slot === slots[at]);
      const inner = { ...placeOf(frame), parent: place, slot: slots[at] };
      if (child) {
        const origin = { x: place.origin.x + child.x, y: place.origin.y + child.y };
        return { ...inner, origin, visible: child.visible && place.visible, name: inner.name || child.name };
      }
      const { self } = selves[at];
      const visible = place.visible && self !== undefined && self.width > 0 && self.height > 0;
      return { ...inner, visible, why: inner.why ?? 'its place on the page is ambiguous' };
    });
    place.children.sort((a, b) => (a.slot === -1 ? Infinity : a.slot) - (b.slot === -1 ? Infinity : b.slot) || 0);
    for (const child of place.children) {
      child.known = frames.know(tabId, child, answers.get(child.frameId)?.mark);
      grow(child);
    }
  }
}

/** @typedef {import('./frame-reads.js').Framing} Framing */
/** What a document tells of a frame in it. @typedef {Framing['children'][number]} Child */

/**
 * Which slot each frame has: by what same-origin frames say themselves, by the index among the windows of the parent, else
 * by address, name and size, if those fit one frame and one slot alone.
 * @param {{ url: string, self?: Self }[]} frames
 * @param {Child[]} children
 * @returns {number[]} -1 where it is not known
 */
export function placed(frames, children) {
  /** @type {number[]} */
  const slots = frames.map(() => -1);
  const isFree = (/** @type {Child} */ { slot }) => !slots.includes(slot);
  frames.forEach(({ self }, at) => {
    const said = children.find(({ slot }) => slot === self?.slot);
    if (said && isFree(said)) slots[at] = said.slot;
  });
  frames.forEach(({ self }, at) => {
    if (slots[at] !== -1 || self === undefined || self.index < 0) return;
    const said = children.find(({ index }) => index === self.index);
    if (said && isFree(said)) slots[at] = said.slot;
  });
  // What has an index in its parent, and was not told of there, is no other frame.
  const open = frames.map((_, at) => at).filter((at) => slots[at] === -1 && (frames[at].self?.index ?? -1) < 0);
  const free = children.filter(isFree);
  const fits = (/** @type {number} */ at, /** @type {Child} */ child) => looksLike(frames[at], child);
  const pairs = open.flatMap((at) => {
    const candidates = free.filter((child) => fits(at, child));
    const rivals = candidates.length === 1 ? open.filter((other) => fits(other, candidates[0])) : [];
    return rivals.length === 1 ? [{ at, slot: candidates[0].slot }] : [];
  });
  for (const { at, slot } of pairs) slots[at] = slot;
  return slots;
}

/** @param {{ url: string, self?: Self }} frame @param {Child} child */
function looksLike({ url, self }, { index, url: address, name, width, height }) {
  // One that answered has no index, so it is in a shadow tree: those have none in the parent either.
  if (self !== undefined && index >= 0) return false;
  const bare = (/** @type {string} */ text) => text.replace(/#.*/, '') || 'about:blank';
  if (self === undefined) return bare(url) === bare(address);
  if (self.name !== name) return false;
  const sameSize = Math.abs(self.width - width) <= 1 && Math.abs(self.height - height) <= 1;
  return sameSize && bare(url) === bare(address);
}
