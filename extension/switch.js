/**
 * The person's switch: while it is off, this browser carries out no command. Its position is stored in `storage.local`,
 * so that it outlives the worker, the browser and the daemon; the pairing does not depend on it.
 */

import { ActionError } from './protocol.js';

/** @typedef {import('./storage.js').Area} Area */

/** What a command is answered with, as the reason of the pause that the answer begins. */
const PAUSED = 'paused by the person';
/** Tells these answers from others: an agent can ask for a person in the same words, and must not resume by that. */
const DETAILS = Object.freeze({ switch: 'off' });

/** How many sessions are remembered for being resumed: those that a daemon can have. */
const MAX_SESSIONS = 256;

/** The failure of every command while the switch is off. */
export function pausedByPerson() {
  return new ActionError('HUMAN_REQUIRED', PAUSED, { suggestedAction: 'bproxy session wait', details: DETAILS });
}

/** Whether an answer is that failure. @param {import('./dedupe-log.js').Answer} answer */
export function isPausedByPerson(answer) {
  return !answer.ok && answer.error.code === 'HUMAN_REQUIRED' && answer.error.details?.switch === DETAILS.switch;
}

export class Switch {
  /**
   * @param {Area} local
   * @param {(session: string) => boolean} resume asks the daemon to resume a session; false without a connection
   */
  constructor(local, resume) {
    this.local = local;
    this.resume = resume;
    this.on = true;
    /** @type {Set<string>} sessions that it has paused and that are not resumed yet, oldest first */
    this.paused = new Set();
  }

  async load() {
    const stored = (await this.local.get('switch')).switch;
    this.on = stored?.on ?? true;
    for (const session of stored?.paused ?? []) this.paused.add(session);
  }

  /** Resolves when the new position is stored; it counts at once. @param {boolean} on */
  async turn(on) {
    this.on = on;
    if (on) this.resumeAll();
    await this.#save();
  }

  /** An answer has just been sent by which the daemon pauses this session. @param {string} session */
  pauses(session) {
    this.paused.delete(session);
    this.paused.add(session);
    const [oldest] = this.paused;
    if (this.paused.size > MAX_SESSIONS) this.paused.delete(oldest);
    // The answer may be a repeated one, from before the switch was turned on again.
    if (this.on) this.resumeAll();
    void this.#save();
  }

  /** There is a connection again. */
  connected() {
    if (!this.on || this.paused.size === 0) return;
    this.resumeAll();
    void this.#save();
  }

  resumeAll() {
    for (const session of [...this.paused]) if (this.resume(session)) this.paused.delete(session);
  }

  #save() {
    return this.local.set({ switch: { on: this.on, paused: [...this.paused] } });
  }
}
