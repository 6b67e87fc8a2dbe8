/** Gestures of the pointer: the events that a mouse makes, in its order. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  const mouse = (/** @type {Element} */ on, /** @type {string} */ type, /** @type {MouseEventInit} */ init) => {
    const pointer = type.startsWith('pointer');
    const bubbles = !/(enter|leave)$/.test(type);
    const all = { bubbles, cancelable: bubbles, composed: true, view: window, ...init };
    const event = pointer
      ? new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', isPrimary: true, ...all })
      : new MouseEvent(type, all);
    return on.dispatchEvent(event);
  };

  page.moveOnto = (hit, at) => {
    for (const type of ['pointerover', 'pointerenter', 'mouseover', 'mouseenter', 'pointermove', 'mousemove']) {
      mouse(hit, type, at);
    }
  };

  const FOCUSABLE =
    'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]:not([contenteditable="false"])';

  page.press = (element) => {
    const { at, hit } = page.hitPoint(element);
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
    if (send('mousedown', down)) {
      const focused = page.isHere(hit) ? hit : element;
      /** @type {HTMLElement | null} */ (focused.closest(FOCUSABLE))?.focus({ preventScroll: true });
    }
    for (const type of ['pointerup', 'mouseup', 'click']) send(type, up);
  };

  /** Whether the browser follows the link in another tab; a link to nowhere only has click listeners. */
  const opensTab = (/** @type {HTMLAnchorElement} */ link) => {
    if (
      !/^https?:$/.test(link.protocol) ||
      link.hasAttribute('download') ||
      /^\s*#/.test(link.getAttribute('href') ?? '')
    ) {
      return false;
    }
    const target = link.getAttribute('target') ?? document.querySelector('base[target]')?.getAttribute('target') ?? '';
    if (/^(_self|_parent|_top)?$/i.test(target)) return false;
    return page.query('iframe[name], frame[name]').every((frame) => frame.getAttribute('name') !== target);
  };

  page.commands.click = ({ target, covered = false }) => {
    const element = page.actionable(target, covered);
    const link = /** @type {HTMLAnchorElement | null} */ (element.closest('a[href], area[href]'));
    const address = link?.getAttribute('href') ?? '';
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
    page.after = () => ({ disappeared: !element.isConnected || !page.visible(element) });
    page.press(element);
    return {};
  };

  page.commands.hover = ({ target, covered = false }) => {
    const { at, hit } = page.hitPoint(page.actionable(target, covered));
    page.after = null;
    page.moveOnto(hit, at);
    return {};
  };
})();
