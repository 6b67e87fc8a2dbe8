/**
 * Hit-testing: what is at a point of the page, through every shadow root, and at which points an element can be hit.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Of an element whose middle is covered, or that is not where its box is, so many points are tried across and down. */
  const GRID = [2, 4, 8];

  page.hitAt = ({ clientX: x, clientY: y }) => {
    let hit = own.elementFromPoint(document, x, y);
    for (;;) {
      const shadow = hit && own.anyShadowRoot(hit);
      const inner = shadow && own.elementFromPoint(shadow, x, y);
      if (!inner || inner === hit) return hit && (slotAt(hit, x, y) ?? hit);
      hit = inner;
    }
  };

  /** The slot whose text is at a point. The browser delivers events to it; `elementFromPoint` names only the host. */
  const slotAt = (/** @type {Element} */ host, /** @type {number} */ x, /** @type {number} */ y) => {
    if (own.anyShadowRoot(host) === null) return null;
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

  page.reaches = (element, hit) => {
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) {
      if (at === element) return true;
      if (at instanceof HTMLLabelElement && at.control === element) return true;
    }
    return false;
  };

  /** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

  page.imageOf = (area) => {
    const map = own.closest(area, 'map');
    const name = map && (own.getAttribute(map, 'name') || own.id(map));
    if (!name) return null;
    const root = /** @type {Document | ShadowRoot} */ (own.getRootNode(area));
    const images = [...own.querySelectorAll(root, `img[usemap="#${CSS.escape(name)}"]`)];
    // Of several images with the same map, one that a person sees.
    return images.find(page.visible) ?? images[0] ?? null;
  };

  page.boxes = (element) => {
    if (element instanceof HTMLAreaElement) return areaBox(element);
    const boxes = [...own.getClientRects(element)];
    if (boxes.length > 0) return boxes;
    // An element with `display: contents` is where its contents are.
    const range = own.createRange(document);
    range.selectNodeContents(element);
    return [...range.getClientRects()];
  };

  /** @returns {Box[]} */
  const areaBox = (/** @type {HTMLAreaElement} */ area) => {
    const image = page.imageOf(area);
    if (!image) return [];
    // The browser measures from the edge of the image, its border and padding included.
    const box = own.getBoundingClientRect(image);
    const shape = area.shape.toLowerCase();
    if (shape === 'default') return [box];
    const numbers = area.coords
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(Number.parseFloat);
    if (numbers.length < 3 || numbers.some(Number.isNaN)) return [];
    const [x, y, r] = numbers;
    const isCircle = shape.startsWith('circ');
    const xs = isCircle ? [x - r, x + r] : numbers.filter((_, index) => index % 2 === 0);
    const ys = isCircle ? [y - r, y + r] : numbers.filter((_, index) => index % 2 === 1);
    const part = {
      left: Math.max(box.left + Math.min(...xs), box.left),
      top: Math.max(box.top + Math.min(...ys), box.top),
      right: Math.min(box.left + Math.max(...xs), box.right),
      bottom: Math.min(box.top + Math.max(...ys), box.bottom),
    };
    return part.right > part.left && part.bottom > part.top ? [part] : [];
  };

  page.box = (element) => {
    const rect = element instanceof HTMLAreaElement ? null : own.getBoundingClientRect(element);
    if (rect && (rect.width > 0 || rect.height > 0)) return rect;
    const boxes = page.boxes(element);
    if (boxes.length === 0) return own.getBoundingClientRect(element);
    const least = (/** @type {(box: Box) => number} */ side) => Math.min(...boxes.map(side));
    const most = (/** @type {(box: Box) => number} */ side) => Math.max(...boxes.map(side));
    const [left, top] = [least((it) => it.left), least((it) => it.top)];
    return new DOMRect(left, top, most((it) => it.right) - left, most((it) => it.bottom) - top);
  };

  /** The part of a box that is in the window, if there is one. */
  const inWindow = (/** @type {Box} */ box) => {
    const left = Math.max(box.left, 0);
    const top = Math.max(box.top, 0);
    const right = Math.min(box.right, innerWidth);
    const bottom = Math.min(box.bottom, innerHeight);
    return right - left > 0 && bottom - top > 0 ? { left, top, right, bottom } : null;
  };

  /** Points in an element, the likeliest first. */
  function* points(/** @type {Element} */ element) {
    const boxes = page
      .boxes(element)
      .map(inWindow)
      .filter((it) => it !== null);
    for (const box of boxes) yield { clientX: (box.left + box.right) / 2, clientY: (box.top + box.bottom) / 2 };
    if (element instanceof SVGGeometryElement) yield* onOutline(element);
    for (const grid of GRID) {
      for (const { left, top, right, bottom } of boxes) {
        for (let row = 0.5; row < grid; row += 1) {
          for (let column = 0.5; column < grid; column += 1) {
            yield {
              clientX: left + ((right - left) * column) / grid,
              clientY: top + ((bottom - top) * row) / grid,
            };
          }
        }
      }
    }
  }

  /** A line is not in the middle of its box. */
  function* onOutline(/** @type {SVGGeometryElement} */ shape) {
    const matrix = shape.getScreenCTM();
    const length = shape.getTotalLength();
    if (!matrix || !(length > 0)) return;
    for (const part of [0.5, 0.25, 0.75]) {
      const { x, y } = shape.getPointAtLength(length * part).matrixTransform(matrix);
      yield { clientX: x, clientY: y };
    }
  }

  page.probe = (element) => {
    let cover = null;
    for (const at of points(element)) {
      const hit = page.hitAt(at);
      if (hit && page.reaches(element, hit)) return { at, hit };
      cover ??= hit;
    }
    return { cover };
  };

  page.pointIn = (element, { x, y }) => {
    const { left, top, right, bottom, width, height } = page.box(element);
    // The right and the bottom edge are not part of the box.
    return {
      clientX: Math.max(Math.min(left + width * x, right - 1), left),
      clientY: Math.max(Math.min(top + height * y, bottom - 1), top),
    };
  };
})();
