/**
 * One forwarded command from arrival to answer: checked, run at most once, answered once, traced.
 * Which function runs is in `actions/index.js`; how it works is the actions' business.
 */

import { actionNamed } from './actions/index.js';
import { ACTIONS } from './contract.js';
import { ActionError, checkCommand, failure, success } from './protocol.js';
import { isObject } from './schema.js';

/**
 * @typedef {import('./protocol.js').Command} Command
 * @typedef {import('./protocol.js').ActionName} ActionName
 * @typedef {import('./dedupe-log.js').Answer} Answer
 * @typedef {import('./dedupe-log.js').Identity} Identity
 */

export class Dispatcher {
  /**
   * @param {{
   *   actions?: (name: ActionName) => import('./actions/index.js').Action,
   *   driver: import('./page-driver.js').PageDriver,
   *   dedupeLog: import('./dedupe-log.js').DedupeLog,
   *   trace: import('./trace.js').Trace,
   *   navigations: import('./navigation.js').Navigations,
   *   documents: import('./documents.js').Documents,
   *   groups: import('./groups.js').Groups,
   *   send: (text: string) => boolean,
   *   onPause: (session: string, reason: string) => void,
   *   now: () => number,
   * }} parts `onPause` is called when an answer makes the daemon pause a session
   */
  constructor({ actions = actionNamed, driver, dedupeLog, trace, navigations, documents, groups, send, onPause, now }) {
    this.actions = actions;
    this.driver = driver;
    this.dedupeLog = dedupeLog;
    this.trace = trace;
    this.navigations = navigations;
    this.documents = documents;
    this.groups = groups;
    this.send = send;
    this.onPause = onPause;
    this.now = now;
    /** @type {Set<string>} commands that run in this worker */
    this.running = new Set();
  }

  /**
   * Handles one message that the daemon forwarded; resolves when it is done.
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
    const { action } = command;
    const tab = command.target?.tabId ?? null;
    // A client may use an id again once it was answered, and two sessions may use the same one at once.
    const whole = JSON.stringify([id, action, command.session, tab, command.params]);
    if (this.running.has(whole)) return this.trace.add('replay_of_running', { id, action, tab });
    this.running.add(whole);
    try {
      await this.#once(command, await identityOf(command));
    } finally {
      this.running.delete(whole);
    }
  }

  /** Answers the command from the log, or carries it out. @param {Command} command @param {Identity} identity */
  async #once(command, identity) {
    const { id, action, protocol_version: version } = command;
    const tab = command.target?.tabId ?? null;
    const entry = this.dedupeLog.find(identity);
    if (entry?.answer) {
      this.trace.add('replay', { id, action, tab });
      // Built again, because the browser's storage does not keep the order of keys.
      this.send(textOf(id, entry.answer, true, version));
      return;
    }
    if (entry?.acts) {
      this.trace.add('replay_of_lost', { id, action, tab });
      await this.#answer(command, identity, { ok: false, error: outcomeUnknown(action) });
      return;
    }

    const began = this.now();
    this.trace.add('received', { id, action, tab });
    /** @type {Answer} */
    let answer;
    try {
      await this.dedupeLog.begin(identity, ACTIONS[action].acts);
      if (tab !== null) this.navigations.hold(tab, command.session);
      answer = { ok: true, result: await this.#run(command) };
    } catch (error) {
      if (isEnding(error)) {
        // The next worker answers: it repeats a read, or reports that the outcome of an act is unknown.
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
    this.#tell(command, answer);
    await this.#answer(command, identity, answer);
    if (!answer.ok && answer.error.code === 'HUMAN_REQUIRED') this.onPause(command.session, answer.error.message);
  }

  /** @param {Command} command @returns {Promise<import('./protocol.js').Result>} */
  #run({ id, action, params, session, deadline, target }) {
    const left = deadline - this.now();
    if (left <= 0) throw timedOut(action);
    const controller = new AbortController();
    /** @type {Promise<never>} */
    const expired = new Promise((_, reject) =>
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason)),
    );
    const timer = setTimeout(() => controller.abort(timedOut(action)), left);
    const running = this.actions(action)({
      id,
      action,
      params,
      session,
      tabId: target?.tabId ?? -1,
      deadline,
      order: { session, until: deadline, el: target?.el, ln: target?.ln },
      document: target === null ? undefined : (target.document ?? this.documents.last(target.tabId, session)),
      done: 0,
      signal: controller.signal,
      driver: this.driver,
      navigations: this.navigations,
      groups: this.groups,
      trace: this.trace,
    });
    // A page that hangs never answers; the command still ends on time.
    return Promise.race([running, expired]).finally(() => clearTimeout(timer));
  }

  /** From now on the session knows of the page that the answer names. @param {Command} command @param {Answer} answer */
  #tell({ target, session }, answer) {
    if (answer.ok) {
      const { data, page } = answer.result;
      const tabId = target?.tabId ?? ('tabId' in data ? data.tabId : undefined);
      if (typeof tabId === 'number') this.documents.tell(tabId, session, page.document);
      return;
    }
    const page = answer.error.details?.page;
    if (target !== null && isObject(page) && typeof page.document === 'string') {
      this.documents.tell(target.tabId, session, page.document);
    }
  }

  /** @param {Command} command @param {Identity} identity @param {Answer} answer */
  async #answer({ id, action, protocol_version: version }, identity, answer) {
    const text = textOf(id, answer, false, version);
    const stored = () => this.dedupeLog.finish(identity, answer, text.length).catch(() => {});
    // The next worker must know the outcome of an act if this one ends before the answer is sent. A read can be
    // repeated, so its answer does not wait for the storage.
    if (ACTIONS[action].acts) await stored();
    // Without a connection the answer stays in the dedupe log: the daemon sends the command again when it is back.
    this.send(text);
    if (!ACTIONS[action].acts) void stored();
  }
}

/** What makes two commands with the same id one and the same. @param {Command} command @returns {Promise<Identity>} */
async function identityOf({ id, action, session, target, params }) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(params)));
  return {
    key: `${session}/${id}`,
    command: JSON.stringify([action, session, target?.tabId ?? null]),
    params: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}

/** @param {string} id @param {Answer} answer @param {boolean} replay @param {number} version */
function textOf(id, answer, replay, version) {
  const envelope = answer.ok ? success(id, answer.result, replay, version) : failure(id, answer.error, replay, version);
  return JSON.stringify(envelope);
}

/** @param {string} action */
function timedOut(action) {
  return new ActionError(
    'TIMEOUT',
    `${action} did not end before its deadline: the page may hang, show a dialog or load slowly`,
  );
}

/** @param {string} action @returns {import('./protocol.js').Failure} */
function outcomeUnknown(action) {
  return {
    code: 'SCRIPT_ERROR',
    message: `the browser stopped the extension while ${action} ran, so its outcome is unknown: look at the page before you repeat it`,
    suggestedAction: 'bproxy snapshot',
  };
}

/**
 * Whether the error is the one that the browser gives to a worker that is being stopped.
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
