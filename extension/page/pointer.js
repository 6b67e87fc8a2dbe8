/** Gestures of the pointer: the events that a mouse makes, in its order. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const mouse = (/** @type {Element} */ on, /** @type {string} */ type, /** @type {MouseEventInit} */ init) => {
    const pointer = type.startsWith('pointer');
    const bubbles = !/(enter|leave)$/.test(type);
    const all = { bubbles, cancelable: bubbles, composed: true, view: window, ...init };
    const event = pointer
      ? new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', isPrimary: true, ...all })
      : new MouseEvent(type, all);
    return own.dispatchEvent(on, event);
  };

  page.moveOnto = (hit, at) => {
    /** @type {Element[]} */
    const entered = [];
    for (let on = /** @type {Node | null} */ (hit); on; on = page.parent(on)) {
      if (on instanceof Element) entered.unshift(on);
    }
    for (const type of ['pointerover', 'pointerenter', 'mouseover', 'mouseenter', 'pointermove', 'mousemove']) {
      // Entering does not bubble: each element around the pointer gets an event of its own, the outermost first.
      for (const on of type.endsWith('enter') ? entered : [hit]) mouse(on, type, at);
    }
  };

  page.press = (element) => {
    const { at, hit } = page.hitPoint(element);
    page.refuseFrame(hit);
    const down = { ...at, button: 0, buttons: 1, detail: 1 };
    const up = { ...at, button: 0, buttons: 0, detail: 1 };
    // A page may redraw what is pressed, or take it away, at any event: none goes to another element.
    const send = (/** @type {string} */ type, /** @type {MouseEventInit} */ init) => {
      const on = [hit, element].find((it) => page.isHere(it) && page.reaches(element, it));
      return on !== undefined && mouse(on, type, init);
    };
    page.moveOnto(hit, at);
    send('pointerdown', down);
    if (!page.isHere(element)) page.notActionable(element, 'was taken out of the page before it was pressed');
    if (send('mousedown', down)) page.focusFromPointer(page.isHere(hit) ? hit : element);
    page.tellFocus();
    for (const type of ['pointerup', 'mouseup']) send(type, up);
    if (!page.isHere(element)) return false;
    // A label gives the focus to its field before it clicks that.
    own.addEventListener(window, 'click', page.tellFocus, true);
    send('click', up);
    own.removeEventListener(window, 'click', page.tellFocus, true);
    page.tellFocus();
    return true;
  };

  /** What only a person's mouse can work, and what does the same. @type {[string, string][]} */
  const NATIVE = [
    ['select, option, optgroup', 'opens a list that a click from a script does not open: use select'],
    ['input[type="range"]', 'is a slider, which a click from a script does not move: use fill'],
    ['input[type="color"]', 'opens a dialog that a click from a script does not open: use fill'],
    ['input[type="file"]', 'takes files: a person has to choose them (require-human)'],
  ];

  /** Whether the browser follows the link in another tab; a link to nowhere only has click listeners. */
  const opensTab = (/** @type {HTMLAnchorElement} */ link) => {
    if (
      !/^https?:$/.test(link.protocol) ||
      own.hasAttribute(link, 'download') ||
      /^\s*#/.test(own.getAttribute(link, 'href') ?? '')
    ) {
      return false;
    }
    const base = own.querySelector(document, 'base[target]');
    const target = own.getAttribute(link, 'target') ?? (base && own.getAttribute(base, 'target')) ?? '';
    if (/^(_self|_parent|_top)?$/i.test(target)) return false;
    return page.query('iframe[name], frame[name]').every((frame) => own.getAttribute(frame, 'name') !== target);
  };

  page.commands.click = ({ target }) => {
    const element = page.actionable(target);
    const native = NATIVE.find(([selector]) => own.matches(element, selector));
    if (native) page.notActionable(element, native[1]);
    const labelled = /** @type {HTMLLabelElement | null} */ (own.closest(element, 'label'))?.control;
    if (labelled instanceof HTMLInputElement && labelled.type === 'file') {
      page.notActionable(
        element,
        'opens a dialog for files, which a click from a script does not open: a person has to choose them (require-human)',
      );
    }
    const link = /** @type {HTMLAnchorElement | null} */ (own.closest(element, 'a[href], area[href]'));
    const address = (link && own.getAttribute(link, 'href')) ?? '';
    // The browser does not run such an address for an extension; an empty one only has click listeners.
    if (/^\s*javascript:/i.test(address) && !/^\s*javascript:\s*(void\b[^a-z]*)?;?\s*$/i.test(address)) {
      page.notActionable(
        element,
        'leads to a script in its address (javascript:), which an extension cannot start: ask for a person',
      );
    }
    if (link && opensTab(link)) {
      page.notActionable(
        element,
        `opens a tab of its own, which would come to the front and belong to no session: use navigate or tab open with ${link.href}`,
      );
    }
    page.acted = element;
    page.after = () => ({ disappeared: !own.isConnected(element) || !page.visible(element) });
    if (!page.press(element)) {
      page.notActionable(
        element,
        'went away as soon as it was pressed, so that no click came of it: read the page to see what the press did',
      );
    }
    return {};
  };

  page.commands.hover = ({ target }) => {
    const { at, hit } = page.hitPoint(page.actionable(target));
    const hidden = page.hiddenUntilHover(hit);
    page.after = () => {
      const found = hidden();
      return { hidden: found && page.describe(found.element), guessed: found?.guessed === true };
    };
    page.moveOnto(hit, at);
    return {};
  };
})();
