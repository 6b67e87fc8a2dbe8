/**
 * Which function carries out which action. An action that only reads the page, through the page command of its own name,
 * needs neither a line here nor a function: `readPage` is for all of them.
 */

import * as act from './act.js';
import * as debug from './debug.js';
import * as download from './download.js';
import * as fill from './fill.js';
import { frames } from './frames.js';
import * as human from './human.js';
import * as keyboard from './keyboard.js';
import * as navigate from './navigate.js';
import { save } from './save.js';
import { screenshot } from './screenshot.js';
import { snapshot } from './snapshot.js';
import * as tabs from './tabs.js';
import { upload } from './upload.js';
import { wait } from './wait.js';

/**
 * @typedef {import('../contract.js').ActionName} ActionName
 */

/**
 * What an action gets; `signal` aborts at the deadline, `hurry` when nobody waits for the answer any more. `order` is
 * what every command in the page is told; `document` is the mark of the document that acts are for, undefined if any will
 * do; `done` counts the steps that were done; `effects` gathers what came of an act.
 * @template {ActionName} [Name=ActionName]
 * @typedef {{
 *   id: string, action: Name, params: import('../contract.js').ParamsOf[Name], session: string, tabId: number,
 *   deadline: number, order: PageOrder, document: string | undefined, done: number, effects: import('../effects.js').Effects,
 *   signal: AbortSignal, hurry: AbortSignal, driver: import('../page-driver.js').PageDriver,
 *   navigations: import('../navigation.js').Navigations, groups: import('../groups.js').Groups, windows: import('../windows.js').Windows,
 *   trace: import('../trace.js').Trace, downloads: import('../downloads.js').Downloads, files: import('../session-files.js').SessionFiles,
 * }} Context
 */

/**
 * The data that an action gives: what clients get, where the daemon does not make that itself, but for what every act
 * answers.
 * @template {ActionName} Name
 * @typedef {Name extends keyof import('../contract.js').DataOf
 *   ? Omit<import('../contract.js').DataOf[Name], 'effects' | 'hidden' | 'suggestedAction'> : object} DataOf
 */

/**
 * @template {ActionName} [Name=ActionName]
 * @typedef {(context: Context<Name>) => Promise<{ data: DataOf<Name>, page: import('../protocol.js').Page }>} Action
 */

/**
 * Every action that is not the page command of its own name alone.
 * @satisfies {{ [Name in Exclude<ActionName, PageRead>]: Action<Name> }}
 */
export const HANDLERS = Object.freeze({
  'tab.open': tabs.open,
  'tab.close': tabs.close,
  'tab.pin': tabs.pin,
  'tab.unpin': tabs.unpin,
  'tab.activate': tabs.activate,
  navigate: navigate.navigate,
  back: navigate.back,
  forward: navigate.forward,
  reload: navigate.reload,
  scroll: act.scroll,
  click: act.click,
  hover: act.hover,
  drag: act.drag,
  'select-text': act.selectText,
  press: keyboard.press,
  type: keyboard.type,
  fill: fill.fill,
  'fill-form': fill.fillForm,
  select: act.select,
  upload,
  download: download.download,
  'download.list': download.list,
  save,
  screenshot,
  wait,
  frames,
  snapshot,
  'require-human': human.requireHuman,
  'debug.log': debug.log,
});

/** @type {Action<PageRead>} */
export const readPage = ({ driver, tabId, action, params, order }) => driver.read(tabId, action, params, order);

/**
 * @param {ActionName} name
 * @returns {Action}
 */
export function actionNamed(name) {
  /** @type {Partial<Record<ActionName, unknown>>} */
  const handlers = HANDLERS;
  // Each takes the parameters of its own name alone, as the commands that it gets were checked to have.
  return /** @type {Action} */ (handlers[name] ?? readPage);
}
