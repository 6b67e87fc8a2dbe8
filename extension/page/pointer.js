/**
 * The mouse of each session: where it is in the page, and the events that it makes, in the browser's order.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** The bits of `buttons`, by `button`. */
  const BUTTONS = [1, 4, 2];
  const POINTER = { pointerId: 1, pointerType: 'mouse' };

  /**
   * Where a session's mouse is: its place, and what it is in, from the innermost element outwards. Elements are held
   * weakly: a page may drop them.
   * @typedef {{ at: PagePoint, inside: WeakRef<Node>[] }} Mouse
   */
  /** @type {Map<string, Mouse>} */
  const mice = new Map();

  /** What every event at a place has. @param {PagePoint} at @returns {PointerEventInit} */
  const placed = ({ clientX, clientY }) => ({
    composed: true,
    view: window,
    clientX,
    clientY,
    screenX: screenX + (outerWidth - innerWidth) / 2 + clientX,
    screenY: screenY + outerHeight - innerHeight + clientY,
  });

  /** Sends an event; false if the page prevented it. */
  const send = (/** @type {Node} */ on, /** @type {string} */ type, /** @type {PointerEventInit} */ init) => {
    const bubbles = !/(enter|leave)$/.test(type);
    const all = { bubbles, cancelable: bubbles && type !== 'pointercancel', composed: bubbles, ...init };
    if (!bubbles) all.composed = false;
    if (/^(pointer|click|auxclick|contextmenu)/.test(type)) {
      const isPointer = type.startsWith('pointer');
      const pressure = isPointer && init.buttons ? 0.5 : 0;
      return own.dispatchEvent(on, new PointerEvent(type, { ...POINTER, isPrimary: isPointer, pressure, ...all }));
    }
    return own.dispatchEvent(on, new MouseEvent(type, all));
  };

  /** An element and all around it, outwards, to the document. */
  const around = (/** @type {Element} */ element) => {
    /** @type {Node[]} */
    const found = [];
    for (let at = /** @type {Node | null} */ (element); at; at = page.parent(at)) found.push(at);
    return found;
  };

  /** Where the mouse is now; what was taken out of the page is not around it any more. */
  const whereabouts = (/** @type {string} */ session) => {
    const { at, inside } = mice.get(session) ?? { at: null, inside: [] };
    const nodes = inside.map((it) => it.deref());
    return { at, inside: nodes.filter((it) => it === document || (it instanceof Element && page.isHere(it))) };
  };

  /** The mouse is somewhere else: it leaves what it was in, and enters what it was not in. */
  const cross = (
    /** @type {string} */ session,
    /** @type {Element} */ to,
    /** @type {PointerEventInit} */ init,
    kinds = ['pointer', 'mouse'],
  ) => {
    const { inside } = whereabouts(session);
    const entered = around(to);
    const [from] = inside;
    if (from === entered[0]) return;
    const left = inside.filter((it) => !entered.includes(/** @type {Node} */ (it)));
    const fresh = entered.filter((it) => !inside.includes(it)).reverse();
    for (const kind of kinds) {
      const all = { ...init, button: kind === 'pointer' ? -1 : 0 };
      if (from) {
        send(from, `${kind}out`, { ...all, relatedTarget: to });
        for (const on of left) send(/** @type {Node} */ (on), `${kind}leave`, { ...all, relatedTarget: to });
      }
      send(to, `${kind}over`, { ...all, relatedTarget: from ?? null });
      for (const on of fresh) send(on, `${kind}enter`, { ...all, relatedTarget: from ?? null });
    }
  };

  const remember = (/** @type {string} */ session, /** @type {Element} */ hit, /** @type {PagePoint} */ at) => {
    mice.set(session, { at, inside: around(hit).map((it) => new WeakRef(it)) });
  };

  page.mouse = (modifiers = []) => {
    // A command that awaits may be overtaken by one of another session.
    const { session = '' } = page.order;
    const keys = {
      altKey: modifiers.includes('Alt'),
      ctrlKey: modifiers.includes('Control'),
      metaKey: modifiers.includes('Meta'),
      shiftKey: modifiers.includes('Shift'),
    };
    let buttons = 0;
    let button = 0;
    /** What the button was pressed on. @type {Element | null} */
    let pressed = null;
    /** The page wants no events of the mouse besides those of the pointer. */
    let quiet = false;
    const init = (/** @type {PagePoint} */ at, /** @type {PointerEventInit} */ more = {}) => ({
      ...placed(at),
      ...keys,
      buttons,
      ...more,
    });
    const captured = (/** @type {Element} */ hit, /** @type {string} */ type, /** @type {PagePoint} */ at) =>
      page.pointed(hit, type, init(at));

    return {
      move(hit, at) {
        const before = whereabouts(session).at ?? at;
        const movementX = Math.floor(at.clientX) - Math.floor(before.clientX);
        const movementY = Math.floor(at.clientY) - Math.floor(before.clientY);
        const on = captured(hit, 'pointermove', at);
        cross(session, on, init(at));
        remember(session, on, at);
        send(on, 'pointermove', init(at, { button: -1, movementX, movementY }));
        return quiet || send(on, 'mousemove', init(at, { button: 0, movementX, movementY }));
      },
      down(hit, at, which, detail) {
        // What has the focus is told of it before it is left.
        page.tellFocus();
        button = which;
        buttons = BUTTONS[which];
        const on = captured(hit, 'pointerdown', at);
        quiet = !send(on, 'pointerdown', init(at, { button }));
        pressed = on;
        return !quiet && page.isHere(on) && send(on, 'mousedown', init(at, { button, detail }));
      },
      up(hit, at, detail, react) {
        buttons = 0;
        const on = captured(hit, 'pointerup', at);
        send(on, 'pointerup', init(at, { button }));
        if (!quiet && page.isHere(on)) send(on, 'mouseup', init(at, { button, detail }));
        react?.();
        quiet = false;
        page.uncapture(init(at));
        const both = pressed && page.isHere(pressed) ? around(pressed) : [];
        const common = around(on).find((it) => it instanceof Element && both.includes(it));
        return /** @type {Element | undefined} */ (common) ?? null;
      },
      activate(on, at, detail) {
        // A label gives the focus to its field before it clicks that.
        own.addEventListener(window, 'click', page.tellFocus, true);
        // What had captured the pointer gets the click, wherever it is.
        send(captured(on, 'click', at), button === 0 ? 'click' : 'auxclick', init(at, { button, detail }));
        if (button === 0 && detail === 2 && page.isHere(on)) send(on, 'dblclick', init(at, { button, detail }));
        own.removeEventListener(window, 'click', page.tellFocus, true);
        page.tellFocus();
      },
      menu(on, at) {
        send(on, 'contextmenu', init(at, { button: 2 }));
      },
      cancel() {
        const gone = { ...placed({ clientX: 0, clientY: 0 }), screenX: 0, screenY: 0, ...keys, buttons: 0 };
        const { at, inside } = whereabouts(session);
        const [from] = inside;
        buttons = 0;
        if (!from || !at) return;
        for (const type of ['pointercancel', 'pointerout']) send(from, type, gone);
        for (const on of inside) send(/** @type {Node} */ (on), 'pointerleave', gone);
        page.uncapture(gone);
      },
      rest(hit, at) {
        // The browser has told that the pointer left, and does not know of the mouse.
        const { inside } = whereabouts(session);
        const all = init(at);
        send(hit, 'pointerover', { ...all, button: -1 });
        for (const on of around(hit).reverse()) send(on, 'pointerenter', { ...all, button: -1 });
        if (inside.length > 0) cross(session, hit, all, ['mouse']);
        remember(session, hit, at);
      },
      init,
    };
  };
})();
