/**
 * The frames of this document, as far as it can tell of them: where they stand in what a read tells, which of them each
 * is, and whether a person could reach what is in them. What is in a frame is read and done in its own document.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const FRAMES = 'iframe, frame, object';
  const TAGS = new Set(FRAMES.split(', '));

  const all = () => {
    const inTrees = page.hosts().some((host) => {
      const root = own.shadowRoot(host);
      return root !== null && own.querySelector(root, FRAMES) !== null;
    });
    const root = own.documentElement(document);
    return inTrees && root ? page.findAll(root, FRAMES) : [...own.querySelectorAll(document, FRAMES)];
  };

  page.framed = () => {
    if (page.framing === null) {
      const elements = all().filter((element) => own.contentWindow(element));
      const token = page.drawn();
      const slots = new Map(elements.map((element, slot) => [element, slot]));
      page.framing = { token, slots, holes: [], listed: [], missed: null };
      page.slots = elements;
    }
    return page.framing;
  };
  page.isFrame = () => window.parent !== window;
  page.isFramed = () => page.isFrame() || page.framed().slots.size > 0;

  page.slotOf = (node) =>
    node instanceof Element && TAGS.has(own.localName(node)) ? page.framed().slots.get(node) : undefined;

  page.hole = (slot, depth = 0) => `⟦${page.framed().token}:${slot}:${depth}⟧`;

  page.withFrames = (list, found, isShown = page.visible) => {
    const { slots, holes } = page.framed();
    if (slots.size === 0) return found;
    return found.filter((element, index) => {
      const slot = slots.get(element);
      if (slot === undefined) return true;
      if (isShown(element)) holes.push({ list, slot, at: index - passed(found, index) });
      return false;
    });
  };
  /** How many frames there are before a place in a list. */
  const passed = (/** @type {Element[]} */ found, /** @type {number} */ index) =>
    found.slice(0, index).reduce((count, element) => count + (page.slotOf(element) === undefined ? 0 : 1), 0);
  page.orFrames = (selector) => (page.framed().slots.size === 0 ? selector : `${selector}, ${FRAMES}`);

  page.missing = (message) => {
    if (!page.isFramed()) page.fail('ELEMENT_NOT_FOUND', message);
    page.framed().missed = message;
    return [];
  };

  page.framingTold = () => {
    if (page.framing === null || !page.isFramed()) return {};
    const { token, holes, missed } = page.framing;
    return { frames: { token, holes, missed, known: page.knownNumbers(), children: children() } };
  };

  /** What tells each frame from the others, from outside. */
  const children = () => {
    const { slots } = page.framed();
    /** @type {Map<Window, number>} */
    const indexes = new Map();
    for (let index = 0; index < window.length; index += 1) indexes.set(window[index], index);
    return [...slots].map(([element, slot]) => {
      const { src, data, name } = /** @type {HTMLIFrameElement & { data?: string }} */ (element);
      const { width, height, left, top } = contentBox(element);
      const box = own.getBoundingClientRect(element);
      const inner = own.contentWindow(element);
      return {
        slot,
        index: (inner && indexes.get(inner)) ?? -1,
        url: own.hasAttribute(element, 'srcdoc') ? 'about:srcdoc' : String(src ?? data ?? ''),
        name: String(name ?? ''),
        width: Math.round(width),
        height: Math.round(height),
        x: box.left + left,
        y: box.top + top,
        visible: page.visible(element),
      };
    });
  };

  const contentBox = (/** @type {Element} */ element) => {
    const style = getComputedStyle(element);
    const sides = (/** @type {string} */ one, /** @type {string} */ other) =>
      Number.parseFloat(style.getPropertyValue(one)) + Number.parseFloat(style.getPropertyValue(other)) || 0;
    return {
      width: own.clientWidth(element) - sides('padding-left', 'padding-right'),
      height: own.clientHeight(element) - sides('padding-top', 'padding-bottom'),
      left: own.clientLeft(element) + (Number.parseFloat(style.paddingLeft) || 0),
      top: own.clientTop(element) + (Number.parseFloat(style.paddingTop) || 0),
    };
  };

  page.refuseFrame = (hit) => {
    if (!own.matches(hit, `${FRAMES}, embed`)) return;
    const slot = page.slotOf(hit);
    const message = `${page.describe(hit)} shows a page of its own, where no click from outside arrives`;
    // The worker knows the name of the frame.
    page.fail('ELEMENT_NOT_ACTIONABLE', message, slot === undefined ? {} : { slot });
  };

  // ---- Which frame this is ----

  /** Where this frame is among those of its parent's document, if that is of the same origin. */
  const slotInParent = () => {
    try {
      const element = window.frameElement;
      const around = /** @type {Window & { bproxy?: BproxyPage }} */ (window.parent);
      return (element && around.bproxy?.slots.indexOf(element)) ?? -1;
    } catch {
      return -1;
    }
  };
  const indexInParent = () => {
    for (let index = 0; index < window.parent.length; index += 1) if (window.parent[index] === window) return index;
    return -1;
  };

  page.commands.where = () => {
    page.framed();
    const index = page.isFrame() ? indexInParent() : -1;
    return { index, slot: slotInParent(), name: window.name, width: innerWidth, height: innerHeight };
  };

  // ---- Whether a person could reach what is in a frame ----

  const middle = () => ({ x: innerWidth / 2, y: innerHeight / 2 });
  const inside = (/** @type {{ x: number, y: number }} */ { x, y }) =>
    x >= 0 && y >= 0 && x < innerWidth && y < innerHeight;

  page.commands.approach = ({ target }) => {
    const element = target === undefined ? null : page.resolve(target);
    if (element) page.mindScrollersOf(element);
    if (element === null || !page.visible(element)) return { at: middle() };
    const centre = () => {
      const { left, top, right, bottom } = page.boxes(element)[0] ?? page.box(element);
      const at = { x: (left + right) / 2, y: (top + bottom) / 2 };
      // A large element is reached where it is in view.
      return {
        x: Math.min(Math.max(at.x, Math.max(left, 0)), Math.min(right, innerWidth)),
        y: Math.min(Math.max(at.y, Math.max(top, 0)), Math.min(bottom, innerHeight)),
      };
    };
    const { left, top, right, bottom } = page.box(element);
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || !page.reachable(element)) {
      own.scrollIntoView(element, { block: 'center', inline: 'center', behavior: 'instant' });
    }
    const at = centre();
    return { at: inside(at) ? at : middle() };
  };

  page.commands.through = ({ slot, index, at }) => {
    const element = frameElement(slot, index);
    if (element === undefined || !own.isConnected(element)) {
      return page.fail('FRAME_NOT_FOUND', 'the frame is no longer on the page: read the page again');
    }
    if (!page.visible(element)) page.notActionable(element, 'is not visible, nor is what is in it');
    // What has the focus is told of it before the frame gets it.
    page.tellFocus();
    page.mindScrollersOf(element);
    let cover = null;
    for (const moves of [false, true]) {
      if (moves) bring(element, at);
      const point = outside(element, at);
      if (!inside(point)) continue;
      const hit = page.hitAt({ clientX: point.x, clientY: point.y });
      if (hit === element) return { at: point };
      cover = hit ?? cover;
    }
    return page.notActionable(
      element,
      cover ? `is covered by ${page.describe(cover)}, and so is what is in it` : 'cannot be scrolled into view',
    );
  };
  const frameElement = (/** @type {number} */ slot, /** @type {number} */ index) => {
    if (slot >= 0) return page.slots[slot];
    const inner = index >= 0 ? window[index] : undefined;
    return inner && [...page.framed().slots.keys()].find((element) => own.contentWindow(element) === inner);
  };

  /** A point in a frame, as one of this document. */
  const outside = (/** @type {Element} */ element, /** @type {{ x: number, y: number }} */ at) => {
    const box = own.getBoundingClientRect(element);
    const content = contentBox(element);
    const frame = /** @type {HTMLElement} */ (element);
    const scale = { x: box.width / (own.offsetWidth(frame) || 1), y: box.height / (own.offsetHeight(frame) || 1) };
    return { x: box.left + (content.left + at.x) * scale.x, y: box.top + (content.top + at.y) * scale.y };
  };

  /** Scrolls everything around a frame until a point in it is in the middle. */
  const bring = (/** @type {Element} */ element, /** @type {{ x: number, y: number }} */ at) => {
    const viewport = own.scrollingElement(document) ?? own.documentElement(document);
    for (let around = page.parent(element); around instanceof Element; around = page.parent(around)) {
      if (around === viewport || !/auto|scroll|overlay|hidden/.test(getComputedStyle(around).overflow)) continue;
      const { left, top } = own.getBoundingClientRect(around);
      const point = outside(element, at);
      own.scrollBy(around, {
        left: point.x - left - own.clientWidth(around) / 2,
        top: point.y - top - own.clientHeight(around) / 2,
        behavior: 'instant',
      });
    }
    const point = outside(element, at);
    own.scrollBy(viewport, { left: point.x - innerWidth / 2, top: point.y - innerHeight / 2, behavior: 'instant' });
  };
})();
