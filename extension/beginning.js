/**
 * Whether a script has begun in its page. While the page shows a dialog or is busy, the browser lets a script wait without
 * a word, and no interface tells a script that waits from one that works: those that may work long send a message when
 * they begin.
 */

/** A script that has not begun after this is given up, and does nothing should it begin later. */
const BEGIN_MS = 5_000;

/** What became of a script that has not begun in time. */
export const LATE = Symbol('late');

/** Scripts that have not said that they begin. @type {Map<string, () => void>} */
const awaited = new Map();

/** One script: its name, and until when it may begin (unix ms). */
export function beginning() {
  const token = crypto.randomUUID();
  const until = Date.now() + BEGIN_MS;
  return {
    token,
    until,
    /**
     * The script's result, however long it works, or `LATE`.
     * @template Value @param {Promise<Value>} running @returns {Promise<Value | typeof LATE>}
     */
    inTime: (running) =>
      new Promise((resolve, reject) => {
        // The page has to begin before, so that what it says can arrive.
        const timer = setTimeout(() => end(() => resolve(LATE)), BEGIN_MS + 100);
        const end = (/** @type {() => void} */ settle) => {
          clearTimeout(timer);
          awaited.delete(token);
          settle();
        };
        awaited.set(token, () => clearTimeout(timer));
        running.then(
          (value) => end(() => resolve(value)),
          (error) => end(() => reject(error)),
        );
      }),
  };
}

/** A script says that it has begun. @param {unknown} token */
export function begun(token) {
  if (typeof token === 'string') awaited.get(token)?.();
}
