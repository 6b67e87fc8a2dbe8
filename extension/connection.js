/**
 * One connection to the daemon, kept alive: hello first, heartbeat, stale detection, jittered backoff. It only carries
 * text: the meaning of messages, storage and texts for people are elsewhere. Socket, clock and randomness are injected.
 */

import { SUBPROTOCOL } from './contract.js';
import { CLOSE } from './protocol.js';

/** Chrome ends a worker after 30 s without an event; a ping well within that keeps it alive. */
export const PING_MS = 20_000;
/** A loopback answer takes milliseconds; this long without one means the socket is dead. */
export const PONG_MS = 10_000;
/** A loopback upgrade is instant; one that hangs is abandoned and retried. */
export const OPEN_MS = 10_000;
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_LAST_MS = 30_000;

/**
 * @typedef {'unpaired' | 'connecting' | 'connected' | 'waiting'} State
 * @typedef {'starting' | 'token_void' | 'unpaired' | 'unreachable' | 'refused' | 'lost' | 'stale' | 'shutdown'
 *   | 'replaced' | 'incompatible' | 'extension_old' | 'daemon_old' | null} Reason why it is not connected
 * @typedef {{ state: State, reason: Reason, since: number, retryAt: number | null }} Status
 * @typedef {{ url: string, protocols: string[] }} Endpoint
 * @typedef {{
 *   open: (endpoint: Endpoint) => WebSocket,
 *   reachable: () => Promise<boolean>,
 *   negotiateAgain: () => Promise<Reason>,
 *   clock: { now: () => number, setTimeout: (run: () => void, ms: number) => number, clearTimeout: (timer: number | undefined) => void },
 *   random: () => number,
 *   onOpen: () => void,
 *   onMessage: (text: string) => void,
 *   onStatus: (status: Status) => void,
 *   onClosed: (reason: Reason) => void,
 * }} Parts `negotiateAgain` is called when the daemon refused the version in hello: null if another one can be tried
 */

export class Connection {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {Endpoint | null} */
    this.endpoint = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.opened = false;
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
    this.#connect();
  }

  /** Ends the connection for good. @param {'unpaired' | 'token_void'} reason */
  stop(reason) {
    this.endpoint = null;
    this.#drop();
    this.#setStatus('unpaired', reason);
  }

  /** Ends the wait for the next attempt. */
  nudge() {
    if (this.endpoint !== null && this.socket === null) this.#connect();
  }

  /**
   * @param {string} text
   * @returns {boolean} false without a connection; the text is then dropped
   */
  send(text) {
    if (this.socket === null || !this.opened) return false;
    this.socket.send(text);
    return true;
  }

  #connect() {
    if (this.endpoint === null) return;
    this.#clear('retry');
    this.#setStatus('connecting', this.status.reason);
    const socket = this.parts.open(this.endpoint);
    this.socket = socket;
    this.#after('open', OPEN_MS, () => this.#lost(socket, 'unreachable'));
    // Each handler ignores a replaced socket: a dead one may fire an event much later.
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.#clear('open');
      this.opened = true;
      this.parts.onOpen();
      this.#setStatus('connected', null);
      this.#beat(socket);
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket || typeof event.data !== 'string') return;
      this.failures = 0;
      this.#clear('pong');
      this.parts.onMessage(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) void this.#closed(socket, event.code);
    };
  }

  /** @param {WebSocket} socket @param {number} code */
  async #closed(socket, code) {
    const opened = this.opened;
    this.#clear('open');
    this.#clear('ping');
    this.#clear('pong');
    this.opened = false;
    if (code === CLOSE.TOKEN_VOID) {
      this.stop('token_void');
      this.parts.onClosed('token_void');
      return;
    }
    const reason =
      code === CLOSE.INCOMPATIBLE
        ? await this.parts.negotiateAgain()
        : (CLOSE_REASONS[code] ?? (opened ? 'lost' : (await this.parts.reachable()) ? 'refused' : 'unreachable'));
    if (socket !== this.socket) return;
    if (reason !== null) return this.#lost(socket, reason);
    this.#drop();
    this.#connect();
  }

  /** @param {WebSocket} socket @param {NonNullable<Reason>} reason */
  #lost(socket, reason) {
    if (socket !== this.socket) return;
    this.#drop();
    if (NEEDS_UPDATE.has(reason)) {
      this.#setStatus('waiting', reason);
    } else {
      const delay = backoff(this.failures, this.parts.random());
      this.failures += 1;
      this.#after('retry', delay, () => this.#connect());
      this.#setStatus('waiting', reason, this.parts.clock.now() + delay);
    }
    this.parts.onClosed(reason);
  }

  /** @param {WebSocket} socket */
  #beat(socket) {
    this.#after('ping', PING_MS, () => {
      this.send(JSON.stringify({ type: 'ping', ts: this.parts.clock.now() }));
      this.#after('pong', PONG_MS, () => this.#lost(socket, 'stale'));
      this.#beat(socket);
    });
  }

  /** Drops the socket and every timer, without waiting for the close: on a dead connection it takes long. */
  #drop() {
    for (const name of [...this.timers.keys()]) this.#clear(name);
    const socket = this.socket;
    this.socket = null;
    this.opened = false;
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

/** Retrying does not help before an update, which the alarm's nudge notices soon enough. @type {ReadonlySet<Reason>} */
const NEEDS_UPDATE = new Set(['extension_old', 'daemon_old']);

/**
 * Exponential backoff, less up to half at random: browsers that lost the same daemon do not all reconnect at once.
 * @param {number} failures in a row so far
 * @param {number} random in [0, 1)
 */
export function backoff(failures, random) {
  const full = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures + 1, 10));
  return Math.max(BACKOFF_FIRST_MS, Math.round(full * (1 - random / 2)));
}

/**
 * @param {number} port
 * @param {string} extensionToken
 * @returns {Endpoint}
 */
export function endpoint(port, extensionToken) {
  const token = btoa(extensionToken).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return { url: `ws://127.0.0.1:${port}/ws`, protocols: [SUBPROTOCOL, `auth.${token}`] };
}
