/**
 * One connection to the daemon, kept alive: proofs, hello, heartbeat, stale detection, jittered backoff. It only carries
 * text: the meaning of messages, storage and texts for people are elsewhere. Socket, clock and randomness are injected.
 *
 * Nothing but hello is sent, and nothing that comes has an effect, before the other end has proved to be the daemon.
 */

import { CLOSE } from './protocol.js';
import { isObject } from './schema.js';

/** Chrome ends a worker after 30 s without an event; a ping well within that keeps it alive. */
export const PING_MS = 20_000;
/** A loopback answer takes milliseconds; this long without one means the socket is dead. */
export const PONG_MS = 10_000;
/** A loopback upgrade is instant; one that hangs is abandoned and retried. */
export const OPEN_MS = 10_000;
/** The daemon answers hello at once with its proof. */
export const WELCOME_MS = 2_000;
/** Messages that come before the proof wait for it: a command that was sent before hello. */
export const MAX_EARLY = 256;
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 30_000;
/** A person who has just unlocked the keyring waits for the browser. */
export const LOCKED_MS = 3_000;

/**
 * @typedef {'unpaired' | 'connecting' | 'connected' | 'waiting'} State
 * @typedef {'starting' | 'token_void' | 'unpaired' | 'unreachable' | 'stranger' | 'locked' | 'refused' | 'lost' | 'stale'
 *   | 'shutdown' | 'replaced' | 'incompatible' | 'extension_old' | 'daemon_old' | null} Reason why it is not connected
 * @typedef {{ state: State, reason: Reason, since: number, retryAt: number | null }} Status
 * @typedef {import('./handshake.js').Endpoint} Endpoint
 * @typedef {import('./handshake.js').Handshake} Handshake
 * @typedef {{
 *   shakeHands: (endpoint: Endpoint) => Promise<Handshake | NonNullable<Reason>>,
 *   open: (handshake: Handshake) => WebSocket,
 *   hello: (nonce: string) => string,
 *   reachable: () => Promise<boolean>,
 *   negotiateAgain: () => Promise<Reason>,
 *   clock: { now: () => number, setTimeout: (run: () => void, ms: number) => number, clearTimeout: (timer: number | undefined) => void },
 *   random: () => number,
 *   onOpen: () => void,
 *   onMessage: (text: string) => void,
 *   onStatus: (status: Status) => void,
 *   onClosed: (reason: Reason) => void,
 * }} Parts `onOpen` is called when the daemon has proved itself; `negotiateAgain` when it refused the version in hello:
 *   null if another one can be tried
 */

/** One attempt to connect, and the connection that comes of it. */
class Attempt {
  /** @type {WebSocket | null} */
  socket = null;
  opened = false;
  /** Whether the other end is the daemon. */
  proven = false;
  /** What came before the proof. @type {string[]} */
  early = [];
  /** Settles when what has come so far is judged. @type {Promise<void>} */
  judged = Promise.resolve();
}

export class Connection {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Endpoint | null} */
    this.endpoint = null;
    /** The current one; null while it waits. @type {Attempt | null} */
    this.attempt = null;
    this.failures = 0;
    /** @type {Map<string, number>} the timers that run, by purpose */
    this.timers = new Map();
    /** @type {Status} */
    this.status = { state: 'connecting', reason: 'starting', since: parts.clock.now(), retryAt: null };
  }

  /** Connects to `endpoint` at once and drops the connection before it. @param {Endpoint} endpoint */
  start(endpoint) {
    this.endpoint = endpoint;
    this.failures = 0;
    this.#drop();
    void this.#connect();
  }

  /** Ends the connection for good. @param {'unpaired' | 'token_void'} reason */
  stop(reason) {
    this.endpoint = null;
    this.#drop();
    this.#setStatus('unpaired', reason);
  }

  /** Ends the wait for the next attempt. */
  nudge() {
    if (this.endpoint !== null && this.attempt === null) void this.#connect();
  }

  /**
   * @param {string} text
   * @returns {boolean} false without a connection to the daemon; the text is then dropped
   */
  send(text) {
    if (!this.attempt?.proven) return false;
    this.attempt.socket?.send(text);
    return true;
  }

  async #connect() {
    if (this.endpoint === null) return;
    this.#clear('retry');
    this.#setStatus('connecting', this.status.reason);
    const attempt = new Attempt();
    this.attempt = attempt;
    const handshake = await this.parts.shakeHands(this.endpoint);
    if (attempt !== this.attempt) return;
    if (typeof handshake === 'string') return this.#lost(attempt, handshake);
    const socket = this.parts.open(handshake);
    attempt.socket = socket;
    this.#after('open', OPEN_MS, () => this.#lost(attempt, 'unreachable'));
    // Each handler ignores a replaced attempt: a dead socket may fire an event much later.
    socket.onopen = () => {
      if (attempt !== this.attempt) return;
      this.#clear('open');
      attempt.opened = true;
      // It may as well be the daemon on a busy machine, so it is asked again.
      this.#after('welcome', WELCOME_MS, () => this.#lost(attempt, 'stranger', true));
      socket.send(this.parts.hello(handshake.nonce));
    };
    socket.onmessage = ({ data }) => {
      if (attempt !== this.attempt || typeof data !== 'string') return;
      if (attempt.proven) return this.#receive(data);
      attempt.judged = attempt.judged.then(() => this.#judge(attempt, handshake, data));
    };
    socket.onclose = ({ code }) => void attempt.judged.then(() => this.#closed(attempt, code));
  }

  /** @param {string} text */
  #receive(text) {
    this.#clear('pong');
    this.parts.onMessage(text);
  }

  /**
   * Judges a message that came before the proof, in the order in which they came.
   * @param {Attempt} attempt @param {Handshake} handshake @param {string} text
   */
  async #judge(attempt, handshake, text) {
    if (attempt !== this.attempt) return;
    if (attempt.proven) return this.#receive(text);
    const welcome = parseWelcome(text);
    if (welcome === null) {
      attempt.early.push(text);
      if (attempt.early.length > MAX_EARLY) this.#lost(attempt, 'stranger');
      return;
    }
    const isDaemon = await handshake.isWelcome(welcome.proof);
    if (attempt !== this.attempt) return;
    if (!isDaemon) return this.#lost(attempt, 'stranger');
    this.#clear('welcome');
    attempt.proven = true;
    this.failures = 0;
    this.parts.onOpen();
    this.#setStatus('connected', null);
    this.#beat(attempt);
    for (const early of attempt.early.splice(0)) this.#receive(early);
  }

  /** @param {Attempt} attempt @param {number} code */
  async #closed(attempt, code) {
    if (attempt !== this.attempt) return;
    const { opened, proven } = attempt;
    for (const name of ['open', 'welcome', 'ping', 'pong']) this.#clear(name);
    attempt.proven = false;
    /** @type {Reason} */
    let reason = 'lost';
    if (!opened) reason = (await this.parts.reachable()) ? 'refused' : 'unreachable';
    // The code of a listener that has not proved to be the daemon means nothing.
    else if (proven && code === CLOSE.TOKEN_VOID) {
      this.stop('token_void');
      return this.parts.onClosed('token_void');
    } else if (proven && code === CLOSE.INCOMPATIBLE) reason = await this.parts.negotiateAgain();
    else if (proven) reason = CLOSE_REASONS[code] ?? 'lost';
    if (attempt !== this.attempt) return;
    if (reason !== null) return this.#lost(attempt, reason);
    this.#drop();
    void this.#connect();
  }

  /** @param {Attempt} attempt @param {NonNullable<Reason>} reason */
  #lost(attempt, reason, retry = !NEEDS_PERSON.has(reason)) {
    if (attempt !== this.attempt) return;
    this.#drop();
    if (!retry) {
      this.#setStatus('waiting', reason);
    } else {
      const delay = reason === 'locked' ? LOCKED_MS : backoff(this.failures, this.parts.random());
      this.failures += 1;
      this.#after('retry', delay, () => void this.#connect());
      this.#setStatus('waiting', reason, this.parts.clock.now() + delay);
    }
    this.parts.onClosed(reason);
  }

  /** @param {Attempt} attempt */
  #beat(attempt) {
    this.#after('ping', PING_MS, () => {
      this.send(JSON.stringify({ type: 'ping', ts: this.parts.clock.now() }));
      this.#after('pong', PONG_MS, () => this.#lost(attempt, 'stale'));
      this.#beat(attempt);
    });
  }

  /** Drops the socket and every timer, without waiting for the close: on a dead connection it takes long. */
  #drop() {
    for (const name of [...this.timers.keys()]) this.#clear(name);
    const socket = this.attempt?.socket;
    this.attempt = null;
    socket?.close();
  }

  /** @param {string} name @param {number} ms @param {() => void} run */
  #after(name, ms, run) {
    this.#clear(name);
    this.timers.set(name, this.parts.clock.setTimeout(run, ms));
  }

  /** @param {string} name */
  #clear(name) {
    this.parts.clock.clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  /** @param {State} state @param {Reason} reason @param {number | null} retryAt */
  #setStatus(state, reason, retryAt = null) {
    const since = state === this.status.state ? this.status.since : this.parts.clock.now();
    this.status = { state, reason, since, retryAt };
    this.parts.onStatus(this.status);
  }
}

/** @type {Readonly<Record<number, NonNullable<Reason>>>} */
const CLOSE_REASONS = Object.freeze({
  1001: 'shutdown',
  [CLOSE.REPLACED]: 'replaced',
});

/** Retrying does not help before the person has done something, which the alarm's nudge notices soon enough. @type {ReadonlySet<Reason>} */
const NEEDS_PERSON = new Set(['extension_old', 'daemon_old', 'stranger']);

/**
 * The message, if it is a welcome.
 * @param {string} text
 * @returns {Record<string, unknown> | null}
 */
function parseWelcome(text) {
  try {
    const message = JSON.parse(text);
    return isObject(message) && message.type === 'welcome' ? message : null;
  } catch {
    return null;
  }
}

/**
 * Exponential backoff, less up to half at random: browsers that lost the same daemon do not all reconnect at once.
 * @param {number} failures in a row so far
 * @param {number} random in [0, 1)
 */
export function backoff(failures, random) {
  const full = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures + 1, 10));
  return Math.max(BACKOFF_FIRST_MS, Math.round(full * (1 - random / 2)));
}
