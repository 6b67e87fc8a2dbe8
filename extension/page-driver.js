/**
 * The way into a page: runs commands of the page scripts in the isolated world, injecting the scripts first if this
 * document does not have them, and single functions in the page's own world. Actions know only the interface
 * `PageDriver`; only this file knows how the browser runs scripts.
 */

import { beginning, LATE } from './beginning.js';
import { DocumentGone, PageBlocked, throwExplained, throwExplainedOf } from './browser-errors.js';
import { ActionError } from './protocol.js';

/**
 * What actions use. Everything rejects with an `ActionError`.
 * @typedef {object} PageDriver
 * @property {<Name extends PageCommandName>(tabId: number, command: Name, params: PageParams<Name>, order: PageOrder) => Promise<PageResult<Name>>} run
 *   runs a command in the tab's page: in the frames that its targets name
 * @property {<Name extends PageCommandName>(tabId: number, command: Name, params: PageParams<Name>, order: PageOrder) => Promise<PageResult<Name>>} read
 *   the same, once more if the page is replaced in the middle: for commands that change nothing. Over all frames
 * @property {(tabId: number) => void} prepare
 *   a new document is going to be asked what it is: the scripts for that are loaded while it loads
 * @property {(tabId: number, reading: string) => void} told
 *   the answer of this command was sent: the numbers that it tells are the elements' from now on
 * @property {<Args extends unknown[], Value>(tabId: number, run: (...args: Args) => Value, args: Args, order?: PageOrder) => Promise<Value | undefined>} runInMainWorld
 *   runs a function, which travels as text, in the page's own world, in the frame that the command of this order acts in; undefined if its document went away
 * @property {(tabId: number, order: PageOrder) => Promise<{ data: import('./contract.js').FramesData, page: import('./protocol.js').Page }>} frames
 *   the frames of the tab's page
 * @property {<Args extends unknown[], Value>(tabId: number, world: 'MAIN' | 'ISOLATED', run: (...args: Args) => Value, args: Args) => Promise<(Value | undefined)[]>} runInFrames
 *   runs a function, which travels as text, in every frame that scripts may enter
 * @property {(tabId: number) => Promise<chrome.tabs.Tab>} tab
 *   what the browser knows of the tab
 * @property {(tabId: number) => Promise<import('./protocol.js').Page>} page
 *   the page as it says itself, or as the browser knows it if the page does not answer at once
 */

/** How long a page may take to say what it is, where the answer does not depend on it. */
const PAGE_MS = 500;

/** Scripts that take longer to load stand still: their document is in the browser's cache, or shows a dialog. */
const LOADING_MS = 1_000;

/** What a page is told of with. They come first, alone: all the others take ten times as long to load. */
export const BASE_SCRIPTS = Object.freeze([
  'page/commands.js',
  'page/own.js',
  'page/elements.js',
  'page/frames.js',
  'page/interstitial.js',
  'page/registry.js',
]);

/** The page scripts, each after those that it builds on. */
export const PAGE_SCRIPTS = Object.freeze([
  ...BASE_SCRIPTS,
  'page/suspects.js',
  'page/sight.js',
  'page/secrets.js',
  'page/selector.js',
  'page/roles.js',
  'page/names.js',
  'page/operable.js',
  'page/accessibility.js',
  'page/find.js',
  'page/read.js',
  'page/controls.js',
  'page/tree.js',
  'page/unchanged.js',
  'page/snapshot.js',
  'page/tables.js',
  'page/lists.js',
  'page/effects.js',
  'page/hit.js',
  'page/locate.js',
  'page/focus.js',
  'page/hover.js',
  'page/pointer.js',
  'page/caret.js',
  'page/dismiss.js',
  'page/click.js',
  'page/native-drag.js',
  'page/transfer.js',
  'page/drop.js',
  'page/drag.js',
  'page/select-text.js',
  'page/requests.js',
  'page/capture.js',
  'page/opens.js',
  'page/file-field.js',
  'page/upload.js',
  'page/scroll.js',
  'page/select.js',
  'page/field.js',
  'page/held.js',
  'page/fill.js',
  'page/keys.js',
  'page/keyboard.js',
  'page/editing.js',
  'page/clipboard.js',
  'page/caret-moves.js',
  'page/adjusting.js',
  'page/segments.js',
  'page/tabbing.js',
  'page/reactions.js',
  'page/typing.js',
  'page/settle.js',
  'page/conditions.js',
  'page/picture.js',
  'page/answers.js',
  'page/rest.js',
]);

const REST_SCRIPTS = PAGE_SCRIPTS.slice(BASE_SCRIPTS.length);

/** Which page scripts a document lacks. @typedef {'all' | 'rest'} Missing */

/** How scripts are run in one document. Which one an action means is known to `FramedDriver`. */
export class ScriptingDriver {
  constructor() {
    /** The frames in which commands under way have numbered elements. @type {Map<string, Set<number>>} */
    this.numbered = new Map();
    /** Documents, by tab and frame, that page scripts are on their way to. @type {Map<string, Promise<unknown>>} */
    this.loading = new Map();
    /** Documents that got the first scripts alone. @type {Set<string>} */
    this.bare = new Set();
  }

  /**
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   * @param {number} [frameId] the document; that of the page itself if absent
   * @returns {Promise<PageResult<Name>>}
   */
  async run(tabId, command, params, order, frameId = 0) {
    const target = { tabId, ...inFrame(frameId) };
    const { version } = chrome.runtime.getManifest();
    const invoke = async () => {
      const begin = beginning();
      const answer = await begin.inTime(
        execute({
          target,
          injectImmediately: true,
          func: invokeInPage,
          args: [version, command, params, order, begin.token, begin.until],
        }),
      );
      if (answer === LATE || answer === '{"expired":true}') throw new PageBlocked();
      // A document that is replaced during the call leaves no result.
      if (typeof answer !== 'string') throw new DocumentGone();
      return /** @type {PageOutcome<Name> | { missing: Missing }} */ (JSON.parse(answer));
    };
    let outcome = await invoke();
    // What was waited for may have been loaded for less, or into a document that is gone.
    for (let tries = 0; 'missing' in outcome && tries < 3; tries += 1) {
      const files = command === 'info' ? BASE_SCRIPTS : outcome.missing === 'all' ? PAGE_SCRIPTS : REST_SCRIPTS;
      await this.load(tabId, frameId, files);
      outcome = await invoke();
    }
    // A page that is asked what it is, is asked for more next.
    if (command === 'info' && this.bare.delete(`${tabId}/${frameId}`)) {
      this.load(tabId, frameId, REST_SCRIPTS).catch(() => {});
    }
    if ('missing' in outcome || 'left' in outcome) throw new DocumentGone();
    const { numbered, ...result } = outcome;
    if (numbered && order.reading !== undefined) {
      const frames = this.numbered.get(order.reading) ?? new Set();
      this.numbered.set(order.reading, frames.add(frameId));
    }
    if ('error' in result) {
      const { code, message, ...more } = result.error;
      throw new ActionError(code, message, more);
    }
    return result;
  }

  /** A new document is going to be asked what it is. @param {number} tabId */
  prepare(tabId) {
    this.load(tabId, 0, BASE_SCRIPTS).catch(() => {});
  }

  /**
   * Loads page scripts, or waits for those that are on their way there.
   * @param {number} tabId @param {number} frameId @param {readonly string[]} files
   */
  async load(tabId, frameId, files) {
    const key = `${tabId}/${frameId}`;
    const underWay = this.loading.get(key);
    if (underWay !== undefined) {
      await Promise.race([underWay.catch(() => {}), new Promise((resolve) => setTimeout(resolve, LOADING_MS))]);
      if (this.loading.get(key) === underWay) this.loading.delete(key);
      return;
    }
    const loading = execute({ target: { tabId, ...inFrame(frameId) }, injectImmediately: true, files: [...files] });
    this.loading.set(key, loading);
    if (files === BASE_SCRIPTS) this.bare.add(key);
    else this.bare.delete(key);
    try {
      await loading;
    } finally {
      if (this.loading.get(key) === loading) this.loading.delete(key);
    }
  }

  /** @param {number} tabId @param {string} reading */
  told(tabId, reading) {
    for (const frameId of this.numbered.get(reading) ?? []) {
      const target = { tabId, ...inFrame(frameId) };
      execute({ target, injectImmediately: true, func: confirmNumbers, args: [reading] }).catch(() => {});
    }
    this.numbered.delete(reading);
  }

  /**
   * @template {PageCommandName} Name
   * @param {number} tabId
   * @param {Name} command
   * @param {PageParams<Name>} params
   * @param {PageOrder} order
   * @returns {Promise<PageResult<Name>>}
   */
  async read(tabId, command, params, order) {
    try {
      return await this.run(tabId, command, params, order);
    } catch (error) {
      if (!(error instanceof DocumentGone)) throw error;
      return this.run(tabId, command, params, order);
    }
  }

  /**
   * @template {unknown[]} Args
   * @template Value
   * @param {number} tabId
   * @param {(...args: Args) => Value} run
   * @param {Args} args
   * @param {PageOrder} [order]
   * @returns {Promise<Value | undefined>}
   */
  async runInMainWorld(tabId, run, args, order) {
    // Without an order it begins at once: what is sent to a page after it comes after it.
    const frame = order === undefined ? 0 : await this.frameOfAct(tabId, order);
    const target = { tabId, ...inFrame(frame) };
    const value = await execute({ target, world: 'MAIN', injectImmediately: true, func: run, args });
    return /** @type {Value | undefined} */ (value);
  }

  /** The document that the command of this order acts in. @param {number} _tabId @param {PageOrder} [_order] */
  async frameOfAct(_tabId, _order) {
    return 0;
  }

  /**
   * @template {unknown[]} Args
   * @template Value
   * @param {number} tabId
   * @param {'MAIN' | 'ISOLATED'} world
   * @param {(...args: Args) => Value} run
   * @param {Args} args
   * @returns {Promise<(Value | undefined)[]>}
   */
  async runInFrames(tabId, world, run, args) {
    const injection = { target: { tabId, allFrames: true }, world, injectImmediately: true, func: run, args };
    const frames = await chrome.scripting.executeScript(injection).catch((error) => throwExplainedOf(tabId, error));
    return frames.map(({ result }) => /** @type {Value | undefined} */ (result));
  }

  /** @param {number} tabId @returns {Promise<chrome.tabs.Tab>} */
  tab(tabId) {
    return chrome.tabs.get(tabId).catch(throwExplained);
  }

  /** @param {number} tabId @returns {Promise<import('./protocol.js').Page>} */
  async page(tabId) {
    const said = this.read(tabId, 'info', {}, { until: Date.now() + PAGE_MS }).then(
      ({ page }) => page,
      () => null,
    );
    const late = new Promise((resolve) => setTimeout(resolve, PAGE_MS, null));
    return (await Promise.race([said, late])) ?? tabPage(await this.tab(tabId));
  }
}

/** @param {number} frameId */
const inFrame = (frameId) => (frameId === 0 ? {} : { frameIds: [frameId] });

/**
 * Runs in the page. It is sent as text, so everything it needs is an argument.
 * @template {PageCommandName} Name
 * @param {string} version
 * @param {Name} command
 * @param {PageParams<Name>} params
 * @param {PageOrder} order
 * @param {string} begun tells the worker that it runs
 * @param {number} startBy unix ms: from then on nothing is done
 */
function invokeInPage(version, command, params, order, begun, startBy) {
  // What waited behind a dialog, or a busy page, runs when nobody expects it any more.
  if (Date.now() > startBy) return '{"expired":true}';
  const page = globalThis.bproxy;
  if (page?.version !== version) return '{"missing":"all"}';
  if (!page.isWhole && command !== 'info') return '{"missing":"rest"}';
  // Only what may take long has to say so: a message costs as much as a short read.
  const takesLong = order?.act !== undefined || page.own.getElementsByTagName(document, '*').length > 10_000;
  if (takesLong && command !== 'settle') chrome.runtime.sendMessage({ begun }).catch(() => {});
  // A string is passed from the page to the worker far faster than a tree of values.
  const outcome = page.invoke(command, params, order);
  return outcome instanceof Promise ? outcome.then((done) => JSON.stringify(done)) : JSON.stringify(outcome);
}

/** Runs in the page. @param {string} reading */
function confirmNumbers(reading) {
  globalThis.bproxy?.told?.(reading);
}

/**
 * @template {unknown[]} Args
 * @param {chrome.scripting.ScriptInjection<Args, unknown>} injection
 * @returns {Promise<unknown>} what the script in the main frame gave
 */
async function execute(injection) {
  const [frame] = await chrome.scripting
    .executeScript(injection)
    .catch((error) => throwExplainedOf(injection.target.tabId, error));
  return frame?.result;
}

/**
 * What the browser knows about a page without running a script in it.
 * @param {chrome.tabs.Tab | undefined} tab
 * @returns {import('./protocol.js').Page}
 */
export function tabPage(tab) {
  return {
    url: tab?.url ?? '',
    title: tab?.title ?? '',
    state: tab?.status === 'complete' ? 'ready' : tab?.status === 'unloaded' ? 'error' : 'loading',
    busy: false,
  };
}
