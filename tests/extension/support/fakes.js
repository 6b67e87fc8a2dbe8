/** Stand-ins for what the browser gives: storage, sockets, time. */

/** A storage area over a plain object, as `chrome.storage` copies values in and out. */
export function area(initial = {}) {
  const items = structuredClone(initial);
  return {
    items,
    get: async (key) => structuredClone(key === null ? items : key in items ? { [key]: items[key] } : {}),
    set: async (values) => void Object.assign(items, structuredClone(values)),
    remove: async (keys) => {
      for (const key of [keys].flat()) delete items[key];
    },
  };
}

/** A clock that stands still until it is told to go on. */
export class Clock {
  time = 1_000_000;
  timers = new Map();
  next = 1;
  now = () => this.time;
  setTimeout = (run, ms) => {
    this.timers.set(this.next, { run, at: this.time + ms });
    return this.next++;
  };
  clearTimeout = (timer) => void this.timers.delete(timer);

  /** Lets `ms` pass in which nothing runs, as a machine that sleeps does: what fell due is late, all at once. */
  sleep(ms) {
    this.time += ms;
    const due = [...this.timers].filter(([, timer]) => timer.at <= this.time).sort(([, a], [, b]) => a.at - b.at);
    for (const [id, timer] of due) if (this.timers.delete(id)) timer.run();
  }

  /** Lets `ms` pass, with every timer that falls due in its turn. */
  advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
    }
    this.time = end;
  }
}

/** One socket whose other end is the test. */
export class Socket {
  sent = [];
  closed = false;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  opens() {
    this.onopen();
  }
  says(message) {
    this.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
  closes(code = 1006) {
    this.onclose({ code });
  }
}

/** Lets promises that wait for nothing else come to their end. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
