/**
 * Locating the target of an act: only what a person could see, reach and use. Independent of the kind of input that
 * follows.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.notActionable = (element, why) => page.fail('ELEMENT_NOT_ACTIONABLE', `${page.describe(element)} ${why}`);

  page.actionable = (target) => {
    const element = page.resolve(target);
    page.mindScrollersOf(element);
    if (!page.visible(element)) page.notActionable(element, 'is not visible');
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    return element;
  };

  page.reachable = (element) => {
    if (!page.visible(element)) return false;
    if (!within(element)) own.scrollIntoView(element, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    return probe(element).hit !== undefined;
  };

  page.hitPoint = (element) => {
    let { at, hit, cover } = probe(element);
    if (!at || !within(element)) {
      // Outside the window, or scrolled out of sight in a list of its own.
      own.scrollIntoView(element, { block: 'center', inline: 'center', behavior: 'instant' });
      ({ at, hit, cover } = probe(element));
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

  /**
   * The middle of the first part of the element that can be hit, else what covers the first part.
   * @returns {{ at?: PagePoint, hit?: Element, cover?: Element | null }}
   */
  const probe = (/** @type {Element} */ element) => {
    let cover = null;
    for (const rect of own.getClientRects(element)) {
      const left = Math.max(rect.left, 0);
      const top = Math.max(rect.top, 0);
      const right = Math.min(rect.right, innerWidth);
      const bottom = Math.min(rect.bottom, innerHeight);
      if (right - left <= 0 || bottom - top <= 0) continue;
      const at = { clientX: (left + right) / 2, clientY: (top + bottom) / 2 };
      const hit = page.elementAt(at.clientX, at.clientY);
      if (hit && page.reaches(element, hit)) return { at, hit };
      cover ??= hit;
    }
    return { cover };
  };

  const within = (/** @type {Element} */ element) => {
    const { left, top, right, bottom } = own.getBoundingClientRect(element);
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  };

  page.elementAt = (x, y) => {
    let hit = own.elementFromPoint(document, x, y);
    for (;;) {
      const shadow = hit && own.shadowRoot(hit);
      const inner = shadow && own.elementFromPoint(shadow, x, y);
      if (!inner || inner === hit) return hit && (slotAt(hit, x, y) ?? hit);
      hit = inner;
    }
  };

  /** The slot whose text is at a point. The browser delivers events to it; `elementFromPoint` names only the host. */
  const slotAt = (/** @type {Element} */ host, /** @type {number} */ x, /** @type {number} */ y) => {
    if (own.shadowRoot(host) === null) return null;
    const range = own.createRange(document);
    for (const text of own.childNodes(host)) {
      const slot = text instanceof Text ? own.assignedSlot(text) : null;
      if (slot === null) continue;
      range.selectNodeContents(text);
      for (const { left, top, right, bottom } of range.getClientRects()) {
        if (left <= x && x <= right && top <= y && y <= bottom) return slot;
      }
    }
    return null;
  };

  page.reaches = (/** @type {Element} */ element, /** @type {Element} */ hit) => {
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) {
      if (at === element) return true;
      if (at instanceof HTMLLabelElement && at.control === element) return true;
    }
    return false;
  };
})();
