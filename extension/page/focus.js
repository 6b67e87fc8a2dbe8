/**
 * The focus: moving it, with the events that the page expects. The browser itself sends `focus`, `blur`, `focusin` and
 * `focusout` only in a document that has the focus, not in a hidden tab or behind another window: there they are sent
 * here, in its order. It does send `change` there when a field is left in which something was typed.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** What a press can give the focus to, if the browser finds it focusable besides. */
  const TAKES_FOCUS =
    'a[href], a[*|href], area[href], audio[controls], button, embed, iframe, input, object, select, summary, ' +
    'textarea, video[controls], [contenteditable]:not([contenteditable="false"]), [tabindex]';
  /** Handlers that move the focus on and on are left alone after so many moves. */
  const MOVES_MAX = 8;

  /**
   * The element that the page was told has the focus. Where the document has none, the page last heard that everything
   * was blurred, if it heard anything.
   * @type {Element | null}
   */
  let told = null;

  /** Whether the page was told that this window has the focus, as that of a page has until one of its frames gets it. */
  let windowTold = window.parent === window;

  addEventListener(
    'focus',
    (event) => {
      if (!event.isTrusted || event.target !== window) return;
      // From then on the browser tells the page.
      told = null;
      windowTold = true;
    },
    true,
  );
  addEventListener(
    'blur',
    (event) => {
      if (!event.isTrusted || event.target !== window) return;
      const from = told;
      told = null;
      windowTold = false;
      if (from && own.isConnected(from)) leave(from, null);
    },
    true,
  );

  page.focused = () => {
    let at = own.activeElement(document);
    for (let inner = at; inner; inner = within(inner)) at = inner;
    return at === own.body(document) || at === own.documentElement(document) ? null : at;
  };

  page.focusedFrame = () => {
    const focused = page.focused();
    return focused ? page.slotOf(focused) : undefined;
  };

  page.takeWindowFocus = () => {
    focus();
    page.tellWindow();
  };

  page.tellWindow = () => {
    if (windowTold || own.hasFocus(document)) return;
    windowTold = true;
    own.dispatchEvent(window, new Event('focus'));
  };

  const within = (/** @type {Element} */ host) => {
    const shadow = own.shadowRoot(host);
    return shadow && own.activeElement(shadow);
  };

  /**
   * The focus comes into this document: what has it in another one is told first, as the browser does it. Those of other
   * origins are told by the browser, of their window.
   */
  const enter = () => {
    if (page.focused() !== null || own.hasFocus(document)) return;
    const leave = (/** @type {any} */ view, /** @type {number} */ depth) => {
      try {
        if (view !== window) view.bproxy?.leaveFocus();
      } catch {
        // It is of another origin.
      }
      for (let index = 0; depth < DEPTH_MAX && index < Math.min(view.length, FRAMES_MAX); index += 1)
        leave(view[index], depth + 1);
    };
    if (page.isFramed()) leave(window.top, 0);
  };
  /** Deeper frames, and more of them in one document, are not told first. */
  const DEPTH_MAX = 5;
  const FRAMES_MAX = 50;

  page.leaveFocus = () => {
    const from = told;
    if (from === null || page.focused() !== from) return;
    own.blur(/** @type {HTMLElement} */ (from));
    page.tellFocus();
  };

  page.takeFocus = (element) => {
    enter();
    own.focus(/** @type {HTMLElement} */ (element), { preventScroll: true });
    page.tellFocus();
  };

  page.dropFocus = () => {
    const element = page.focused();
    if (element) own.blur(/** @type {HTMLElement} */ (element));
    page.tellFocus();
  };

  page.focusFromPointer = (hit) => {
    enter();
    const before = page.focused();
    for (let on = /** @type {Node | null} */ (hit); on; on = page.parent(on)) {
      if (!(on instanceof Element)) continue;
      const delegates = own.shadowRoot(on)?.delegatesFocus === true;
      // A press within what a host has delegated the focus to leaves it there.
      if (before && (on === before || (delegates && page.isWithin(before, on)))) return page.tellFocus();
      if (!delegates && !own.matches(on, TAKES_FOCUS)) continue;
      own.focus(/** @type {HTMLElement} */ (on), { preventScroll: true });
      const now = page.focused();
      if (now && (now === on || (delegates && page.isWithin(now, on)))) return page.tellFocus();
    }
    page.dropFocus();
    // A press anywhere in a frame gives that the focus.
    if (page.isFrame()) page.takeWindowFocus();
  };

  page.isWithin = (element, host) => {
    for (let at = /** @type {Node | null} */ (element); at; at = own.parentNode(at) ?? hostOf(at)) {
      if (at === host) return true;
    }
    return false;
  };

  const hostOf = (/** @type {Node} */ node) => (node instanceof ShadowRoot ? node.host : null);

  page.tellFocus = () => {
    for (let moves = 0; moves < MOVES_MAX; moves += 1) {
      if (own.hasFocus(document)) {
        told = null;
        return;
      }
      // A frame itself is told nothing: what is in it is.
      const to = page.focusedFrame() === undefined ? page.focused() : null;
      const from = told && own.isConnected(told) ? told : null;
      if (to === from) return;
      told = null;
      if (from) {
        // While it is told, nothing has the focus, and a handler may give it to another element.
        if (to) own.blur(/** @type {HTMLElement} */ (to));
        leave(from, to);
        // A field for dates keeps it.
        if (page.focused() !== null && page.focused() !== to) continue;
        if (to) own.focus(/** @type {HTMLElement} */ (to), { preventScroll: true });
      }
      if (page.focused() !== to) continue;
      if (to) page.tellWindow();
      if (to && page.focused() !== to) continue;
      told = to;
      if (to) {
        send(to, 'focus', from);
        if (page.focused() === to) send(to, 'focusin', from);
      }
    }
  };

  const leave = (/** @type {Element} */ from, /** @type {Element | null} */ to) => {
    send(from, 'blur', to);
    send(from, 'focusout', to);
  };

  const send = (
    /** @type {Element} */ on,
    /** @type {'focus' | 'blur' | 'focusin' | 'focusout'} */ type,
    /** @type {Element | null} */ relatedTarget,
  ) => {
    const bubbles = type === 'focusin' || type === 'focusout';
    own.dispatchEvent(on, new FocusEvent(type, { bubbles, composed: true, view: window, relatedTarget }));
  };
})();
