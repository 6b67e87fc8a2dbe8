/**
 * The guard around an act in the page's own world: answers the dialogs that the act calls up, which would block the page,
 * and passes on to the extension's world what only that can do. It is sent as text, so it uses nothing from outside
 * itself, and it leaves nothing behind.
 *
 * It puts proxies in place of the browser's functions: a proxy is like the function in all but its text, so
 * `Function.prototype.toString` tells the function's. What a page has put in place of such a function stays. A page may
 * have replaced any function that is called here to see who calls it, so they are few and taken once.
 *
 * A person's hand allows a page windows for some seconds. So a function that the act has a timer call finds the guard's
 * `open` in place, as long as it runs and what follows it at once.
 *
 * Whoever knows the guard's secret takes it away, by asking for the text of the secret. It also ends by itself, because
 * the worker that would take it away may be ended.
 *
 * @param {string} secret drawn for this one use
 * @param {string} request the name of the events that ask the extension's world for something: it is done there if their
 *   default is prevented
 * @param {number} until it ends then (unix ms)
 * @param {boolean} accepts how dialogs are answered
 * @param {string | null} text the answer to a `prompt`; null for what it proposes
 * @param {boolean} holds the act says what a field holds: what a server makes of it is waited for
 */
export function guard(secret, request, until, accepts, text, holds) {
  const { now } = Date;
  if (now() >= until) return;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { apply } = Reflect;
  const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;
  const { CustomEvent: Request, Event: Notice, scheduler } = /** @type {any} */ (window);
  const { parse, stringify } = JSON;
  const textOf = Function.prototype.toString;

  /** What is kept of one dialog, and of how many. */
  const [MAX_MESSAGE, MAX_DIALOGS] = [4096, 100];
  /** How long after the act a timer's function may open windows. */
  const LATER_MS = 2_000;

  /** @type {{ type: string, message: string, answer: string }[]} */
  let answered = [];
  try {
    // The document has this guard already: it begins anew.
    answered = parse(apply(textOf, secret, []));
  } catch {}
  /** @type {{ on: any, name: string, native: any, stand: any, lasts: boolean }[]} */
  const replaced = [];
  let over = false;
  let opened = 0;
  /** Until when timers of the act may put back what lasts. */
  let later = 0;
  /** Whether it is back. */
  let armed = false;

  const lift = () => {
    if (!over) later = now() + LATER_MS;
    over = true;
    armed = false;
    for (let index = 0; index < replaced.length; index += 1) {
      const { on, name, native, stand } = replaced[index];
      const found = getOwnPropertyDescriptor(on, name);
      if (found?.value === stand) defineProperty(on, name, { ...found, value: native });
    }
  };

  /** Runs in a task of its own. @param {() => void} run @param {number} delay */
  const after = (run, delay) => {
    // A page may watch its timers; and in a page that nobody sees they are late, also those of no delay.
    if (scheduler) scheduler.postTask(run, delay > 0 ? { delay } : {});
    else setTimeout(run, delay);
  };

  const arm = () => {
    if (!over || now() >= later) return;
    armed = true;
    for (let index = 0; index < replaced.length; index += 1) {
      const { on, name, native, stand, lasts } = replaced[index];
      const found = getOwnPropertyDescriptor(on, name);
      if (lasts && found?.value === native) defineProperty(on, name, { ...found, value: stand });
    }
    after(lift, 0);
  };

  /**
   * Puts a proxy in place of a function of the browser.
   * @param {any} on @param {string} name
   * @param {(self: any, args: any[], native: any) => unknown} act in place of the function
   * @param {boolean} [lasts] it is there for the timers of the act as well
   */
  const replace = (on, name, act, lasts = false) => {
    const found = getOwnPropertyDescriptor(on, name);
    const native = found?.value;
    if (typeof native !== 'function' || !found?.configurable || !found.writable) return;
    if (apply(textOf, native, []) !== `function ${name}() { [native code] }`) return;
    const stand = new Proxy(native, {
      apply: (_, self, args) => {
        if (!over && now() >= until) lift();
        const isOn = !over || (lasts && armed);
        return isOn ? act(self, args, native) : apply(native, self, args);
      },
    });
    replaced[replaced.length] = { on, name, native, stand, lasts };
    defineProperty(on, name, { ...found, value: stand });
  };

  /**
   * A function that opens a dialog. It may be called without its window.
   * @param {string} name
   * @param {(args: any[]) => { message: string, answer: unknown }} respond
   */
  const dialog = (name, respond) =>
    replace(window, name, (self, args, native) => {
      // The browser has words of its own for what is no window, and for symbols.
      const isWindow = self === undefined || self === null || self.window === self;
      if (!isWindow || typeof args[0] === 'symbol' || typeof args[1] === 'symbol') return apply(native, self, args);
      const { message, answer } = respond(args);
      if (answered.length < MAX_DIALOGS) {
        const type = name;
        let kept = '';
        for (let index = 0; index < message.length && index < MAX_MESSAGE; index += 1) kept += message[index];
        answered[answered.length] = { type, message: kept, answer: accepts ? 'accept' : 'dismiss' };
      }
      return answer;
    });
  /** An argument that may be left out. @param {unknown} given */
  const optional = (given) => (given === undefined ? '' : `${given}`);

  dialog('alert', (args) => ({ message: args.length === 0 ? '' : `${args[0]}`, answer: undefined }));
  dialog('confirm', (args) => ({ message: optional(args[0]), answer: accepts }));
  dialog('prompt', (args) => {
    const [message, proposed] = [optional(args[0]), optional(args[1])];
    return { message, answer: accepts ? (text ?? proposed) : null };
  });
  dialog('print', () => {
    apply(dispatchEvent, window, [new Notice('beforeprint')]);
    apply(dispatchEvent, window, [new Notice('afterprint')]);
    return { message: '', answer: undefined };
  });

  /** Asks the extension's world; whether it did what is asked for. @param {any} at @param {string} detail */
  const asks = (at, detail) =>
    !apply(dispatchEvent, at, [new Request(request, { detail, cancelable: true, composed: true })]);
  // No hand moves the pointer of the act, so the browser knows of none that could be captured.
  replace(Element.prototype, 'setPointerCapture', (self, args, native) =>
    args.length > 0 && asks(self, `capture ${args[0]}`) ? undefined : apply(native, self, args),
  );
  replace(Element.prototype, 'releasePointerCapture', (self, args, native) =>
    args.length > 0 && asks(self, `release ${args[0]}`) ? undefined : apply(native, self, args),
  );
  replace(Element.prototype, 'hasPointerCapture', (self, args, native) =>
    args.length > 0 && asks(self, `captured ${args[0]}`) ? true : apply(native, self, args),
  );

  // A chooser of files is for a person: what asks for one is told to the extension's world, which may have the files.
  const { MouseEvent: Naming } = /** @type {any} */ (window);
  /** @param {object} on @param {string} name */
  const getter = (on, name) => getOwnPropertyDescriptor(on, name)?.get;
  const [typeOf, connected] = [getter(HTMLInputElement.prototype, 'type'), getter(Node.prototype, 'isConnected')];
  /** @param {any} self */
  const takesFiles = (self) => {
    try {
      return apply(/** @type {any} */ (typeOf), self, []) === 'file';
    } catch {
      return false;
    }
  };
  /** @param {any} self */
  const chooses = (self) =>
    !apply(dispatchEvent, document, [new Naming(request, { relatedTarget: self, cancelable: true })]);
  replace(HTMLElement.prototype, 'click', (self, args, native) => {
    // One in the document is noticed by its event.
    if (over || !takesFiles(self) || apply(/** @type {any} */ (connected), self, [])) return apply(native, self, args);
    let asked = false;
    const prevent = (/** @type {Event} */ event) => {
      asked = !event.defaultPrevented;
      event.preventDefault();
    };
    apply(addEventListener, self, ['click', prevent]);
    apply(native, self, args);
    apply(removeEventListener, self, ['click', prevent]);
    if (asked) chooses(self);
  });
  replace(HTMLInputElement.prototype, 'showPicker', (self, args, native) =>
    !over && takesFiles(self) && chooses(self) ? undefined : apply(native, self, args),
  );

  // Without a person's hand the browser opens no window for a page: the extension's world opens it, by a name of its own.
  /** @param {any} self @param {any[]} args @param {any} native */
  const openWindow = (self, args, native) => {
    const isWindow = self === undefined || self === null || self === window;
    if (!isWindow || args.length === 0 || typeof args[0] === 'symbol') return apply(native, self, args);
    const [url, given, features] = [`${args[0] ?? ''}`, optional(args[1]), args[2] == null ? '' : `${args[2]}`];
    opened += 1;
    const isNew = given === '' || given === '_blank';
    const name = isNew ? `w${now()}.${opened}` : given;
    if (!asks(document, `open ${stringify({ url, name, features })}`)) return apply(native, self, args);
    if (/\bno(opener|referrer)\b/i.test(features)) return null;
    const made = apply(native, window, [url, name]);
    if (isNew && made) made.name = '';
    return made;
  };
  replace(window, 'open', openWindow, true);
  for (const how of ['submit', 'requestSubmit']) {
    replace(
      HTMLFormElement.prototype,
      how,
      (self, args, native) => (args.length === 0 && asks(self, `form ${how}`) ? undefined : apply(native, self, args)),
      true,
    );
  }

  /** @param {any} self @param {any[]} args @param {any} native */
  const setTimer = (self, args, native) => {
    const [run] = args;
    if (holds && !over && typeof args[1] !== 'object') asks(window, `timing ${optional(args[1])}`);
    if (typeof run === 'function') {
      args[0] = new Proxy(run, {
        apply: (_, on, given) => {
          arm();
          return apply(run, on, given);
        },
      });
    }
    return apply(native, self, args);
  };
  replace(window, 'setTimeout', setTimer, true);

  // What the act asks servers for is waited for: only the page's own world knows when it begins.
  /** @param {any} on @param {string} name */
  const asking = (on, name) =>
    replace(on, name, (self, args, native) => {
      asks(window, 'asking');
      return apply(native, self, args);
    });
  replace(window, 'requestAnimationFrame', (self, args, native) => {
    asks(window, 'drawing');
    return apply(native, self, args);
  });
  asking(window, 'fetch');
  asking(XMLHttpRequest.prototype, 'send');
  if (holds) {
    /** The sockets whose messages are told of. @type {any[]} */
    const sockets = [];
    replace(WebSocket.prototype, 'send', (self, args, native) => {
      const sent = apply(native, self, args);
      let isKnown = false;
      for (let index = 0; index < sockets.length; index += 1) isKnown ||= sockets[index] === self;
      if (!isKnown) {
        sockets[sockets.length] = self;
        const hear = () => {
          if (over) apply(removeEventListener, self, ['message', hear]);
          else asks(window, 'hearing');
        };
        apply(addEventListener, self, ['message', hear]);
      }
      asks(window, 'sending');
      return sent;
    });
  }

  /** @param {any} self @param {any[]} args @param {any} native */
  const tell = (self, args, native) => {
    if (self === secret) {
      lift();
      return stringify(answered);
    }
    for (let index = 0; index < replaced.length; index += 1) {
      if (replaced[index].stand === self) return apply(native, replaced[index].native, args);
    }
    return apply(native, self, args);
  };
  replace(Function.prototype, 'toString', tell, true);

  after(() => !over && lift(), until - now());
}

/**
 * Takes a guard away, in the page's own world.
 * @param {string} secret
 * @returns {string | undefined} the dialogs that it answered, as JSON; undefined if there is none here
 */
export function lift(secret) {
  try {
    return /** @type {any} */ (Reflect.apply(Function.prototype.toString, secret, []));
  } catch {
    // There is no guard, or the page has taken its place: then it ends by itself.
  }
}
