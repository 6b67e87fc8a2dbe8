/**
 * One forwarded command from arrival to answer: checked, run at most once, answered once, traced.
 * Which function runs is a frozen map; how it works is the actions' business.
 */

import * as act from './actions/act.js';
import * as debug from './actions/debug.js';
import * as fill from './actions/fill.js';
import * as human from './actions/human.js';
import * as navigate from './actions/navigate.js';
import * as read from './actions/read.js';
import * as screenshot from './actions/screenshot.js';
import * as tabs from './actions/tabs.js';
import * as wait from './actions/wait.js';
import { ActionError, checkCommand, failure, isObject, success } from './protocol.js';

/**
 * @typedef {import('./protocol.js').Command} Command
 * @typedef {{
 *   id: string, action: string, params: Record<string, any>, session: string, tabId: number, deadline: number, signal: AbortSignal,
 *   navigations: import('./navigation.js').Navigations, groups: import('./groups.js').Groups,
 *   trace: import('./storage.js').Trace,
 * }} Context what an action gets; `signal` aborts at the deadline
 * @typedef {(context: Context) => Promise<import('./protocol.js').Result>} Action
 */

/** @type {Readonly<Record<string, Action>>} */
export const ACTIONS = Object.freeze({
  'tab.open': tabs.open,
  'tab.close': tabs.close,
  'tab.pin': tabs.pin,
  'tab.unpin': tabs.unpin,
  'tab.activate': tabs.activate,
  navigate: navigate.navigate,
  text: read.text,
  links: read.links,
  images: read.images,
  elements: read.elements,
  outline: read.outline,
  dom: read.dom,
  inspect: read.inspect,
  snapshot: read.snapshot,
  scroll: act.scroll,
  click: act.click,
  hover: act.hover,
  fill: fill.fill,
  'fill-form': fill.fillForm,
  select: act.select,
  screenshot: screenshot.screenshot,
  wait: wait.wait,
  'require-human': human.requireHuman,
  'debug.log': debug.log,
});

/** What may be done again without harm, should its answer be lost with the worker. */
const READS = new Set([
  'text',
  'links',
  'images',
  'elements',
  'outline',
  'dom',
  'inspect',
  'snapshot',
  'screenshot',
  'wait',
  'debug.log',
]);

export class Dispatcher {
  /**
   * @param {{
   *   actions?: Readonly<Record<string, Action>>,
   *   journal: import('./storage.js').Journal,
   *   trace: import('./storage.js').Trace,
   *   navigations: import('./navigation.js').Navigations,
   *   groups: import('./groups.js').Groups,
   *   send: (text: string) => boolean,
   *   onPause: (session: string, reason: string) => void,
   *   now: () => number,
   * }} parts `onPause` is told when an answer makes the daemon pause a session
   */
  constructor({ actions = ACTIONS, journal, trace, navigations, groups, send, onPause, now }) {
    this.actions = actions;
    this.journal = journal;
    this.trace = trace;
    this.navigations = navigations;
    this.groups = groups;
    this.send = send;
    this.onPause = onPause;
    this.now = now;
    /** @type {Set<string>} ids that run in this worker */
    this.running = new Set();
  }

  /**
   * Takes one message that the daemon forwarded, resolves when it is dealt with.
   * @param {Record<string, unknown>} message
   */
  async receive(message) {
    if (typeof message.id !== 'string') return this.trace.add('bad_message');
    const id = message.id;
    const problem = checkCommand(message);
    if (problem !== null) {
      this.trace.add('refused', { id });
      this.send(JSON.stringify(failure(id, { code: 'SCRIPT_ERROR', message: problem })));
      return;
    }
    const command = /** @type {Command} */ (message);
    const { action, protocol_version: version } = command;
    const tab = command.target?.tabId ?? null;
    // The client may use an id again for something else once it was answered.
    const same = JSON.stringify([action, command.session, tab]);

    if (this.running.has(id)) return this.trace.add('replay_of_running', { id, action, tab });
    const entry = this.journal.find(id, same);
    if (entry?.answer) {
      this.trace.add('replay', { id, action, tab });
      // Laid out anew: the browser's storage does not keep the order of keys.
      const { answer } = entry;
      this.send(
        JSON.stringify(
          answer.ok ? success(id, answer.result, true, version) : failure(id, answer.error, true, version),
        ),
      );
      return;
    }
    if (entry?.acts) {
      this.trace.add('replay_of_lost', { id, action, tab });
      await this.#answer(
        command,
        { ok: false, error: { code: 'SCRIPT_ERROR', message: lost(action), suggestedAction: 'bproxy snapshot' } },
        true,
      );
      return;
    }

    this.running.add(id);
    const acts = !READS.has(action);
    const began = this.now();
    this.trace.add('received', { id, action, tab });
    /** @type {import('./storage.js').Answer} */
    let answer;
    try {
      await this.journal.begin(id, same, acts);
      if (tab !== null) this.navigations.hold(tab, command.session);
      answer = { ok: true, result: await this.#run(command) };
    } catch (error) {
      if (isEnding(error)) {
        // The next worker answers: it reads again, or says that the outcome of an act is unknown.
        this.running.delete(id);
        return this.trace.add('worker_ending', { id, action, tab });
      }
      answer = { ok: false, error: asFailure(error, command.session) };
    }
    this.trace.add('answered', {
      id,
      action,
      tab,
      ok: answer.ok,
      elapsedMs: this.now() - began,
      errorCode: answer.ok ? undefined : answer.error.code,
    });
    await this.#answer(command, answer, acts);
    this.running.delete(id);
    if (!answer.ok && answer.error.code === 'HUMAN_REQUIRED') this.onPause(command.session, answer.error.message);
  }

  /** @param {Command} command @returns {Promise<import('./protocol.js').Result>} */
  #run(command) {
    const { id, action, params, session, deadline } = command;
    const left = deadline - this.now();
    if (left <= 0) throw timedOut(action);
    const controller = new AbortController();
    /** @type {Promise<never>} */
    const expired = new Promise((_, reject) =>
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason)),
    );
    const timer = setTimeout(() => controller.abort(timedOut(action)), left);
    const running = this.actions[action]({
      id,
      action,
      params,
      session,
      tabId: command.target?.tabId ?? -1,
      deadline,
      signal: controller.signal,
      navigations: this.navigations,
      groups: this.groups,
      trace: this.trace,
    });
    // A page that hangs never answers; the command still ends on time.
    return Promise.race([running, expired]).finally(() => clearTimeout(timer));
  }

  /** @param {Command} command @param {import('./storage.js').Answer} answer @param {boolean} acts */
  async #answer({ id, protocol_version: version }, answer, acts) {
    const text = JSON.stringify(
      answer.ok ? success(id, answer.result, false, version) : failure(id, answer.error, false, version),
    );
    // What an act came to must be known to the next worker, should this one end before the answer has left. What was
    // read can be read again: nobody waits for it to be written down.
    if (acts) await this.journal.finish(id, answer, text.length).catch(() => {});
    // With no socket the answer stays in the journal: the daemon asks again when it is back.
    this.send(text);
    if (!acts) void this.journal.finish(id, answer, text.length).catch(() => {});
  }
}

/** @param {string} action */
function timedOut(action) {
  return new ActionError(
    'TIMEOUT',
    `${action} did not end before its deadline: the page may hang, show a dialog or load slowly`,
  );
}

/** @param {string} action */
function lost(action) {
  return `the browser stopped the extension while ${action} ran, so its outcome is unknown: look at the page before you repeat it`;
}

/**
 * The browser's words for a call that a worker makes while it is being ended.
 * @param {unknown} error
 */
function isEnding(error) {
  return error instanceof Error && /\bNo SW$/.test(error.message);
}

/** @param {unknown} error @param {string} session @returns {import('./protocol.js').Failure} */
function asFailure(error, session) {
  if (error instanceof ActionError) {
    const suggestedAction =
      error.suggestedAction && (session ? `${error.suggestedAction} -s ${session}` : error.suggestedAction);
    return { code: error.code, message: error.message, suggestedAction, details: error.details };
  }
  return {
    code: 'SCRIPT_ERROR',
    message: isObject(error) && typeof error.message === 'string' ? error.message : String(error),
  };
}
