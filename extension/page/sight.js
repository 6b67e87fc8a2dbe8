/**
 * Which text a person could see: where it is drawn, what cuts it off, and whether its ink shows. What is not rendered at
 * all is not judged here. Where the answer would be a guess, the text counts as seen.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Fainter than this is not seen. */
  const OPACITY_MIN = 0.05;
  /** Smaller letters are not read. CSS pixels. */
  const LETTER_MIN = 2;
  /** A box that cuts off all but this shows nothing of its text. CSS pixels. */
  const BOX_MIN = 1;
  /** Colours that differ by no more in any of red, green and blue (0 to 255) look the same. */
  const SAME_COLOUR = 8;
  /** Of more texts than this, all boxes are asked for at once, which costs as much as thousands one by one. */
  const ONE_BY_ONE_MAX = 5_000;
  /** Dots in place of letters. */
  const MASKS = /^(disc|circle|square)$/;
  /** A shape that leaves nothing of the box. */
  const CLIPPED_AWAY = /^(inset\((100|[5-9]\d)(\.\d+)?%|(circle|ellipse)\(0(px|%)?[ )])/;

  const TRANSPARENT = 'rgba(0, 0, 0, 0)';
  /** What a page is drawn on. */
  const WHITE = [255, 255, 255, 1];

  /** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */
  /** @type {Box} */
  const EVERYWHERE = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };
  /** @type {Box} */
  const NOWHERE = { left: 0, top: 0, right: 0, bottom: 0 };

  const overlap = (/** @type {Box} */ a, /** @type {Box} */ b) => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const isEmpty = (/** @type {Box} */ { left, top, right, bottom }, least = 0) =>
    right - left <= least || bottom - top <= least;

  /** Red, green, blue (0 to 255) and alpha (0 to 1); null for what is written in another way. */
  const colours = new Map();
  /** @returns {number[] | null} */
  const colour = (/** @type {string} */ css) => {
    let known = colours.get(css);
    if (known === undefined) {
      const parts = /^rgba?\(([\d., ]+)\)$/.exec(css)?.[1].split(', ').map(Number);
      known = parts ? [...parts, 1].slice(0, 4) : null;
      colours.set(css, known);
    }
    return known;
  };

  /**
   * What an element does to the text below it.
   * @typedef {object} Frame
   * @property {Element} element
   * @property {Frame | null} around
   * @property {CSSStyleDeclaration} style
   * @property {boolean} drawn neither it nor what is around it is left out of the layout
   * @property {number} opacity its own and that of all around it
   * @property {Box} cut where what is in its flow is drawn
   * @property {Box} anchor the same for what is positioned by it, or by what is around it
   * @property {boolean} fixed it does not scroll with the page
   * @property {boolean} moved it is drawn at another place or size than it is laid out
   * @property {number[] | null} ground the colour behind its text; null if it is not known
   * @property {boolean | null} ink whether its letters show, wherever they are; null if that was not judged yet
   */

  page.sees = (text) => {
    page.sight ??= sight();
    return page.sight(text);
  };

  /** Judges texts by the page as it is when it is made: one per command. */
  const sight = () => {
    const root = own.documentElement(document);
    const rightToLeft = root !== null && getComputedStyle(root).direction === 'rtl';
    const range = own.createRange(document);
    const body = own.body(document);
    /** @type {Map<Element, Frame>} */
    const frames = new Map();

    const frameOf = (/** @type {Element} */ element) => {
      const known = frames.get(element);
      if (known) return known;
      /** @type {Element[]} */
      const missing = [];
      /** @type {Frame | null} */
      let around = null;
      for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
        around = frames.get(at) ?? null;
        if (around) break;
        missing.push(at);
      }
      for (const at of missing.reverse()) {
        // Asking for styles below what is not drawn is slow, and the answer is the same.
        if (around === null || around.drawn) around = frame(at, around);
        frames.set(at, around);
      }
      return /** @type {Frame} */ (around);
    };

    /** @type {(element: Element, around: Frame | null) => Frame} */
    const frame = (element, around) => {
      const style = getComputedStyle(element);
      const { display, position, clipPath, transform, backgroundColor } = style;
      let cut = around?.cut ?? EVERYWHERE;
      if (position === 'fixed') cut = EVERYWHERE;
      if (position === 'absolute') cut = around?.anchor ?? EVERYWHERE;
      // What overflows the root is what the window scrolls to.
      const boxed = display !== 'inline' && display !== 'contents' && element !== root && element !== body;
      const overflow = boxed ? style.overflow : 'visible';
      if (overflow !== 'visible') {
        const shown = overlap(own.getBoundingClientRect(element), cut);
        if (isEmpty(shown, BOX_MIN)) cut = NOWHERE;
        else cut = /auto|scroll/.test(overflow) ? EVERYWHERE : shown;
      }
      if (clipPath !== 'none' && CLIPPED_AWAY.test(clipPath)) cut = NOWHERE;
      if ((position === 'absolute' || position === 'fixed') && clipsAway(style.clip)) cut = NOWHERE;
      return {
        element,
        around,
        style,
        drawn: display !== 'none' && (around?.drawn ?? true),
        opacity: Number(style.opacity || 1) * (around?.opacity ?? 1),
        cut,
        anchor: position === 'static' ? (around?.anchor ?? EVERYWHERE) : cut,
        fixed: position === 'fixed' || (around?.fixed ?? false),
        moved: transform !== 'none' || style.scale !== 'none' || (around?.moved ?? false),
        ground: backgroundColor === TRANSPARENT ? (around ? around.ground : WHITE) : opaque(backgroundColor),
        ink: null,
      };
    };
    const opaque = (/** @type {string} */ css) => {
      const known = colour(css);
      return known?.[3] === 1 ? known : null;
    };
    const clipsAway = (/** @type {string} */ clip) => {
      const sides = /^rect\((.*)\)$/.exec(clip)?.[1].split(/,? /).map(Number.parseFloat);
      return sides !== undefined && (sides[2] - sides[0] <= BOX_MIN || sides[1] - sides[3] <= BOX_MIN);
    };

    /** Whether letters of this element show at all, wherever they are. */
    const inked = (/** @type {Frame} */ at) => {
      const { style, opacity, ground } = at;
      if (opacity < OPACITY_MIN || Number.parseFloat(style.fontSize) < LETTER_MIN) return false;
      if (MASKS.test(style.webkitTextSecurity)) return false;
      const ink = colour(style.webkitTextFillColor);
      if (ink === null) return true;
      const faint = ink[3] < OPACITY_MIN;
      if (!faint && (ground === null || !same(ink, ground))) return true;
      if (style.textShadow !== 'none' || Number.parseFloat(style.webkitTextStrokeWidth) > 0) return true;
      return filledByBackground(at) || (!faint && painted(at));
    };
    const same = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
      [0, 1, 2].every((index) => Math.abs(a[index] - b[index]) <= SAME_COLOUR);

    /** Letters that are cut out of a picture or a gradient are of no colour themselves. */
    const filledByBackground = (/** @type {Frame} */ from) => {
      for (let at = /** @type {Frame | null} */ (from); at; at = at.around) {
        if (/text/.test(at.style.getPropertyValue('background-clip'))) return true;
      }
      return false;
    };

    /** Whether something other than a plain colour of the elements around it may be drawn behind the text. */
    const painted = (/** @type {Frame} */ from) => {
      for (let at = /** @type {Frame | null} */ (from); at; at = at.around) {
        if (at.style.backgroundImage !== 'none' || paintsMore(at.element)) return true;
      }
      const box = own.getBoundingClientRect(from.element);
      return painters().some(
        (painter) => !own.contains(painter, from.element) && !isEmpty(overlap(own.getBoundingClientRect(painter), box)),
      );
    };
    /** @type {Element[] | null} what draws more than text */
    let known = null;
    const painters = () => {
      known ??= [...own.querySelectorAll(document, '*')].filter((element) => {
        if (own.matches(element, 'img, video, canvas, svg, iframe, object, embed')) return true;
        const { backgroundColor, backgroundImage } = getComputedStyle(element);
        return backgroundColor !== TRANSPARENT || backgroundImage !== 'none' || paintsMore(element);
      });
      return known;
    };
    const paintsMore = (/** @type {Element} */ element) =>
      ['::before', '::after'].some((part) => {
        const { content, backgroundColor, backgroundImage } = getComputedStyle(element, part);
        return content !== 'none' && (backgroundColor !== TRANSPARENT || backgroundImage !== 'none');
      });

    const [scrolledX, scrolledY, width, height] = [scrollX, scrollY, innerWidth, innerHeight];
    const offPage = (/** @type {Box} */ { left, top, right, bottom }, /** @type {boolean} */ fixed) => {
      if (fixed) return width > 0 && (right <= 0 || bottom <= 0 || left >= width || top >= height);
      return bottom + scrolledY <= 0 || (rightToLeft ? left + scrolledX >= width : right + scrolledX <= 0);
    };

    /** @type {boolean | null} whether anything reaches beyond the page; null if that was not judged yet */
    let stray = null;
    const someStray = () => {
      if (stray !== null) return stray;
      // Everything in one box: where that does not reach beyond the page, nothing does.
      if (root) range.selectNodeContents(root);
      const { left, top, right } = range.getBoundingClientRect();
      stray = top + scrolledY < 0 || (rightToLeft ? right + scrolledX > width : left + scrolledX < 0);
      return stray;
    };

    const judge = (/** @type {Text} */ text) => {
      const parent = own.parentNode(text);
      const element = parent instanceof ShadowRoot ? parent.host : parent;
      if (!(element instanceof Element)) return true;
      const at = frameOf(element);
      if (!at.drawn) return true;
      at.ink ??= inked(at);
      if (!at.ink || at.cut === NOWHERE) return false;
      const inPlace = at.cut === EVERYWHERE && !at.fixed && !at.moved;
      if (inPlace && verdicts.size >= ONE_BY_ONE_MAX && !someStray()) return true;
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      if (isEmpty(box, BOX_MIN)) return (inPlace && !someStray()) || !page.rendered(element);
      return !isEmpty(overlap(box, at.cut)) && !offPage(box, at.fixed);
    };

    /** Snapshots ask for the same text several times. Keeping more than the first ones costs more than it saves. @type {Map<Text, boolean>} */
    const verdicts = new Map();
    return (/** @type {Text} */ text) => {
      const known = verdicts.get(text);
      if (known !== undefined) return known;
      const verdict = judge(text);
      if (verdicts.size < ONE_BY_ONE_MAX) verdicts.set(text, verdict);
      return verdict;
    };
  };
})();
