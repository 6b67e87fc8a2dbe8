/**
 * Locating the target of an act: only what a person could see, reach and use. Independent of the kind of input that
 * follows.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** A page that is not drawn in this time hears later that it was scrolled. Milliseconds. */
  const FRAME_MS = 100;

  page.notActionable = (element, why, suggestedAction) =>
    page.fail('ELEMENT_NOT_ACTIONABLE', `${page.describe(element)} ${why}`, undefined, suggestedAction);

  page.actionable = (target) => {
    const element = page.resolve(target);
    page.mindScrollersOf(element);
    if (!page.hasBox(element)) page.notActionable(element, 'is not visible');
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    return element;
  };

  /** Whether a person could see the element; what has no box of its own is seen where its contents are. */
  page.hasBox = (element) =>
    page.visible(element) ||
    (page.rendered(element) &&
      page.boxes(element).some(({ left, top, right, bottom }) => right > left && bottom > top));

  page.pressable = (target) => {
    const element = page.resolve(target);
    page.mindScrollersOf(element);
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    if (page.isToggle(element) && !(page.hasBox(element) && page.reachable(element))) {
      // Pages hide the browser's own boxes and draw others, which press the hidden ones by their label.
      const label = page.labelsOf(element).find((it) => page.hasBox(it) && page.reachable(it));
      if (label) return label;
    }
    if (!page.hasBox(element) && !page.waitsForHover(element)) page.notActionable(element, 'is not visible');
    return element;
  };

  page.reachable = (element) => {
    if (!page.hasBox(element)) return false;
    if (!within(element)) own.scrollIntoView(element, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    return page.probe(element).hit !== undefined;
  };

  page.hitPoint = (element, place) => {
    let { at, hit, cover } = place ? aim(element, place) : page.probe(element);
    if (!at || !hit || !(place ? inWindow(at) : within(element))) {
      // Outside the window, or scrolled out of sight in a list of its own.
      own.scrollIntoView(scrolled(element), { block: 'center', inline: 'center', behavior: 'instant' });
      if (place) reveal(element, place);
      ({ at, hit, cover } = place ? aim(element, place) : page.probe(element));
    }
    if (at && hit) return { at, hit };
    if (getComputedStyle(element).pointerEvents === 'none') {
      page.notActionable(element, 'ignores clicks (pointer-events: none)');
    }
    return page.notActionable(
      element,
      cover ? `is covered by ${page.describe(cover)}` : 'cannot be scrolled into view',
    );
  };

  page.bringIntoView = async (element, place) => {
    const { order } = page;
    const before = page.scrolledBy();
    try {
      page.hitPoint(element, place);
    } catch {
      // The act that follows says why.
    }
    if (page.scrolledBy() !== before && !page.isHidden()) await page.frame(order, FRAME_MS);
  };

  /** What is hit at a place in an element. @returns {ReturnType<BproxyPage['probe']>} */
  const aim = (/** @type {Element} */ element, /** @type {BproxySpot} */ place) => {
    const at = page.pointIn(element, place);
    const hit = page.hitAt(at);
    return hit && page.reaches(element, hit) ? { at, hit } : { cover: hit };
  };

  const inWindow = (/** @type {PagePoint} */ { clientX, clientY }) =>
    clientX >= 0 && clientY >= 0 && clientX < innerWidth && clientY < innerHeight;

  /** Brings a place of an element that is larger than the window, or its scroller, into sight. */
  const reveal = (/** @type {Element} */ element, /** @type {BproxySpot} */ place) => {
    for (let on = /** @type {Node | null} */ (scrolled(element)); on; on = page.parent(on)) {
      const scroller = on instanceof Document ? own.scrollingElement(on) : on;
      if (!(scroller instanceof Element)) continue;
      const isPage = scroller === own.scrollingElement(document);
      const { left, top, right, bottom } = isPage
        ? { left: 0, top: 0, right: innerWidth, bottom: innerHeight }
        : own.getBoundingClientRect(scroller);
      const { clientX, clientY } = page.pointIn(element, place);
      const out = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high) =>
        at >= low && at < high ? 0 : at - (low + high) / 2;
      const by = { left: out(clientX, left, right), top: out(clientY, top, bottom) };
      if (by.left !== 0 || by.top !== 0) own.scrollBy(scroller, { ...by, behavior: 'instant' });
    }
  };

  /** What is scrolled into view for an element: an area is a part of its image, and has no box. */
  const scrolled = (/** @type {Element} */ element) => {
    if (own.getClientRects(element).length > 0) return element;
    return (element instanceof HTMLAreaElement ? page.imageOf(element) : own.children(element)[0]) ?? element;
  };

  const within = (/** @type {Element} */ element) => {
    const { left, top, right, bottom } = page.box(element);
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  };
})();
