/**
 * What outlives the service worker. `storage.local` (survives a browser restart): the pairing, the
 * instance id, which acts were started. `storage.session` (memory of the browser, survives the
 * worker): answers, the trace ring, the tabs held. Never a page's content on disk.
 */

import { DEFAULT_PORT } from './protocol.js';

/**
 * @typedef {{
 *   get: (key: string | null) => Promise<Record<string, any>>,
 *   set: (items: Record<string, unknown>) => Promise<void>,
 *   remove: (keys: string | string[]) => Promise<void>,
 * }} Area
 */
/** @typedef {{ extensionToken: string, pairedAt: number }} Pairing */

/** @param {Area} local @returns {Promise<Pairing | null>} */
export async function readPairing(local) {
  return (await local.get('pairing')).pairing ?? null;
}

/** The daemon's port: kept apart from the pairing, which may end while the port stays. @param {Area} local @returns {Promise<number>} */
export async function readPort(local) {
  return (await local.get('port')).port ?? DEFAULT_PORT;
}

/**
 * The name under which this browser profile introduces itself, made once.
 * @param {Area} local
 * @returns {Promise<string>}
 */
export async function readInstanceId(local) {
  return (await local.get('instanceId')).instanceId ?? newInstanceId(local);
}

/** @param {Area} local @returns {Promise<string>} */
export async function newInstanceId(local) {
  const instanceId = crypto.randomUUID();
  await local.set({ instanceId });
  return instanceId;
}

/** A replay can come until its deadline, at most 10 minutes off; after this long none can. */
const KEEP_MS = 15 * 60_000;
/** Commands remembered; the daemon has at most 100 pending. */
const KEEP_COUNT = 500;
/** A larger answer (a screenshot) stays in the worker's memory only. Characters. */
const STORED_ANSWER_MAX = 64 * 1024;
/** All answers in memory together; the oldest reads give way. Characters. */
const ANSWERS_MAX = 32 * 1024 * 1024;

/**
 * @typedef {{ ok: true, result: import('./protocol.js').Result } | { ok: false, error: import('./protocol.js').Failure }} Answer
 * @typedef {{ command: string, at: number, acts: boolean, answer: Answer | null, size: number }} Entry
 *   `command` tells whether an id that comes again means the same command.
 */

/**
 * Which commands were started and what was answered: the base of doing nothing twice. An act is
 * written down before it starts; a read is not, because reading again does no harm.
 */
export class Journal {
  /** @param {Area} local @param {Area} session @param {() => number} now */
  constructor(local, session, now) {
    this.local = local;
    this.session = session;
    this.now = now;
    /** @type {Map<string, Entry>} oldest first */
    this.entries = new Map();
    this.size = 0;
  }

  /** Takes over what an earlier worker left. */
  async load() {
    const [started, answered] = await Promise.all([this.local.get(null), this.session.get(null)]);
    /** @type {[string, Entry][]} */
    const found = [];
    for (const [key, value] of Object.entries({ ...started, ...answered })) {
      if (key.startsWith('started:')) found.push([key.slice(8), { ...value, acts: true, answer: null, size: 0 }]);
      if (key.startsWith('answer:')) found.push([key.slice(7), value]);
    }
    // An answer comes after the mark of its start, and so takes its place.
    found.sort(([, a], [, b]) => a.at - b.at || Number(a.answer !== null) - Number(b.answer !== null));
    for (const [id, entry] of found) this.#put(id, entry);
    this.#prune();
  }

  /** @param {string} id @param {string} command @returns {Entry | null} */
  find(id, command) {
    const entry = this.entries.get(id);
    return entry !== undefined && entry.command === command ? entry : null;
  }

  /**
   * Notes that a command starts. Resolves when the note is safe: an act must not begin before.
   * @param {string} id @param {string} command @param {boolean} acts
   */
  async begin(id, command, acts) {
    const at = this.now();
    this.#put(id, { command, at, acts, answer: null, size: 0 });
    this.#prune();
    if (acts) await this.local.set({ [`started:${id}`]: { command, at } });
  }

  /**
   * Notes the answer. Resolves when the next worker would find it.
   * @param {string} id @param {Answer} answer @param {number} size its length as text
   */
  async finish(id, answer, size) {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    this.#put(id, { ...entry, answer, size });
    this.#prune();
    if (size <= STORED_ANSWER_MAX) await this.session.set({ [`answer:${id}`]: this.entries.get(id) });
  }

  /** @param {string} id @param {Entry} entry */
  #put(id, entry) {
    this.size += entry.size - (this.entries.get(id)?.size ?? 0);
    this.entries.delete(id);
    this.entries.set(id, entry);
  }

  #prune() {
    /** @type {string[]} */
    const gone = [];
    const oldest = this.now() - KEEP_MS;
    for (const [id, entry] of this.entries) {
      const spare = this.entries.size > KEEP_COUNT || (this.size > ANSWERS_MAX && !entry.acts);
      if (entry.at >= oldest && !(spare && entry.answer !== null)) continue;
      this.size -= entry.size;
      this.entries.delete(id);
      gone.push(id);
    }
    if (gone.length === 0) return;
    void this.local.remove(gone.map((id) => `started:${id}`));
    void this.session.remove(gone.map((id) => `answer:${id}`));
  }
}

/** Entries kept for `debug.log`. */
const TRACE_COUNT = 1000;
/** The ring is written down at most this often: losing a second of it with the worker is cheap. */
const TRACE_SAVE_MS = 1_000;

/**
 * What happened, for `debug.log`: events and ids, never a page's text or a filled value.
 * @typedef {{ ts: number, event: string, [field: string]: string | number | boolean | null }} TraceEntry
 */
export class Trace {
  /** @param {Area} session @param {() => number} now */
  constructor(session, now) {
    this.session = session;
    this.now = now;
    /** @type {TraceEntry[]} */
    this.entries = [];
    this.saving = false;
  }

  async load() {
    this.entries = [...((await this.session.get('trace')).trace ?? []), ...this.entries];
  }

  /** @param {string} event @param {Record<string, string | number | boolean | null | undefined>} [fields] */
  add(event, fields = {}) {
    const known = Object.entries(fields).filter(([, value]) => value !== undefined);
    this.entries.push({ ts: this.now(), event, ...Object.fromEntries(known) });
    if (this.entries.length > TRACE_COUNT) this.entries.splice(0, this.entries.length - TRACE_COUNT);
    if (this.saving) return;
    this.saving = true;
    setTimeout(() => {
      this.saving = false;
      void this.session.set({ trace: this.entries });
    }, TRACE_SAVE_MS);
  }

  /** @param {string | undefined} id @param {number} limit @returns {TraceEntry[]} the last ones, oldest first */
  read(id, limit) {
    return this.entries.filter((entry) => id === undefined || entry.id === id).slice(-limit);
  }
}
