/**
 * The trace ring that `debug.log` reads: what happened, as events and ids, never a page's text or a filled value. It is
 * kept in `storage.session` and so survives the worker.
 */

/** @typedef {import('./storage.js').Area} Area */

/** Entries kept for `debug.log`. */
const TRACE_COUNT = 1000;
/** The ring is stored at most this often: losing a second of it when the worker ends does not matter. */
const TRACE_SAVE_MS = 1_000;

/**
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
