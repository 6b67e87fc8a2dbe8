/**
 * What the browser does in response to a key besides editing text: activating, submitting, closing, moving on, scrolling.
 * Each kind of element does it at one of the key's events, which a page can prevent.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** What Space went down on, and presses when it comes up. @type {Element | null} */
  let spaced = null;

  const BUTTONS = /^(button|submit|reset|image|color|file)$/;
  const TOGGLES = /^(checkbox|radio)$/;
  /** Fields from which Enter submits a form that has no button for it, if it has no other such field. */
  const SUBMITS = /^(text|search|url|tel|email|password|number)$/;

  const typeOf = (/** @type {Element} */ element) => (element instanceof HTMLInputElement ? element.type : '');
  const isButton = (/** @type {Element} */ element) =>
    element instanceof HTMLButtonElement || BUTTONS.test(typeOf(element)) || isSummary(element);
  const isLink = (/** @type {Element} */ element) =>
    own.matches(element, 'a[href], area[href], svg a[href], svg a[*|href]');
  /** A summary that opens its details, as only the first of them does. */
  const isSummary = (/** @type {Element} */ element) => {
    if (own.localName(element) !== 'summary') return false;
    const details = own.parentElement(element);
    return details instanceof HTMLDetailsElement && own.querySelector(details, ':scope > summary') === element;
  };

  /** A click that has no place, with the modifiers that are held: a link opens elsewhere with them. */
  const click = (/** @type {Element} */ element, /** @type {PageModifiers | undefined} */ down = undefined) => {
    const isHeld = down !== undefined && Object.values(down).some(Boolean);
    if (element instanceof HTMLElement && !isHeld) own.click(element);
    else {
      const init = { bubbles: true, cancelable: true, composed: true, view: window, pointerId: -1, ...down };
      own.dispatchEvent(element, new PointerEvent('click', init));
    }
    page.tellFocus();
  };
  page.clickByKey = click;

  // ---- Keydown ----

  page.reactToKeydown = (on, stroke, down) => {
    const { key } = stroke;
    const plain = !down.ctrlKey && !down.metaKey && !down.altKey;
    spaced = null;
    if (key === ' ' && plain && (isButton(on) || TOGGLES.test(typeOf(on)))) spaced = on;
    if (key === 'Enter' && isLink(on)) {
      click(on, down);
      return true;
    }
    if (page.adjustByKey(on, stroke, down)) return true;
    if (key !== 'Tab' && page.editByKey(on, stroke, down)) return true;
    if (key === 'Tab' && plain) page.tabInSegments(on, down.shiftKey) || page.tabOn(down.shiftKey);
    else if (key === 'Escape') close(on);
    // Space scrolls once it prints.
    else if (key !== ' ' && (plain || down.ctrlKey)) page.scrollByKey(on, key, down);
    return false;
  };

  // ---- Keypress ----

  page.reactToKeypress = (on, { key, text }, down) => {
    if (key === 'Enter') {
      if (page.takesText(on) && !(on instanceof HTMLInputElement)) page.insertBreak(on, down.shiftKey);
      else if (isButton(on)) click(on, down);
      else enter(on, down);
      return;
    }
    if (page.typeIntoSegment(on, text)) return;
    if (page.takesText(on) || page.isTextual(on)) page.insertText(on, text);
    else if (on instanceof HTMLSelectElement) page.searchByKey(on, text);
    else if (key === ' ' && !isButton(on) && !TOGGLES.test(typeOf(on))) page.scrollByKey(on, key, down);
  };

  const enter = (/** @type {Element} */ on, /** @type {PageModifiers} */ down) => {
    if (!(on instanceof HTMLInputElement)) return;
    if (page.isTextual(on) && !page.insertBreak(on, true)) return;
    if (on.form === null || !own.isConnected(on)) return;
    page.commit(on);
    submit(on.form, SUBMITS.test(typeOf(on)), down);
    if (on.type === 'search') own.dispatchEvent(on, new Event('search', { bubbles: true }));
  };

  /** Submits a form as Enter in one of its fields does. */
  const submit = (
    /** @type {HTMLFormElement} */ form,
    /** @type {boolean} */ alone,
    /** @type {PageModifiers} */ down,
  ) => {
    const root = own.getRootNode(form);
    const within = /** @type {Document} */ (root);
    let fields = 0;
    for (const control of own.querySelectorAll(within, 'input, button')) {
      const { form: owner, type } = /** @type {HTMLInputElement} */ (control);
      if (owner !== form) continue;
      if (type === 'submit' || (type === 'image' && control instanceof HTMLInputElement)) {
        // A default button that is disabled keeps the form from being submitted.
        if (!page.disabled(control)) click(control, down);
        return;
      }
      if (control instanceof HTMLInputElement && SUBMITS.test(type)) fields += 1;
    }
    if (alone && fields === 1) own.requestSubmit(form);
    page.tellFocus();
  };

  // ---- Keyup ----

  page.reactToKeyup = (on, { key }) => {
    const pressed = spaced;
    spaced = null;
    if (key === ' ' && pressed !== null && on === pressed && !page.disabled(pressed)) click(pressed);
  };

  // ---- Escape ----

  const close = (/** @type {Element} */ on) => {
    if (typeOf(on) === 'search' && /** @type {HTMLInputElement} */ (on).value !== '' && page.takesText(on)) {
      page.clearSearch(/** @type {HTMLInputElement} */ (on));
      return;
    }
    const open = page
      .query('dialog:modal, dialog[open][closedby="closerequest"], dialog[open][closedby="any"], :popover-open')
      .filter((element) => !/^manual$/i.test(own.getAttribute(element, 'popover') ?? ''));
    const top = open.findLast((element) => !open.some((other) => other !== element && own.contains(element, other)));
    if (top === undefined) return;
    if (own.matches(top, ':popover-open')) /** @type {HTMLElement} */ (top).hidePopover();
    else if (own.getAttribute(top, 'closedby') !== 'none') /** @type {any} */ (top).requestClose();
    page.tellFocus();
  };

  // ---- Scrolling ----

  /** By how much an arrow key scrolls. In pixels. */
  const ARROW_PX = 40;
  /** What a page of scrolling leaves in view. */
  page.PAGE_STEP = 0.875;

  page.scrollByKey = (on, key, { shiftKey, ctrlKey }) => {
    const vertical = key !== 'ArrowLeft' && key !== 'ArrowRight';
    for (const scroller of scrollersOf(on, vertical)) {
      const pageful = Math.max(own.clientHeight(scroller) * page.PAGE_STEP, 1);
      /** @type {Record<string, ScrollToOptions>} */
      const ways = {
        ArrowUp: { top: -ARROW_PX },
        ArrowDown: { top: ARROW_PX },
        ArrowLeft: { left: -ARROW_PX },
        ArrowRight: { left: ARROW_PX },
        PageUp: { top: -pageful },
        PageDown: { top: pageful },
        ' ': { top: shiftKey ? -pageful : pageful },
        Home: { top: -own.scrollHeight(scroller) },
        End: { top: own.scrollHeight(scroller) },
      };
      if (!Object.hasOwn(ways, key) || (ctrlKey && key !== 'Home' && key !== 'End')) return;
      const before = own.scrollTop(scroller) + own.scrollLeft(scroller);
      page.mindScroller(scroller);
      own.scrollBy(scroller, { ...ways[key], behavior: 'instant' });
      // What is at its end hands the scrolling on to what is around it.
      if (own.scrollTop(scroller) + own.scrollLeft(scroller) !== before) return;
      const { overscrollBehaviorX, overscrollBehaviorY } = getComputedStyle(scroller);
      if ((vertical ? overscrollBehaviorY : overscrollBehaviorX) !== 'auto') return;
    }
  };

  /** What scrolls around an element, the nearest first, in the frames around it too as far as scripts may. */
  function* scrollersOf(/** @type {Element} */ element, /** @type {boolean} */ vertical) {
    let view = /** @type {Window} */ (window);
    for (let from = /** @type {Element | null} */ (element); from !== null; view = view.parent) {
      const root = /** @type {Document} */ (own.getRootNode(from, { composed: true }));
      const whole = own.scrollingElement(root);
      for (let at = /** @type {Node | null} */ (from); at !== null && at !== root; at = page.parent(at)) {
        if (at === own.body(root) || at === whole) break;
        if (own.nodeType(at) !== Node.ELEMENT_NODE) continue;
        const box = /** @type {Element} */ (at);
        const { overflowX, overflowY } = getComputedStyle(box);
        const room = vertical
          ? own.scrollHeight(box) > own.clientHeight(box)
          : own.scrollWidth(box) > own.clientWidth(box);
        if (room && /auto|scroll|overlay/.test(vertical ? overflowY : overflowX)) yield box;
      }
      if (whole) yield whole;
      from = view === view.parent ? null : view.frameElement;
    }
  }
})();
