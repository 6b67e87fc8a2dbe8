/**
 * The dedupe log: which commands were started and how they were answered, so that nothing is done twice. The start of
 * an act is stored before it runs, in `storage.local`, which survives a browser restart; a read is not recorded there,
 * because repeating it is harmless. Answers are in `storage.session`, the browser's memory: never a page's content on
 * disk. So are the digests of an act's parameters, from which a short secret could be guessed.
 */

import { LIMITS } from './contract.js';

/** @typedef {import('./storage.js').Area} Area */

/** A command can be sent again until its deadline; after this long none can. */
const KEEP_MS = LIMITS.deadlineMs + 5 * 60_000;
/** Commands remembered: several times what the daemon can have pending. */
const KEEP_COUNT = 5 * LIMITS.pending;
/** A larger answer (a screenshot) stays in the worker's memory only. Characters. */
const STORED_ANSWER_MAX = 64 * 1024;
/** All answers in memory together; the oldest answers to reads are dropped first. Characters. */
const ANSWERS_MAX = 32 * 1024 * 1024;

/**
 * @typedef {{ ok: true, result: import('./protocol.js').Result } | { ok: false, error: import('./protocol.js').Failure }} Answer
 * @typedef {{ key: string, command: string, params: string }} Identity
 *   `key`: session and id; `command`: action, session and tab; `params`: those of a read, or a digest of those of an act.
 *   A command that comes again is the same if all three are.
 * @typedef {{ command: string, params: string | null, at: number, acts: boolean, answer: Answer | null, size: number }} Entry
 *   `params` is null for an act that began before the browser's restart.
 */

export class DedupeLog {
  /** @param {Area} local @param {Area} session @param {() => number} now */
  constructor(local, session, now) {
    this.local = local;
    this.session = session;
    this.now = now;
    /** @type {Map<string, Entry>} by key, oldest first */
    this.entries = new Map();
    this.size = 0;
  }

  /** Loads what an earlier worker stored. */
  async load() {
    const [started, answered] = await Promise.all([this.local.get(null), this.session.get(null)]);
    /** @type {[string, Entry][]} */
    const found = [];
    for (const [key, value] of Object.entries({ ...started, ...answered })) {
      if (key.startsWith('started:')) {
        const params = answered[`params:${key.slice(8)}`] ?? null;
        found.push([key.slice(8), { ...value, params, acts: true, answer: null, size: 0 }]);
      }
      if (key.startsWith('answer:')) found.push([key.slice(7), value]);
    }
    // An answer replaces the record that its command started.
    found.sort(([, a], [, b]) => a.at - b.at || Number(a.answer !== null) - Number(b.answer !== null));
    for (const [key, entry] of found) this.#put(key, entry);
    this.#prune();
  }

  /** @param {Identity} identity @returns {Entry | null} */
  find({ key, command, params }) {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.command !== command) return null;
    return entry.params === null || entry.params === params ? entry : null;
  }

  /** Whether any command of this session was recorded under this id. @param {Identity} identity */
  knows({ key }) {
    return this.entries.has(key);
  }

  /**
   * Records that a command starts. Resolves when the record is stored: an act must not begin before.
   * @param {Identity} identity @param {boolean} acts
   */
  async begin({ key, command, params }, acts) {
    const at = this.now();
    this.#put(key, { command, params, at, acts, answer: null, size: 0 });
    this.#prune();
    if (!acts) return;
    const stored = this.local.set({ [`started:${key}`]: { command, at } });
    await Promise.all([stored, this.session.set({ [`params:${key}`]: params })]);
  }

  /**
   * Records the answer. Resolves when it is stored.
   * @param {Identity} identity @param {Answer} answer @param {number} size its length as text
   */
  async finish({ key }, answer, size) {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.#put(key, { ...entry, answer, size });
    this.#prune();
    if (size <= STORED_ANSWER_MAX) await this.session.set({ [`answer:${key}`]: this.entries.get(key) });
  }

  /** @param {string} key @param {Entry} entry */
  #put(key, entry) {
    this.size += entry.size - (this.entries.get(key)?.size ?? 0);
    this.entries.delete(key);
    this.entries.set(key, entry);
  }

  #prune() {
    /** @type {string[]} */
    const gone = [];
    const oldest = this.now() - KEEP_MS;
    for (const [key, entry] of this.entries) {
      const spare = this.entries.size > KEEP_COUNT || (this.size > ANSWERS_MAX && !entry.acts);
      if (entry.at >= oldest && !(spare && entry.answer !== null)) continue;
      this.size -= entry.size;
      this.entries.delete(key);
      gone.push(key);
    }
    if (gone.length === 0) return;
    void this.local.remove(gone.map((key) => `started:${key}`));
    void this.session.remove(gone.flatMap((key) => [`answer:${key}`, `params:${key}`]));
  }
}
