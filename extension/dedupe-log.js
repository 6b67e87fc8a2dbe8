/**
 * The dedupe log: which commands were started and how they were answered, so that nothing is done twice. The start of
 * an act is stored before it runs, in `storage.local`, which survives a browser restart; a read is not recorded there,
 * because repeating it is harmless. Answers are in `storage.session`, the browser's memory: never a page's content on
 * disk.
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
 * @typedef {{ command: string, at: number, acts: boolean, answer: Answer | null, size: number }} Entry
 *   `command` tells whether an id that comes again means the same command.
 */

export class DedupeLog {
  /** @param {Area} local @param {Area} session @param {() => number} now */
  constructor(local, session, now) {
    this.local = local;
    this.session = session;
    this.now = now;
    /** @type {Map<string, Entry>} oldest first */
    this.entries = new Map();
    this.size = 0;
  }

  /** Loads what an earlier worker stored. */
  async load() {
    const [started, answered] = await Promise.all([this.local.get(null), this.session.get(null)]);
    /** @type {[string, Entry][]} */
    const found = [];
    for (const [key, value] of Object.entries({ ...started, ...answered })) {
      if (key.startsWith('started:')) found.push([key.slice(8), { ...value, acts: true, answer: null, size: 0 }]);
      if (key.startsWith('answer:')) found.push([key.slice(7), value]);
    }
    // An answer replaces the record that its command started.
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
   * Records that a command starts. Resolves when the record is stored: an act must not begin before.
   * @param {string} id @param {string} command @param {boolean} acts
   */
  async begin(id, command, acts) {
    const at = this.now();
    this.#put(id, { command, at, acts, answer: null, size: 0 });
    this.#prune();
    if (acts) await this.local.set({ [`started:${id}`]: { command, at } });
  }

  /**
   * Records the answer. Resolves when it is stored.
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
