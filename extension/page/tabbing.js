/** Where the Tab key goes: the order in which the browser moves the focus through the page. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const TABBABLE =
    'a[href], a[*|href], area[href], audio[controls], button, embed, iframe, input, object, select, summary, textarea, ' +
    'video[controls], [contenteditable]:not([contenteditable="false"]), [tabindex]';

  const indexOf = (/** @type {Element} */ element) => {
    const given = Number.parseInt(own.getAttribute(element, 'tabindex') ?? '', 10);
    return Number.isNaN(given) ? 0 : given;
  };

  /**
   * A stop, or a tree of stops that stands in another one at its own index: a shadow tree, what is put into a slot.
   * @typedef {{ index: number, element: Element | null, inner: Stop[] }} Stop
   */

  /** @param {Node[]} nodes @returns {Stop[]} the stops below these, in the order of their own scope */
  const stopsOf = (nodes) => {
    /** @type {Stop[]} */
    const found = [];
    const visit = (/** @type {Node} */ node) => {
      if (!(node instanceof Element) || isInert(node)) return;
      const index = indexOf(node);
      const shadow = own.shadowRoot(node);
      if (shadow) {
        // What stands in a host whose index is negative is left out with it.
        if (index < 0 && own.hasAttribute(node, 'tabindex')) return;
        const isStop = !shadow.delegatesFocus && isTabbable(node);
        found.push({ index, element: isStop ? node : null, inner: stopsOf([...own.childNodes(shadow)]) });
        return;
      }
      if (node instanceof HTMLSlotElement) {
        const assigned = node.assignedNodes();
        if (index < 0) return;
        found.push({
          index,
          element: null,
          inner: stopsOf(assigned.length > 0 ? assigned : [...own.childNodes(node)]),
        });
        return;
      }
      if (isTabbable(node) && index >= 0) found.push({ index, element: node, inner: [] });
      for (const child of own.childNodes(node)) visit(child);
    };
    for (const node of nodes) visit(node);
    // Positive indices come first, in their order; a sort keeps the order of equals.
    const order = (/** @type {Stop} */ stop) => (stop.index > 0 ? stop.index : Number.POSITIVE_INFINITY);
    return found.sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
  };

  const flat = (/** @type {Stop[]} */ stops) => {
    /** @type {Element[]} */
    const all = [];
    for (const { element, inner } of stops) all.push(...(element ? [element] : []), ...flat(inner));
    return all;
  };

  const isInert = (/** @type {Element} */ element) => own.hasAttribute(element, 'inert');

  /** @returns {boolean} */
  const isTabbable = (/** @type {Element} */ element) => {
    if (!own.matches(element, TABBABLE)) return scrolls(element);
    if (page.disabled(element) || !page.rendered(shownAs(element))) return false;
    if (element instanceof HTMLInputElement)
      return element.type !== 'hidden' && (element.type !== 'radio' || isRadioStop(element));
    if (own.localName(element) === 'summary' && !own.hasAttribute(element, 'tabindex')) {
      const details = own.parentElement(element);
      return details instanceof HTMLDetailsElement && own.querySelector(details, ':scope > summary') === element;
    }
    return true;
  };

  /** An area is shown by the picture that its map lies on. */
  const shownAs = (/** @type {Element} */ element) => {
    const map = element instanceof HTMLAreaElement ? own.closest(element, 'map') : null;
    const named = map && `#${own.getAttribute(map, 'name')}`;
    return (map && page.query('img[usemap]').find((it) => own.getAttribute(it, 'usemap') === named)) ?? element;
  };

  /** Of a group of radio buttons the one that is checked is a stop, and none while the focus is in the group. */
  const isRadioStop = (/** @type {HTMLInputElement} */ radio) => {
    if (radio.name === '') return true;
    const group = page.radioGroup(radio);
    const now = page.focused();
    if (now !== null && now !== radio && group.includes(/** @type {HTMLInputElement} */ (now))) return false;
    return radio.checked || !group.some((other) => other.checked);
  };

  /** What scrolls and has nothing in it that takes the focus is a stop itself. @returns {boolean} */
  const scrolls = (/** @type {Element} */ element) => {
    if (element === own.body(document) || element === own.documentElement(document)) return false;
    const overflows =
      own.scrollHeight(element) > own.clientHeight(element) || own.scrollWidth(element) > own.clientWidth(element);
    if (!overflows || own.clientHeight(element) === 0) return false;
    const { overflowX, overflowY } = getComputedStyle(element);
    if (!/auto|scroll/.test(`${overflowX} ${overflowY}`)) return false;
    if (element instanceof HTMLTextAreaElement || !page.rendered(element)) return false;
    return !page.findAll(element, TABBABLE).some((inner) => inner !== element && isTabbable(inner));
  };

  /** What the page lets the focus into: all of it, or the dialog that is open. */
  const scope = () => page.query('dialog:modal').at(-1) ?? own.documentElement(document);

  page.tabOn = (backward) => {
    page.passed = goOn(page.focused(), backward);
  };

  page.commands['tab-into'] = ({ backward, slot }) => {
    const from = slot === undefined ? null : page.slots[slot];
    const passed = goOn(from !== undefined && from !== null && own.isConnected(from) ? from : null, backward);
    // A frame without stops takes the focus itself, unless it is of another origin, so that the next Tab leads on.
    if (slot === undefined && passed?.slot === undefined && page.focused() === null && window.frameElement !== null) {
      page.takeWindowFocus();
      return {};
    }
    return passed === undefined ? {} : { passed };
  };

  /** What a frame has, it keeps until another one gets it. */
  const drop = () => {
    if (page.focusedFrame() === undefined) page.dropFocus();
  };

  /**
   * Goes from one stop to the next, or from outside to the first; tells where the focus is to go if not to an element of
   * this document.
   * @param {Element | null} from @param {boolean} backward @returns {PagePassed | undefined}
   */
  const goOn = (from, backward) => {
    const within = scope();
    const stops = within ? flat(stopsOf([within])) : [];
    const at = nextIndex(stops, from, backward);
    if (stops[at] === undefined) {
      drop();
      if (page.isFrame()) return { slot: undefined };
    }
    // Past the end it begins again, as it does past the browser's own controls.
    const next = stops[at] ?? stops.at(backward ? -1 : 0);
    if (next === undefined) return undefined;
    const slot = page.slotOf(next);
    if (slot !== undefined) {
      drop();
      return { slot };
    }
    page.takeFocus(next);
    if (page.focused() !== next) return undefined;
    page.enterSegments(next, backward);
    if (next instanceof HTMLInputElement && page.isTextual(next)) next.select();
    page.mindScrollersOf(next);
    own.scrollIntoView(next, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    return undefined;
  };

  /** @param {Element[]} stops @param {Element | null} from @param {boolean} backward */
  const nextIndex = (stops, from, backward) => {
    if (from === null) return backward ? stops.length - 1 : 0;
    const at = stops.indexOf(from);
    if (at >= 0) return backward ? at - 1 : at + 1;
    // What has the focus is no stop itself: the next one stands after it in the document.
    const follows = (/** @type {Element} */ stop) =>
      (own.compareDocumentPosition(from, stop) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    const after = stops.findIndex((stop) => indexOf(stop) === 0 && follows(stop));
    if (backward) return (after < 0 ? stops.length : after) - 1;
    return after;
  };
})();
