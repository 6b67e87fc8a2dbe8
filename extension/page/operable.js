/**
 * What can be acted on: controls and links, which say so by their role, and what reacts without saying so. A listener
 * cannot be seen from here; that a person is shown a hand over it can.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const ROLES = new Set(
    `button checkbox color combobox date datetime link listbox menuitem menuitemcheckbox menuitemradio month option radio
    searchbox slider spinbutton switch tab textbox time treeitem week`.split(/\s+/),
  );

  const HANDLERS = 'click dblclick mousedown mouseup pointerdown pointerup touchstart touchend keydown'.split(' ');
  /** Attributes by which an element says that it reacts. */
  const REACTING = [
    ...HANDLERS.map((name) => `[on${name}]`),
    '[tabindex]:not([tabindex^="-"])',
    '[draggable="true"]',
  ].join(', ');
  /** What is known by what it shows is known by so many characters of it. */
  const CALLED_MAX = 200;
  const HAND = /\b(pointer|grab|move)$/;
  const CONTROL = 'a[href], button, input, select, textarea, summary, [role="button"], [role="link"]';

  page.isControl = (role) => ROLES.has(role);

  // A time that is told has the role of a field for one.
  page.operable = (element, role = page.role(element)) =>
    (ROLES.has(role) && own.localName(element) !== 'time') || page.clickable(element);

  page.toldRole = (element) => page.role(element) || (page.clickable(element) ? 'clickable' : '');

  page.calledAs = (element, name) =>
    name || (page.clickable(element) ? page.shorten(page.shownText(element), CALLED_MAX) : '');

  page.clickable = (element) => {
    const { found, judged } = suspects();
    if (!found.has(element)) return false;
    const is = judged.get(element) ?? reacts(element);
    judged.set(element, is);
    return is;
  };

  page.clickables = () => [...suspects().found].filter(page.clickable);

  /** What may react, found at once, and what is known of each: as long as the labels are. */
  const known = {
    of: /** @type {object | null} */ (null),
    /** @type {Set<Element>} */
    found: new Set(),
    /** @type {Map<Element, boolean>} */
    judged: new Map(),
  };
  const suspects = () => {
    if (known.of !== page.labels) Object.assign(known, { of: page.labels, found: search(), judged: new Map() });
    return known;
  };
  const search = () => {
    const root = own.documentElement(document);
    const found = new Set(page.underHand());
    if (root) for (const element of page.findAll(root, `label, ${REACTING}`)) found.add(element);
    return found;
  };

  const reacts = (/** @type {Element} */ element) => {
    const tag = own.localName(element);
    if (tag === 'label') return standsForField(/** @type {HTMLLabelElement} */ (element));
    const says = own.matches(element, REACTING);
    if (!says && !showsHand(element)) return false;
    if (/^(html|body|option)$/.test(tag) || ROLES.has(page.role(element))) return false;
    if (says) return true;
    // What is in a control, or holds nothing but one, is reached by it.
    const parent = page.parent(element);
    return !(parent instanceof Element && own.closest(parent, CONTROL)) && !holdsOneControl(element);
  };

  /** Whether a hand is shown over it by its own style, or its style takes the finger from the page's scrolling. */
  const showsHand = (/** @type {Element} */ element) => {
    const { cursor, touchAction } = getComputedStyle(element);
    if (touchAction !== 'auto') return true;
    // What is matched by a rule for what is under the pointer has no hand as long as it is not.
    if (page.knowsHands()) return HAND.test(cursor) || cursor === 'auto';
    const parent = page.parent(element);
    return HAND.test(cursor) && !(parent instanceof Element && getComputedStyle(parent).cursor === cursor);
  };
  const holdsOneControl = (/** @type {Element} */ element) => {
    const inner = own.querySelector(element, CONTROL);
    return (
      inner !== null && page.collapse(own.textContent(inner) ?? '') === page.collapse(own.textContent(element) ?? '')
    );
  };
  /** A drawn box takes the place of many a field: then the label is all that there is to press. */
  const standsForField = (/** @type {HTMLLabelElement} */ { control }) => control !== null && !page.rendered(control);
})();
