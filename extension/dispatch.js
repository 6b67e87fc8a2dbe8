/**
 * One forwarded command from arrival to answer: checked, run at most once, answered once, traced.
 * Which function runs is in `actions/index.js`; how it works is the actions' business.
 */

import { actionNamed } from './actions/index.js';
import { ACTIONS, LIMITS } from './contract.js';
import { disclosed } from './disclosure.js';
import { Effects } from './effects.js';
import { Guard } from './guard.js';
import { ActionError, checkCommand, failure, success, withoutRecall } from './protocol.js';
import { isObject } from './schema.js';
import { isPausedByPerson, pausedByPerson } from './switch.js';
import { withoutRead, withRead } from './then.js';

/**
 * @typedef {import('./protocol.js').Command} Command
 * @typedef {import('./protocol.js').ActionName} ActionName
 * @typedef {import('./dedupe-log.js').Answer} Answer
 * @typedef {import('./dedupe-log.js').Identity} Identity
 */

/** Acts whose answer says what a field, a list or a page holds. @type {ReadonlySet<string>} */
const HOLDING = new Set(['fill', 'fill-form', 'select', 'type', 'upload']);

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
   *   windows: import('./windows.js').Windows,
   *   adoption: import('./adoption.js').Adoption,
   *   downloads: import('./downloads.js').Downloads,
   *   files: import('./session-files.js').SessionFiles,
   *   power: import('./switch.js').Switch,
   *   send: (text: string) => boolean,
   *   onPause: (session: string, reason: string) => void,
   *   onBlocked?: (tabId: number, isBlocked: boolean) => void,
   *   now: () => number,
   * }} parts `onPause` is called when an answer makes the daemon pause a session; `onBlocked`
   *   when a page lets no script begin, and when it does again
   */
  constructor(parts) {
    const { actions = actionNamed, driver, dedupeLog, trace, navigations, documents, groups, windows, power } = parts;
    const { send, onPause, onBlocked = () => {}, now } = parts;
    this.actions = actions;
    this.driver = driver;
    this.dedupeLog = dedupeLog;
    this.trace = trace;
    this.navigations = navigations;
    this.documents = documents;
    this.groups = groups;
    this.windows = windows;
    this.adoption = parts.adoption;
    this.downloads = parts.downloads;
    this.files = parts.files;
    this.power = power;
    this.send = send;
    this.onPause = onPause;
    this.onBlocked = onBlocked;
    this.now = now;
    /** @type {Set<string>} commands that run in this worker */
    this.running = new Set();
    /** @type {Set<{ id: string, stop: AbortController, hurry: AbortController }>} commands that are being carried out */
    this.live = new Set();
  }

  /** Ends every command in the middle: the person has turned the switch off. */
  stop() {
    for (const { stop } of this.live) stop.abort(pausedByPerson());
  }

  /** Nobody waits for the answer any more: waits and settling end, and a gesture goes on. @param {unknown} id */
  cancel(id) {
    for (const live of this.live) {
      if (live.id !== id) continue;
      this.trace.add('cancelled', { id: live.id });
      live.hurry.abort(abandoned());
    }
  }

  /**
   * Handles one message that the daemon forwarded; resolves when it is done.
   * @param {Record<string, unknown>} forwarded
   */
  async receive(forwarded) {
    const { message, recall } = withoutRecall(forwarded);
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
      const identity = await identityOf(command);
      await (recall ? this.#recall(command, identity) : this.#once(command, identity));
    } finally {
      this.running.delete(whole);
    }
  }

  /** Answers the command from the log, or carries it out. @param {Command} command @param {Identity} identity */
  async #once(command, identity) {
    const { id, action } = command;
    const tab = command.target?.tabId ?? null;
    const entry = this.dedupeLog.find(identity);
    if (entry?.answer) return this.#replay(command, entry.answer);
    if (entry?.acts) {
      this.trace.add('replay_of_lost', { id, action, tab });
      await this.#answer(command, identity, { ok: false, error: outcomeUnknown(action) });
      return;
    }

    if (!this.power.on) {
      // Not recorded: nothing is begun, and the same command may come again when the switch is on.
      this.trace.add('switched_off', { id, action, tab });
      const refusal = /** @type {Answer} */ ({ ok: false, error: asFailure(pausedByPerson(), command.session) });
      return this.#send(command.session, refusal, textOf(command, refusal, false));
    }

    const began = this.now();
    const reading = crypto.randomUUID();
    this.trace.add('received', { id, action, tab });
    /** @type {Answer} */
    let answer;
    try {
      await this.dedupeLog.begin(identity, ACTIONS[action].acts);
      if (tab !== null) this.navigations.use(tab, command.session);
      const done = await this.#run(command, reading);
      answer = { ok: true, result: await this.#bringRead(command, identity, done, reading) };
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
    answer = await this.#answer(command, identity, answer);
    const read = answer.ok ? tabOf(command, answer.result) : command.target?.tabId;
    if (read !== undefined) {
      this.driver.told(read, reading);
      if (answer.ok && 'then' in answer.result.data) this.driver.told(read, broughtBy(reading));
    }
    if (tab !== null) this.onBlocked(tab, !answer.ok && answer.error.code === 'PAGE_BLOCKED');
    if (!answer.ok && answer.error.code === 'HUMAN_REQUIRED' && !isPausedByPerson(answer))
      this.onPause(command.session, answer.error.message);
  }

  /**
   * Adds the read that the command is to bring along. From here on the log knows what the command did, whatever becomes of
   * the read.
   * @param {Command} command @param {Identity} identity @param {import('./protocol.js').Result} result
   * @param {string} reading
   */
  async #bringRead(command, identity, result, reading) {
    const { id, action, params, session, deadline, target } = command;
    const then = 'then' in params ? params.then : undefined;
    const tabId = tabOf(command, result);
    if (then === undefined || tabId === undefined) return result;
    const own = withoutRead(result, notKept(action));
    await this.dedupeLog.finish(identity, { ok: true, result: own }, JSON.stringify(own).length).catch(() => {});
    const stop = new AbortController();
    const live = { id, stop, hurry: new AbortController() };
    this.live.add(live);
    // What the command itself tells is told whatever becomes of the read.
    this.driver.told(tabId, reading);
    const order = { session, until: deadline, reading: broughtBy(reading), ...numbersFor(target) };
    const { signal } = stop;
    const driver = whileRunning(this.driver, signal);
    try {
      const { actions, now } = this;
      return await withRead(then, result, { actions, driver, tabId, order, deadline, signal, now });
    } finally {
      // What is left of a read that took too long begins nothing more.
      stop.abort();
      this.live.delete(live);
    }
  }

  /** Answers the command from the log. @param {Command} command @param {Answer} answer */
  #replay(command, answer) {
    const { id, action, session } = command;
    this.trace.add('replay', { id, action, tab: command.target?.tabId ?? null });
    if (answer.ok && action === 'tab.open' && 'tabId' in answer.result.data) {
      this.navigations.hold(Number(answer.result.data.tabId), session);
    }
    // Built again, because the browser's storage does not keep the order of keys.
    this.#send(session, answer, textOf(command, answer, true));
  }

  /** Tells what came of a command, and starts nothing. @param {Command} command @param {Identity} identity */
  #recall(command, identity) {
    const answer = this.dedupeLog.find(identity)?.answer;
    if (answer) return this.#replay(command, answer);
    const { id, action, session } = command;
    const started = this.dedupeLog.knows(identity);
    this.trace.add('recall_of_unknown', { id, action, tab: command.target?.tabId ?? null, started });
    const unknown = /** @type {Answer} */ ({ ok: false, error: notAnswered(action, started) });
    this.#send(session, unknown, textOf(command, unknown, false));
  }

  /** @param {Command} command @param {string} reading @returns {Promise<import('./protocol.js').Result>} */
  #run({ id, action, params, session, deadline, target }, reading) {
    const left = deadline - this.now();
    if (left <= 0) throw timedOut(action);
    if (!this.power.on) throw pausedByPerson();
    const controller = new AbortController();
    const hurry = new AbortController();
    const live = { id, stop: controller, hurry };
    this.live.add(live);
    /** @type {Promise<never>} */
    const expired = new Promise((_, reject) =>
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason)),
    );
    const timer = setTimeout(() => controller.abort(timedOut(action)), left);
    const { driver, navigations } = this;
    const tabId = target?.tabId ?? -1;
    const { reportsEffects } = ACTIONS[action];
    const effects = new Effects(navigations, tabId);
    const act = reportsEffects ? `e${crypto.randomUUID()}` : undefined;
    const dialog = 'dialog' in params ? params.dialog : undefined;
    // It has the driver itself, because it is taken away after the end.
    const holds = HOLDING.has(action);
    const parts = { driver, navigations, effects, tabId, deadline, dialog, holds };
    const guard = act === undefined ? null : new Guard({ ...parts, act });
    guard?.put();
    if (reportsEffects) {
      this.adoption.begin(tabId, effects);
      this.downloads.begin(tabId, effects, session);
    }
    const running = this.actions(action)({
      id,
      action,
      params,
      session,
      tabId,
      deadline,
      order: {
        session,
        until: deadline,
        act,
        reading,
        ...(holds ? { holds } : {}),
        ...numbersFor(target),
      },
      document:
        target?.tabId === undefined ? undefined : (target.document ?? this.documents.last(target.tabId, session)),
      done: 0,
      effects,
      signal: controller.signal,
      hurry: hurry.signal,
      driver: whileRunning(driver, controller.signal),
      navigations,
      groups: this.groups,
      windows: this.windows,
      trace: this.trace,
      downloads: this.downloads,
      files: this.files,
    });
    // A page that hangs never answers; the command still ends on time.
    const ended = Promise.race([running, expired]).finally(async () => {
      clearTimeout(timer);
      effects.end();
      this.live.delete(live);
      await guard?.lift();
      if (reportsEffects) await Promise.all([this.adoption.end(tabId), this.downloads.end(effects)]);
    });
    if (!reportsEffects) return ended;
    return ended.then(
      ({ data, page }) => ({ data: { ...data, ...effects.told(page.url) }, page }),
      async (error) => {
        if (error instanceof ActionError && error.didSomething) {
          const { url } = await driver.page(tabId);
          error.details = { ...error.details, effects: effects.toldOfFailure(url) };
        }
        throw error;
      },
    );
  }

  /** From now on the session knows of the page that the answer names. @param {Command} command @param {Answer} answer */
  #tell(command, answer) {
    const { target, session } = command;
    if (answer.ok) {
      const tabId = tabOf(command, answer.result);
      if (tabId !== undefined) this.documents.tell(tabId, session, answer.result.page.document);
      return;
    }
    const page = answer.error.details?.page;
    if (target?.tabId !== undefined && isObject(page) && typeof page.document === 'string') {
      this.documents.tell(target.tabId, session, page.document);
    }
  }

  /** Sends an answer; gives it as it was sent. @param {Command} command @param {Identity} identity @param {Answer} answer */
  async #answer(command, identity, answer) {
    const { action, session } = command;
    let text = textOf(command, answer, false);
    if (isTooLarge(text)) {
      // An act is done, however much a read of its page would tell.
      const brought = answer.ok && 'then' in answer.result.data ? answer.result : null;
      answer = brought
        ? { ok: true, result: withoutRead(brought, tooLarge(action)) }
        : { ok: false, error: tooLarge(action) };
      text = textOf(command, answer, false);
    }
    // An answer that is too large tells nothing of the page.
    this.#tell(command, answer);
    const stored = () => this.dedupeLog.finish(identity, answer, text.length).catch(() => {});
    // The next worker must know the outcome of an act if this one ends before the answer is sent. A read can be
    // repeated, so its answer does not wait for the storage.
    if (ACTIONS[action].acts) await stored();
    // Without a connection the answer stays in the dedupe log: the daemon sends the command again when it is back.
    this.#send(session, answer, text);
    if (!ACTIONS[action].acts) void stored();
    return answer;
  }

  /** @param {string} session @param {Answer} answer @param {string} text of the answer */
  #send(session, answer, text) {
    const sent = this.send(text);
    if (sent && isPausedByPerson(answer)) this.power.pauses(session);
  }
}

/** The read that a command brings along, as far as it numbers elements. @param {string} reading */
const broughtBy = (reading) => `${reading} then`;

/** The numbers that the daemon has reserved for a command. @param {Command['target']} target */
const numbersFor = (target) => ({ el: target?.el, ln: target?.ln, room: LIMITS.numbers });

/**
 * What makes two commands with the same id one and the same. A digest is made in another thread, which takes a good part
 * of the time of a short read.
 * @param {Command} command @returns {Promise<Identity>}
 */
async function identityOf({ id, action, session, target, params }) {
  const text = JSON.stringify(params);
  return {
    key: `${session}/${id}`,
    command: JSON.stringify([action, session, target?.tabId ?? null]),
    params: ACTIONS[action].acts ? await digestOf(text) : text,
  };
}

/** @param {string} text @returns {Promise<string>} */
async function digestOf(text) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The tab that a command was carried out in: a new one where it names none.
 * @param {Command} command @param {import('./protocol.js').Result} result @returns {number | undefined}
 */
function tabOf({ target }, { data }) {
  if (target?.tabId !== undefined) return target.tabId;
  return 'tabId' in data && typeof data.tabId === 'number' ? data.tabId : undefined;
}

/** @param {Command} command @param {Answer} answer @param {boolean} replay */
function textOf({ id, action, protocol_version: version }, answer, replay) {
  const envelope = answer.ok ? success(id, answer.result, replay, version) : failure(id, answer.error, replay, version);
  return disclosed(envelope, { read: !ACTIONS[action].acts });
}

/** @param {string} action */
function timedOut(action) {
  return new ActionError(
    'TIMEOUT',
    `${action} did not end before its deadline: the page may hang, show a dialog or load slowly`,
  );
}

/** The failure of a wait that is over because nobody waits for its answer. */
function abandoned() {
  return new ActionError('TIMEOUT', 'the wait was given up: nobody waits for the answer any more');
}

/** @param {string} text */
function isTooLarge(text) {
  // A UTF-16 unit is at most three bytes of UTF-8, so that most texts need not be encoded.
  return text.length * 3 > LIMITS.answerBytes && new TextEncoder().encode(text).length > LIMITS.answerBytes;
}

/** @param {string} action @returns {import('./protocol.js').Failure} */
function tooLarge(action) {
  const size = `${LIMITS.answerBytes / 2 ** 20} MiB`;
  const message = `the answer to ${action} is larger than ${size}, and was not sent: ask for less of the page`;
  return { code: 'TOO_LARGE', message };
}

/**
 * The driver of one command: once that has ended, nothing more is begun in its page.
 * @param {import('./page-driver.js').PageDriver} driver
 * @param {AbortSignal} signal
 * @returns {import('./page-driver.js').PageDriver}
 */
function whileRunning(driver, signal) {
  return new Proxy(driver, {
    get: (target, name, running) => {
      const method = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (/** @type {unknown[]} */ ...args) => {
        signal.throwIfAborted();
        // What it calls of its own is checked as well.
        return method.apply(running, args);
      };
    },
  });
}

/** @param {string} action @returns {import('./protocol.js').Failure} */
function outcomeUnknown(action) {
  return {
    code: 'SCRIPT_ERROR',
    message: `the browser stopped the extension while ${action} ran, so its outcome is unknown: look at the page before you repeat it`,
    suggestedAction: 'bproxy snapshot',
  };
}

/** @param {string} action @returns {import('./protocol.js').Failure} */
function notKept(action) {
  const message = `${action} was done, but what was read afterwards is not known any more: read the page`;
  return { code: 'OUTCOME_UNKNOWN', message };
}

/** @param {string} action @param {boolean} started @returns {import('./protocol.js').Failure} */
function notAnswered(action, started) {
  const message = started
    ? `${action} was begun and not answered, so its outcome is unknown: look at the page before you repeat it`
    : `${action} was not begun in this browser, so nothing was done`;
  return { code: 'OUTCOME_UNKNOWN', message, details: { started } };
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
    const { code, message, details } = error;
    return { code, message, suggestedAction: error.next(session), details };
  }
  return {
    code: 'SCRIPT_ERROR',
    message: isObject(error) && typeof error.message === 'string' ? error.message : String(error),
  };
}
