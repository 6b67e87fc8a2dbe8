/**
 * The pages of tabs with all their frames: which document a command is for, reads over all of them, acts in one. How a
 * script is run in a document is known to `ScriptingDriver`, the names of frames to `Frames`.
 */

import { DocumentGone } from './browser-errors.js';
import { approach, find, frameGone, inFrame, retargeted, targetsOf } from './frame-acts.js';
import { again, atFocus, follow, goesToFocus } from './frame-keys.js';
import { coversFrames, isEnough, readAll } from './frame-reads.js';
import { settleAll } from './frame-settle.js';
import { treeOf } from './frame-tree.js';
import { ScriptingDriver } from './page-driver.js';
import { ActionError } from './protocol.js';

/** What is asked of the page itself, whatever act is under way. @type {ReadonlySet<string>} */
const ABOUT_PAGE = new Set(['info', 'sign-in-interstitial', 'picture-window']);
/** Acts that need not be seen to be done. @type {ReadonlySet<string>} */
const UNSEEN = new Set(['scroll', 'look-again', 'upload']);
const CANDIDATES_MAX = 10;

/** @typedef {import('./frame-tree.js').Place} Place */
/** @typedef {import('./page-driver.js').PageDriver} PageDriver */

/**
 * The frame that the last act of a tab is in. `until` is that of its command, by which its steps are known; `began`:
 * something was done.
 * @typedef {{ name: string, frameId: number, mark: string, until: number | undefined, began: boolean, place: Place }} Acting
 * The documents that keys of a command went to, the last one at the end; null: the page itself.
 * @typedef {{ until: number | undefined, places: (Place | null)[] }} Visited
 */

/** @implements {PageDriver} */
export class FramedDriver extends ScriptingDriver {
  /** @param {import('./frames.js').Frames} frames */
  constructor(frames) {
    super();
    this.known = frames;
    /** @type {Map<number, Acting>} */
    this.acting = new Map();
    /** @type {Map<number, Visited>} */
    this.visited = new Map();
  }

  /**
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   * @returns {Promise<PageResult<Name>>}
   */
  async run(tabId, command, params, order) {
    if (coversFrames(command)) return this.readAll(tabId, command, params, order);
    if (command === 'settle') return this.settle(tabId, params, order);
    const isKey = goesToFocus(command);
    if (isKey && targetsOf(params).length === 0) return atFocus(this, tabId, command, params, order);
    const acting = stepOf(this.acting.get(tabId), order);
    // Steps of an act that name no element are for the document that the act is in.
    const isStep = !ABOUT_PAGE.has(command) && targetsOf(params).length === 0 && !('frame' in params);
    if (isStep && acting) return this.step(tabId, acting, command, params, order);
    const groups = await this.groups(tabId, params, order);
    /** @type {PageResult<Name> | undefined} */
    let result;
    /** What the documents say of each field, in the order of the form. @type {unknown[]} */
    const each = [];
    for (const { name, given, at } of groups) {
      const acts =
        name === undefined ? this.ask(tabId, 0, command, given, order) : this.act(tabId, name, command, given, order);
      result = await acts.catch((error) => this.refused(tabId, name, atField(error, at), order));
      for (const [index, field] of at.entries()) each[field] = /** @type {any} */ (result.data).each?.[index];
      if (name === undefined && targetsOf(given).length > 0) this.acting.delete(tabId);
    }
    const last = /** @type {PageResult<Name>} */ (result);
    if (isKey)
      return follow(this, tabId, stepOf(this.acting.get(tabId), order)?.place ?? null, last, command, params, order);
    return each.length === 0 ? last : { ...last, data: { ...last.data, each } };
  }

  /** @param {number} tabId @param {PageOrder} [order] */
  async frameOfAct(tabId, order) {
    return (order && stepOf(this.acting.get(tabId), order))?.frameId ?? 0;
  }

  /** @param {number} tabId @param {PageOrder} order */
  async frames(tabId, order) {
    const { root, page } = await this.tree(tabId, order);
    /** @param {Place} place @returns {import('./contract.js').FramesData['frames']} */
    const told = ({ known, parent, children, url, name, readable, visible, why }) => [
      ...(known === null
        ? []
        : [
            {
              frame: known.name,
              url,
              readable,
              visible,
              ...(name === '' ? {} : { name }),
              ...(parent?.known ? { parent: parent.known.name } : {}),
              ...(why === undefined ? {} : { why }),
            },
          ]),
      ...children.flatMap(told),
    ];
    return { data: { frames: told(root) }, page };
  }

  // ---- Documents ----

  /**
   * Asks one document.
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {number} frameId
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   */
  ask(tabId, frameId, command, params, order) {
    return super.run(tabId, command, params, order, frameId);
  }

  /**
   * The tree of frames, and the page at its top. Frames other than those of `chain` are not asked.
   * @param {number} tabId @param {PageOrder} order @param {Set<number>} [chain]
   */
  async tree(tabId, order, chain) {
    /** @type {import('./protocol.js').Page | undefined} */
    let page;
    const root = await treeOf(
      tabId,
      this.known,
      async (frameId) => {
        const answer = await this.ask(tabId, frameId, 'where', {}, frameId === 0 ? order : ofFrame(order));
        if (frameId === 0) page = answer.page;
        return answer;
      },
      chain,
    );
    return { root, page: /** @type {import('./protocol.js').Page} */ (page) };
  }

  // ---- Reads ----

  /**
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   * @returns {Promise<PageResult<Name>>}
   */
  async readAll(tabId, command, params, order) {
    const { frame, ...rest } = /** @type {any} */ (params);
    const [target] = targetsOf(rest);
    const found = target && 'find' in target ? await this.search(tabId, target, order) : undefined;
    const name = found ? found.name : (frame ?? (target && frameOf(this.known, tabId, target, order)));
    const given = target ? retargeted(rest, () => found?.target ?? bare(target)) : rest;
    let answer = null;
    if (name === undefined) {
      answer = await this.ask(tabId, 0, command, given, order);
      const { data, page, frames } = answer;
      if (frames === undefined || isEnough(command, params, data)) return { data, page };
    }
    const { root: top, page } = await this.tree(tabId, order);
    const root = name === undefined ? top : find(top, name);
    if (root === undefined) throw frameGone(name);
    if (!root.readable) throw new ActionError('SCRIPT_ERROR', `frame ${name} cannot be read: ${root.why}`);
    const { data, handles } = await readAll({
      ask: (frameId, inner, innerParams) =>
        this.ask(tabId, frameId, inner, innerParams, frameId === 0 ? order : ofFrame(order)),
      root,
      answer,
      command,
      params: given,
      order,
    });
    for (const [place, names] of handles) {
      if (place.known) this.known.hand(tabId, order.session ?? '', place.known.name, names);
    }
    return { data, page: answer?.page ?? page };
  }

  // ---- Acts ----

  /**
   * The one element that a description fits, in whichever frame it is.
   * @param {number} tabId @param {any} target @param {PageOrder} order
   * @returns {Promise<{ name: string | undefined, target: any }>} its frame, and the target in that
   */
  async search(tabId, { find: criteria, frame }, order) {
    const { nth, ...rest } = criteria;
    const limit = nth === undefined ? CANDIDATES_MAX : nth + 1;
    const free = { session: order.session, until: order.until, document: order.document };
    const first = await this.ask(tabId, 0, 'find', { ...rest, limit: 1, numbered: false }, free);
    // The page itself says what is wrong.
    if (first.frames === undefined && frame === undefined) return { name: undefined, target: { find: criteria } };
    const asked = { ...rest, limit, near: true, ...(frame === undefined ? {} : { frame }) };
    const { data } = await this.readAll(tabId, 'find', { ...asked, numbered: false }, free);
    const { matches, total } = data;
    const what = JSON.stringify(rest);
    if (nth === undefined ? total === 0 : matches.length <= nth) {
      const said = /** @type {any} */ (data).nearest?.map((/** @type {{ said: string }} */ near) => near.said) ?? [];
      const near = said.length > 0 ? `; the nearest are ${said.join(', ')}` : '';
      const few = total > 0 ? `; ${total} are there, and nth ${nth} counts from 0` : near;
      throw new ActionError('ELEMENT_NOT_FOUND', `no visible element in any frame matches ${what}${few}`);
    }
    if (nth === undefined && total > 1) {
      const again = await this.readAll(tabId, 'find', asked, order);
      const candidates = again.data.matches.map((match) => {
        const { n, role, name, frame: inside } = /** @type {any} */ (match);
        return { ...(n === undefined ? {} : { n }), role, name, ...(inside === undefined ? {} : { frame: inside }) };
      });
      const message = `${total} visible elements match ${what}: use the handle of one, or nth`;
      throw new ActionError('SELECTOR_AMBIGUOUS', message, { details: { count: total, candidates } });
    }
    const chosen = matches[nth ?? 0];
    const before = matches.slice(0, nth ?? 0).filter((match) => match.frame === chosen.frame).length;
    return { name: chosen.frame, target: { find: nth === undefined ? rest : { ...rest, nth: before } } };
  }

  /**
   * The parameters of an act, for each frame that they name.
   * @param {number} tabId @param {any} params @param {PageOrder} order
   * @returns {Promise<{ name: string | undefined, given: any, at: number[] }[]>} `at`: the places of the fields in a form
   *   whose fields are in several frames
   */
  async groups(tabId, params, order) {
    const targets = targetsOf(params);
    if (targets.length === 0) {
      const { frame, ...given } = params;
      return [{ name: frame, given: frame === undefined ? params : given, at: [] }];
    }
    /** @type {Map<any, { name: string | undefined, target: any }>} */
    const places = new Map();
    for (const target of targets) {
      const place =
        'find' in target
          ? await this.search(tabId, target, order)
          : { name: frameOf(this.known, tabId, target, order), target: bare(target) };
      places.set(target, place);
    }
    const names = [...new Set([...places.values()].map(({ name }) => name))];
    const inner = (/** @type {any} */ target) => places.get(target)?.target;
    if (names.length === 1) return [{ name: names[0], given: retargeted(params, inner), at: [] }];
    if (!Array.isArray(params.fields)) {
      throw new ActionError(
        'ELEMENT_NOT_ACTIONABLE',
        'the two elements are in different frames, and a drag stays in one: drag there by a distance, or use what the page offers besides, such as keys or a menu',
      );
    }
    return names.map((name) => {
      const isThere = (/** @type {any} */ { target }) => places.get(target)?.name === name;
      const at = [...params.fields.keys()].filter((index) => isThere(params.fields[index]));
      const fields = at.map((index) => params.fields[index]);
      return { name, given: retargeted({ ...params, fields }, inner), at };
    });
  }

  /**
   * Acts in a frame, if a person could reach it.
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {string} name
   * @param {Name} command
   * @param {any} params
   * @param {PageOrder} order
   * @returns {Promise<PageResult<Name>>}
   */
  async act(tabId, name, command, params, order) {
    const before = stepOf(this.acting.get(tabId), order);
    const began = before?.name === name && before.began;
    const { place, page } = await this.reach(tabId, name, order).catch((error) => {
      throw began && error instanceof ActionError && error.code === 'FRAME_NOT_FOUND' ? new DocumentGone() : error;
    });
    const { mark } = /** @type {import('./frames.js').Known} */ (place.known);
    if (mark === undefined || !place.readable) {
      throw new ActionError('ELEMENT_NOT_ACTIONABLE', `frame ${name} cannot be acted in: ${place.why}`);
    }
    /** @type {(place: Place, command: PageCommandName, params: any) => Promise<PageResult<any>>} */
    const ask = ({ known, frameId }, inner, innerParams) => {
      if (known === null) return this.ask(tabId, 0, inner, innerParams, order);
      return this.ask(tabId, frameId, inner, innerParams, { ...order, document: known.mark }).catch((error) => {
        throw inFrame(error, name, began);
      });
    };
    const top = UNSEEN.has(command) ? { page } : await approach(place, targetsOf(params)[0], ask);
    const acting = { name, frameId: place.frameId, mark, until: order.until, began, place };
    this.acting.set(tabId, acting);
    return { ...(await this.step(tabId, acting, command, params, order)), ...top };
  }

  /** A refusal, with the name of the frame that was hit. @param {number} tabId @param {string | undefined} name @param {unknown} error @param {PageOrder} order @returns {Promise<never>} */
  async refused(tabId, name, error, order) {
    if (!(error instanceof ActionError) || typeof error.details?.slot !== 'number') throw error;
    const { slot } = error.details;
    const { root } = await this.tree(tabId, order);
    const around = name === undefined ? root : find(root, name);
    const hit = around?.children.find((child) => child.slot === slot)?.known?.name;
    const instead = hit === undefined ? '' : `: act in frame ${hit} instead, on an element of it`;
    throw new ActionError(error.code, error.message + instead, {
      suggestedAction: hit === undefined ? undefined : `bproxy snapshot --frame ${hit}`,
    });
  }

  /** The place of a frame, with what is around it. @param {number} tabId @param {string} name @param {PageOrder} order */
  async reach(tabId, name, order) {
    const known = this.known.named(tabId, name);
    const chain = known && new Set([0, ...(await this.around(tabId, known.frameId))]);
    let { root, page } = await this.tree(tabId, order, chain);
    let place = find(root, name);
    const isPlaced = (/** @type {Place | null | undefined} */ at) => {
      for (let it = at; it?.parent; it = it.parent) if (it.slot === -1) return false;
      return true;
    };
    // Only with all the others it is known which one this is.
    if (place && !isPlaced(place)) {
      ({ root, page } = await this.tree(tabId, order));
      place = find(root, name);
    }
    if (place === undefined) throw frameGone(name);
    return { place, page };
  }

  // ---- Keys ----

  /** The frame that the keys of this command went to last; null if it is the page itself. @param {number} tabId @param {PageOrder} order */
  async lastIn(tabId, order) {
    return stepOf(this.visited.get(tabId), order)?.places.at(-1) ?? null;
  }

  /** Keys of this command have gone to this document. @param {number} tabId @param {Place | null} place @param {PageOrder} order */
  async actedIn(tabId, place, order) {
    const { until } = order;
    const isOther = (/** @type {Place | null} */ other) => other?.known?.name !== place?.known?.name;
    const before = stepOf(this.visited.get(tabId), order)?.places ?? [];
    this.visited.set(tabId, { until, places: [...before.filter(isOther), place] });
    if (stepOf(this.acting.get(tabId), order)) return;
    if (place === null || place.known === null) this.acting.delete(tabId);
    else {
      const { name, mark = '' } = place.known;
      this.acting.set(tabId, { name, frameId: place.frameId, mark, until, began: true, place });
    }
  }

  /**
   * Asks a document that is known.
   * @param {number} tabId @param {Place | null} place @param {PageCommandName} command @param {any} params @param {PageOrder} order
   * @returns {Promise<PageResult<any>>} with the page as the client knows it
   */
  async askIn(tabId, place, command, params, order) {
    if (place === null || place.known === null) return this.ask(tabId, 0, command, params, order);
    const { name, mark } = place.known;
    const began = this.visited.get(tabId)?.until === order.until;
    try {
      const { data, page } = await this.ask(tabId, place.frameId, command, params, { ...order, document: mark });
      return { data, page: { ...page, document: order.document } };
    } catch (error) {
      throw inFrame(error, name, began);
    }
  }

  /** A document, with the frames in it and around it. @param {number} tabId @param {Place | null} place @param {PageOrder} order */
  async withChildren(tabId, place, order) {
    const listed = (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
    const frameId = place?.frameId ?? 0;
    const children = listed.filter(({ parentFrameId }) => parentFrameId === frameId).map((it) => it.frameId);
    const chain = new Set([0, ...(await this.around(tabId, frameId)), ...children]);
    return again((await this.tree(tabId, order, chain)).root, place);
  }

  /** A frame and those around it. @param {number} tabId @param {number} frameId */
  async around(tabId, frameId) {
    const listed = (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
    const chain = [];
    for (
      let at = listed.find((it) => it.frameId === frameId);
      at;
      at = listed.find((it) => it.frameId === at?.parentFrameId)
    ) {
      chain.push(at.frameId);
    }
    return chain;
  }

  /**
   * One step of an act in a frame.
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {Acting} acting
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   */
  async step(tabId, acting, command, params, order) {
    try {
      const { data, page } = await this.ask(tabId, acting.frameId, command, params, {
        ...order,
        document: acting.mark,
      });
      acting.began ||= command !== 'check-fields';
      return { data, page: { ...page, document: order.document } };
    } catch (error) {
      throw inFrame(error, acting.name, true);
    }
  }

  /**
   * What became of the last act, in every document that it was in, and of the page around them.
   * @param {number} tabId @param {any} params @param {PageOrder} order @returns {Promise<any>}
   */
  settle(tabId, params, order) {
    const acting = stepOf(this.acting.get(tabId), order);
    const places = stepOf(this.visited.get(tabId), order)?.places ?? [];
    /** @type {Map<number, string>} */
    const frames = new Map(acting ? [[acting.frameId, acting.mark]] : []);
    for (const place of places) if (place?.known?.mark) frames.set(place.frameId, place.known.mark);
    return settleAll({
      ask: (frameId, given) =>
        this.ask(tabId, frameId, 'settle', { ...params, ...given }, frameId === 0 ? order : ofFrame(order)),
      isThere: async (frameId) => (await chrome.webNavigation.getFrame({ tabId, frameId }).catch(() => null)) !== null,
      frames,
      acting: acting?.frameId,
    });
  }
}

/** A refusal of a field, with its place in the whole form. @param {unknown} error @param {number[]} at @returns {unknown} */
function atField(error, at) {
  if (!(error instanceof ActionError) || typeof error.details?.field !== 'number') return error;
  const place = at[error.details.field - 1];
  if (place === undefined) return error;
  return new ActionError(error.code, error.message, { ...error, details: { ...error.details, field: place + 1 } });
}

/**
 * The act of which this is another step, if it is in a frame.
 * @template {{ until: number | undefined }} Of @param {Of | undefined} acting @param {PageOrder} order
 */
function stepOf(acting, order) {
  return acting !== undefined && acting.until === order.until ? acting : undefined;
}

/**
 * The frame that a target is in; undefined if it is in the page itself.
 * @param {import('./frames.js').Frames} known @param {number} tabId @param {any} target @param {PageOrder} order
 * @returns {string | undefined}
 */
function frameOf(known, tabId, target, { session = '' }) {
  return 'handle' in target ? known.of(tabId, session, target.handle) : target.frame;
}

/** For a frame: it has its own document. @param {PageOrder} order @returns {PageOrder} */
function ofFrame({ document, ...order }) {
  return order;
}

/** A target as the document of its frame knows it. @param {any} target */
function bare({ frame, ...target }) {
  return target;
}
