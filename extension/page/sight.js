/**
 * Which text a person could see: where it is drawn, what cuts it off, and whether its ink shows. What is not rendered at
 * all is not judged here. Where the answer would be a guess, the text counts as seen. Only below elements whose style
 * could hide something (`suspects.js`) is anything looked at.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Fainter than this is not seen. */
  const OPACITY_MIN = 0.05;
  /** An element that is fainter than this may have others in it that are not seen. */
  const OPAQUE_MIN = 0.9;
  /** Smaller letters are not read. CSS pixels. */
  const LETTER_MIN = 2;
  /** A box that cuts off all but this shows nothing of its text. CSS pixels. */
  const BOX_MIN = 1;
  /** How far a cover may leave open what it covers, on each side. CSS pixels. */
  const COVER_GAP = 1;
  /** Dots in place of letters. */
  const MASKS = /^(disc|circle|square)$/;
  const TRANSPARENT = 'rgba(0, 0, 0, 0)';
  /** What a page is drawn on, light and dark. */
  const CANVAS = { light: [255, 255, 255, 1], dark: [18, 18, 18, 1] };
  const PICTURES = 'img, video, canvas, svg, iframe, object, embed';
  /** What these hold is drawn only where they themselves are not, or told in another way. */
  const UNDRAWN = /^(canvas|video|audio|iframe|title|desc|metadata)$/;
  const SHAPES = 'rect, path, circle, ellipse, polygon, polyline, line, image, use, foreignObject';

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
  const within = (/** @type {Box} */ inner, /** @type {Box} */ outer, gap = 0) =>
    inner.left >= outer.left - gap &&
    inner.top >= outer.top - gap &&
    inner.right <= outer.right + gap &&
    inner.bottom <= outer.bottom + gap;

  /** The colours in a computed value. */
  const coloursIn = (/** @type {string} */ value) =>
    (value.match(/(rgba?|color|lab|lch|oklab|oklch|hsla?|hwb|color-mix)\([^()]*(\([^()]*\)[^()]*)*\)/g) ?? []).map(
      page.colour,
    );

  // ---- What a style leaves of a box ----

  /** What `clip-path` leaves of a box, as a box; all of it where that is not known. @param {string} path @param {Box} box @returns {Box} */
  const clipped = (path, box) => {
    const shape = /^(inset|circle|ellipse|polygon|path|rect|xywh)\((.*)\)/.exec(path);
    if (shape === null) return box;
    const [, name, given] = shape;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    const length = (/** @type {string} */ text, /** @type {number} */ whole) =>
      text.endsWith('%')
        ? (Number.parseFloat(text) * whole) / 100
        : /^-?[\d.]+(px)?$/.test(text)
          ? Number.parseFloat(text)
          : Number.NaN;
    if (name === 'inset') {
      const [top, right = top, bottom = top, leftSide = right] = given.split(' round ')[0].split(' ');
      const left = {
        left: box.left + length(leftSide, width),
        top: box.top + length(top, height),
        right: box.right - length(right, width),
        bottom: box.bottom - length(bottom, height),
      };
      return Object.values(left).some(Number.isNaN) ? box : left;
    }
    if (name === 'circle' || name === 'ellipse') return /^0(px|%)?( |$)/.test(given) ? NOWHERE : box;
    if (name === 'path') return /[lhvcsqtaz]/i.test(given.replace(/^\w+,|"/g, '')) ? box : NOWHERE;
    if (name !== 'polygon') return box;
    const points = given
      .replace(/^(nonzero|evenodd),\s*/, '')
      .split(/,\s*/)
      .map((point) => point.split(' '));
    const [xs, ys] = [points.map(([x]) => length(x, width)), points.map(([, y]) => length(y ?? '', height))];
    if ([...xs, ...ys].some(Number.isNaN)) return box;
    const [left, top] = [box.left + Math.min(...xs), box.top + Math.min(...ys)];
    return { left, top, right: box.left + Math.max(...xs), bottom: box.top + Math.max(...ys) };
  };

  /** Whether an old-fashioned `clip` leaves nothing. */
  const clipsAway = (/** @type {string} */ clip) => {
    const sides = /^rect\((.*)\)$/.exec(clip)?.[1].split(/,? /).map(Number.parseFloat);
    return sides !== undefined && (sides[2] - sides[0] <= BOX_MIN || sides[1] - sides[3] <= BOX_MIN);
  };

  /** How much a filter lets through. */
  const filtered = (/** @type {CSSStyleDeclaration} */ { filter, fontSize }) => {
    const blur = /blur\(([\d.]+)px\)/.exec(filter);
    if (blur && Number(blur[1]) > Number.parseFloat(fontSize)) return 0;
    const opacity = /opacity\(([\d.]+)(%?)\)/.exec(filter);
    return opacity ? Number(opacity[1]) / (opacity[2] ? 100 : 1) : 1;
  };

  /** Whether a mask lets nothing through: a picture may, a gradient of nothing does not. */
  const masksAway = (/** @type {string} */ image) =>
    /^[a-z-]*gradient\(/.test(image) &&
    coloursIn(image.replace(/^[a-z-]*gradient/, '')).every((it) => it !== null && it[3] < OPACITY_MIN);

  const moves = (/** @type {CSSStyleDeclaration} */ { transform, scale, rotate, translate, zoom, offsetPath }) =>
    transform !== 'none' ||
    scale !== 'none' ||
    rotate !== 'none' ||
    translate !== 'none' ||
    (zoom ?? '1') !== '1' ||
    (offsetPath ?? 'none') !== 'none';

  /** Whether what is fixed or absolute below it is placed by it. */
  const holdsFixed = (
    /** @type {CSSStyleDeclaration} */ { transform, perspective, filter, contain, scale, rotate, translate },
  ) =>
    [transform, perspective, filter, scale, rotate, translate].some((value) => value !== 'none') ||
    /paint|layout|strict|content/.test(contain);

  /**
   * What an element does to the text below it.
   * @typedef {object} Frame
   * @property {Element} element
   * @property {CSSStyleDeclaration} css
   * @property {boolean} drawn neither it nor what is around it is left out of the layout
   * @property {boolean} blind nothing in it shows, wherever that is
   * @property {number} opacity its own and that of all around it
   * @property {Box} cut where what is in its flow is drawn
   * @property {Box} anchor the same for what is positioned by it, or by what is around it
   * @property {Box} fixture the same for what is fixed
   * @property {boolean} fixed it does not scroll with the page
   * @property {boolean} moved it is drawn at another place or size than it is laid out
   * @property {{ holder: Element, cover: Element | null, over: Box }[]} covers what may hide its text for good
   * @property {boolean | null} ink whether its letters show, wherever they are; null if that was not judged yet
   */

  /** Of what is too faint, nothing else matters. */
  const NOTHING = {
    drawn: true,
    blind: true,
    cut: NOWHERE,
    anchor: NOWHERE,
    fixture: NOWHERE,
    fixed: false,
    moved: false,
    covers: [],
    ink: false,
  };

  page.sees = (text) => {
    page.sight ??= sight();
    return page.sight.judge(text);
  };
  page.seesAllIn = (element) => {
    page.sight ??= sight();
    return page.sight.seesAllIn(element);
  };
  page.skippedIn = (element) => {
    page.sight ??= sight();
    return page.sight.skippedIn(element);
  };
  page.hidesIn = (element) => {
    page.sight ??= sight();
    return page.sight.hidesIn(element);
  };
  page.unseenIn = (element) => {
    page.sight ??= sight();
    return page.sight.unseenIn(element);
  };
  /** For fewer elements than this, each is asked for its style; for more, the style sheets are searched. */
  const FEW = 50;
  /** How many were asked by the command that runs, which is known by its labels. @type {{ of: object | null, count: number }} */
  let asked = { of: null, count: 0 };
  const isFew = () => {
    if (asked.of !== page.labels) asked = { of: page.labels, count: 0 };
    asked.count += 1;
    return page.sight === null && asked.count <= FEW;
  };
  page.writes = (element) => {
    if (isFew()) return true;
    page.sight ??= sight();
    return page.sight.writes(element);
  };
  page.knowsHands = () => page.sight?.pointed != null;
  page.underHand = () => {
    page.sight ??= sight();
    const root = own.documentElement(document);
    return page.sight.pointed ?? (root ? page.findAll(root, '*') : []);
  };
  page.recases = () => {
    if (isFew()) return true;
    page.sight ??= sight();
    return page.sight.recases;
  };

  /** Judges texts by the page as it is when it is made: one per command. */
  const sight = () => {
    const root = own.documentElement(document);
    const body = own.body(document);
    const suspects = page.suspects();
    const rootStyle = root && getComputedStyle(root);
    const rightToLeft = rootStyle?.direction === 'rtl';
    const range = own.createRange(document);
    const [scrolledX, scrolledY, width, height] = [scrollX, scrollY, innerWidth, innerHeight];

    // ---- Clear elements: nothing around them hides anything ----

    /** @type {Map<Element, boolean>} */
    const verdicts = new Map();
    const isClear = (/** @type {Element} */ element) => {
      const known = verdicts.get(element);
      if (known !== undefined) return known;
      /** @type {Element[]} */
      const path = [];
      let clear = true;
      for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
        const verdict = verdicts.get(at);
        if (verdict !== undefined) {
          clear = verdict;
          break;
        }
        path.push(at);
      }
      for (const at of path.reverse()) {
        clear &&= coversIn(at).length === 0 && !strays().below.has(at) && !hidesSome(at);
        verdicts.set(at, clear);
      }
      return clear;
    };

    /** Whether an element, all around which is clear, may hide something that is in it. */
    const hidesSome = (/** @type {Element} */ element) => {
      if (suspects.lined.has(element)) return true;
      if (suspects.all || suspects.hiding.has(element)) return !isHarmless(element);
      return suspects.shaded.has(element) && !showsInk(element) && !isHarmless(element);
    };
    const showsInk = (/** @type {Element} */ element) => {
      const ink = page.colour(getComputedStyle(element).webkitTextFillColor);
      const ground = groundOf(element);
      return ink !== null && ground !== null && !page.isFaint(ink) && !page.looksLike(ink, ground);
    };

    const isHarmless = (/** @type {Element} */ element) => {
      if (own.localName(element) === 'svg') return false;
      const at = frameOf(element, true);
      if (!at.drawn) return true;
      if (at.css.visibility !== 'visible') return false;
      if (at.blind || at.opacity < OPAQUE_MIN || at.fixed || at.moved || at.covers.length > 0 || !inked(at))
        return false;
      return at.cut === EVERYWHERE && at.anchor === EVERYWHERE;
    };

    // ---- Frames: what is not clear is looked at, element by element ----

    /** @type {Map<Element, Frame>} */
    const frames = new Map();
    /** @param {Element} element @param {boolean} alone what is around it is clear */
    const frameOf = (element, alone = false) => {
      const known = frames.get(element);
      if (known) return known;
      /** @type {Element[]} */
      const missing = [];
      /** @type {Frame | null} */
      let around = null;
      for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
        around = frames.get(at) ?? null;
        if (around || (at !== element && (alone || verdicts.get(at) === true))) break;
        missing.push(at);
      }
      for (const at of missing.reverse()) {
        // Asking for styles below what is not drawn is slow, and the answer is the same.
        if (around === null || (around.drawn && !around.blind)) around = frame(at, around);
        frames.set(at, around);
      }
      return /** @type {Frame} */ (around);
    };

    /** @type {(element: Element, around: Frame | null) => Frame} */
    const frame = (element, around) => {
      const style = getComputedStyle(element);
      const through = style.filter === 'none' ? 1 : filtered(style);
      const opacity = Number(style.opacity || 1) * through * (around?.opacity ?? 1);
      if (opacity < OPACITY_MIN) return { ...NOTHING, element, css: style, opacity };
      const { display, position, clipPath, contain } = style;
      const fixes = holdsFixed(style);
      let cut = around?.cut ?? EVERYWHERE;
      if (position === 'fixed') cut = around?.fixture ?? EVERYWHERE;
      if (position === 'absolute') cut = around?.anchor ?? EVERYWHERE;
      // What overflows the root is what the window scrolls to.
      const boxed = display !== 'inline' && display !== 'contents' && element !== root && element !== body;
      const overflow = boxed ? style.overflow : 'visible';
      if (overflow !== 'visible' || (boxed && /paint|strict|content/.test(contain))) {
        const shown = overlap(own.getBoundingClientRect(element), cut);
        if (isEmpty(shown, BOX_MIN)) cut = NOWHERE;
        else if (/auto|scroll/.test(overflow)) cut = EVERYWHERE;
        else if (!holdsAll(element, shown)) cut = shown;
      }
      if (clipPath !== 'none' && cut !== NOWHERE) {
        const box = own.getBoundingClientRect(element);
        const left = clipped(clipPath, box);
        if (isEmpty(left, BOX_MIN)) cut = NOWHERE;
        else if (left !== box) cut = overlap(left, cut);
      }
      if ((position === 'absolute' || position === 'fixed') && clipsAway(style.clip)) cut = NOWHERE;
      const mask = style.maskImage ?? style.webkitMaskImage ?? 'none';
      if (mask !== 'none' && masksAway(mask)) cut = NOWHERE;
      const placed = position !== 'static' || fixes;
      return {
        element,
        css: style,
        drawn: display !== 'none' && (around?.drawn ?? true),
        blind: false,
        opacity,
        cut,
        anchor: placed ? cut : (around?.anchor ?? EVERYWHERE),
        fixture: fixes ? cut : (around?.fixture ?? EVERYWHERE),
        fixed: (position === 'fixed' && (around?.fixture ?? EVERYWHERE) === EVERYWHERE) || (around?.fixed ?? false),
        moved: moves(style) || (around?.moved ?? false),
        covers: [...(around?.covers ?? []), ...coversIn(element).map((it) => ({ holder: element, ...it }))],
        ink: null,
      };
    };

    /** Whether everything in an element lies within a box. */
    const holdsAll = (/** @type {Element} */ element, /** @type {Box} */ box) => {
      range.selectNodeContents(element);
      const contents = range.getBoundingClientRect();
      return isEmpty(contents) ? !own.hasChildNodes(element) : within(contents, box, BOX_MIN);
    };

    // ---- Ink ----

    /** Whether letters of this element show at all, wherever they are. */
    const inked = (/** @type {Frame} */ at) => {
      at.ink ??= judgeInk(at);
      return at.ink;
    };
    const judgeInk = (/** @type {Frame} */ { element, css, opacity }) => {
      if (opacity < OPACITY_MIN || css.visibility !== 'visible') return false;
      if (Number.parseFloat(css.fontSize) < LETTER_MIN) return false;
      if (MASKS.test(css.webkitTextSecurity)) return false;
      if (element instanceof SVGElement) return drawnInk(element, css);
      const ink = page.colour(css.webkitTextFillColor);
      if (ink === null) return true;
      const ground = groundOf(element);
      const shows = (/** @type {number[] | null} */ colour) =>
        colour === null || (!page.isFaint(colour) && (ground === null || !page.looksLike(colour, ground)));
      if (shows(ink)) return true;
      if (css.textShadow !== 'none' && coloursIn(css.textShadow).some(shows)) return true;
      if (Number.parseFloat(css.webkitTextStrokeWidth) > 0 && shows(page.colour(css.webkitTextStrokeColor)))
        return true;
      return filledByBackground(element) || (!page.isFaint(ink) && painted(element));
    };

    /** The same for a text, whose first line may have letters of its own. A text that is seen in part is told. */
    const lineInked = (/** @type {Text} */ text, /** @type {Frame} */ at) => {
      const block = around(at.element).find((it) => !/^(inline|contents)$/.test(getComputedStyle(it).display));
      if (block === undefined || !suspects.lined.has(block)) return inked(at);
      // A part of the line with a colour of its own keeps that.
      if (at.css.color !== frameOf(block).css.color) return inked(at);
      const first = judgeInk({ ...frameOf(block), css: getComputedStyle(block, '::first-line') });
      if (first === inked(at)) return first;
      range.selectNodeContents(block);
      const line = range.getClientRects()[0];
      range.selectNodeContents(text);
      const isFirst = ({ top = 0, bottom = 0 }) => line !== undefined && (top + bottom) / 2 <= line.bottom;
      const boxes = [...range.getClientRects()];
      return first ? boxes.some(isFirst) : !boxes.every(isFirst);
    };

    /** Letters in a drawing have a fill, and shapes behind them that no css tells of. */
    const drawnInk = (/** @type {SVGElement} */ element, /** @type {CSSStyleDeclaration} */ style) => {
      if (style.stroke !== 'none') return true;
      if (style.fill === 'none' || Number(style.fillOpacity) < OPACITY_MIN) return false;
      const ink = page.colour(style.fill);
      if (ink === null) return true;
      if (page.isFaint(ink)) return false;
      const drawing = own.closest(element, 'svg');
      const ground = drawing && groundOf(drawing);
      return !ground || !page.looksLike(ink, ground) || own.querySelector(drawing, SHAPES) !== null || painted(drawing);
    };

    /** @type {Map<Element, number[] | null>} the colour behind the text of an element; null if it is not known */
    const grounds = new Map();
    const canvas = page.isDark() ? CANVAS.dark : CANVAS.light;
    const groundOf = (/** @type {Element} */ element) => {
      /** @type {Element[]} */
      const path = [];
      /** @type {number[] | null} */
      let ground = canvas;
      for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
        const known = grounds.get(at);
        if (known !== undefined) {
          ground = known;
          break;
        }
        path.push(at);
        const { backgroundColor } = getComputedStyle(at);
        if (backgroundColor === TRANSPARENT) continue;
        const colour = page.colour(backgroundColor);
        if (colour?.[3] === 0) continue;
        ground = colour?.[3] === 1 ? colour : null;
        break;
      }
      for (const at of path) grounds.set(at, ground);
      return ground;
    };

    const around = (/** @type {Element} */ element) => {
      /** @type {Element[]} */
      const found = [];
      for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) found.push(at);
      return found;
    };

    /** Letters that are cut out of a picture or a gradient, or of another colour, are of no colour themselves. */
    const filledByBackground = (/** @type {Element} */ from) => {
      for (const at of around(from)) {
        const style = getComputedStyle(at);
        if (!/text/.test(style.getPropertyValue('background-clip'))) continue;
        if (style.backgroundImage !== 'none') return true;
        const fill = page.colour(style.backgroundColor);
        const parent = page.parent(at);
        const behind = parent instanceof Element ? groundOf(parent) : null;
        if (fill === null || (!page.isFaint(fill) && (behind === null || !page.looksLike(fill, behind)))) return true;
      }
      return false;
    };

    /** Whether something other than a plain colour of the elements around it may be drawn behind the text. */
    const painted = (/** @type {Element} */ from) => {
      for (const at of around(from)) {
        if (getComputedStyle(at).backgroundImage !== 'none' || paintsMore(at)) return true;
      }
      const box = own.getBoundingClientRect(from);
      return painters().some(
        (painter) => !own.contains(painter, from) && !isEmpty(overlap(own.getBoundingClientRect(painter), box)),
      );
    };
    /** @type {Element[] | null} what draws more than text */
    let known = null;
    const painters = () => {
      known ??= [...own.querySelectorAll(document, '*')].filter((element) => {
        if (own.matches(element, PICTURES)) return true;
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

    // ---- Covers: what lies over all that an element shows, and goes where it goes ----

    /** @typedef {{ cover: Element | null, over: Box }} Cover `cover`: null for a painted part of the element itself */
    /** @type {Map<Element, Cover[]> | null} */
    let covers = null;
    const coversIn = (/** @type {Element} */ element) => {
      covers ??= findCovers();
      return covers.get(element) ?? [];
    };
    const findCovers = () => {
      /** @type {Map<Element, Cover[]>} */
      const found = new Map();
      const add = (/** @type {Element} */ to, /** @type {Cover} */ cover) => {
        const others = found.get(to);
        if (others) others.push(cover);
        else found.set(to, [cover]);
      };
      for (const element of suspects.all ? own.querySelectorAll(document, '*') : suspects.placed) {
        const style = getComputedStyle(element);
        if (suspects.paints) {
          for (const part of ['::before', '::after']) {
            const drawn = getComputedStyle(element, part);
            if (drawn.position !== 'absolute' || /^(none|normal)$/.test(drawn.content) || !isOpaque(drawn)) continue;
            const fills = [drawn.left, drawn.top, drawn.right, drawn.bottom].every(
              (it) => Number.parseFloat(it) <= COVER_GAP,
            );
            if (fills && style.position !== 'static')
              add(element, { cover: null, over: own.getBoundingClientRect(element) });
          }
        }
        if (style.position !== 'absolute' || style.visibility !== 'visible' || !isOpaque(style)) continue;
        const holder = holderOf(element);
        if (!holder || holder === root || holder === body) continue;
        const [box, over] = [own.getBoundingClientRect(holder), own.getBoundingClientRect(element)];
        if (!isEmpty(box, LETTER_MIN) && !isEmpty(over) && within(box, over, COVER_GAP))
          add(holder, { cover: element, over });
      }
      for (const element of suspects.all ? own.querySelectorAll(document, '*') : suspects.shifted) {
        const style = getComputedStyle(element);
        if (style.visibility !== 'visible' || !isOpaque(style) || !isShifted(element, style)) continue;
        const over = own.getBoundingClientRect(element);
        if (!isEmpty(over, LETTER_MIN)) add(contextOf(element), { cover: element, over });
      }
      return found;
    };
    /** Whether an element in the flow is moved so that it, as a whole, is drawn over what comes before it. */
    const isShifted = (/** @type {Element} */ element, /** @type {CSSStyleDeclaration} */ style) => {
      const around = page.parent(element);
      const display = around instanceof Element ? getComputedStyle(around).display : '';
      const isItem = /(flex|grid)$/.test(display);
      const isRelative = style.position === 'relative';
      if (!isRelative && !(style.position === 'static' && (isItem || /^inline-/.test(style.display)))) return false;
      const margins = [style.marginTop, style.marginRight, style.marginBottom, style.marginLeft];
      const offsets = [style.left, style.top];
      return (
        margins.some((it) => Number.parseFloat(it) < 0) ||
        (isRelative && offsets.some((it) => Number.parseFloat(it) !== 0 && it !== 'auto')) ||
        (/grid$/.test(display) && (style.gridRowStart !== 'auto' || style.gridColumnStart !== 'auto'))
      );
    };
    /** What an element in the flow stays in, wherever it is moved to: what scrolls by itself, or is placed. */
    const contextOf = (/** @type {Element} */ element) => {
      for (let at = page.parent(element); at instanceof Element; at = page.parent(at)) {
        const { overflow, position } = getComputedStyle(at);
        if (at === body || at === root || overflow !== 'visible' || /absolute|fixed|sticky/.test(position)) return at;
      }
      return element;
    };
    /** The element that an absolute one is placed by. */
    const holderOf = (/** @type {Element} */ element) => {
      for (let at = page.parent(element); at instanceof Element; at = page.parent(at)) {
        const style = getComputedStyle(at);
        if (style.position !== 'static' || holdsFixed(style)) return at;
      }
      return null;
    };
    const isOpaque = (/** @type {CSSStyleDeclaration} */ { backgroundColor, opacity, clipPath, transform, zIndex }) =>
      page.colour(backgroundColor)?.[3] === 1 &&
      opacity === '1' &&
      clipPath === 'none' &&
      transform === 'none' &&
      !(Number(zIndex) < 0);

    /** Whether a cover in `holder` is drawn over a text of this element. */
    const isOver = (/** @type {Element} */ holder, /** @type {Element | null} */ cover, /** @type {Text} */ text) => {
      const line = around(/** @type {Element} */ (page.parent(text)));
      if (cover === null) return level(line.slice(0, line.indexOf(holder))) < 0;
      const above = around(cover);
      const common = line.findIndex((it) => above.includes(it));
      const mine = line.slice(0, common);
      // What is in the cover is drawn on it.
      if (line[common] === cover) return false;
      const theirs = above.slice(0, above.indexOf(line[common]));
      // What scrolls below it comes out again.
      if (mine.some(scrolls)) return false;
      if (level(mine) !== level(theirs)) return level(theirs) > level(mine);
      const other = theirs.at(-1);
      return other !== undefined && follows(mine.at(-1) ?? text, other);
    };
    const scrolls = (/** @type {Element} */ element) => {
      const { overflow, position } = getComputedStyle(element);
      return /auto|scroll/.test(overflow) || /fixed|sticky/.test(position);
    };
    /** At which level the outermost placed element of a path is drawn; what is in the flow is drawn before those at 0. */
    const level = (/** @type {Element[]} */ path) => {
      const placed = path
        .map((it) => getComputedStyle(it))
        .filter(
          ({ position, opacity, transform, zIndex }) =>
            position !== 'static' || opacity !== '1' || transform !== 'none' || zIndex !== 'auto',
        )
        .at(-1);
      return placed ? Number(placed.zIndex) || 0 : -0.5;
    };
    const follows = (/** @type {Node} */ one, /** @type {Node} */ other) =>
      (own.compareDocumentPosition(one, other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;

    // ---- Places ----

    const cutsSide = [rootStyle, body && getComputedStyle(body)].some((it) => it && /hidden|clip/.test(it.overflowX));
    const side = root ? own.clientWidth(root) : width;
    const offPage = (/** @type {Box} */ { left, top, right, bottom }, /** @type {boolean} */ fixed) => {
      if (fixed) return width > 0 && (right <= 0 || bottom <= 0 || left >= width || top >= height);
      if (bottom + scrolledY <= 0) return true;
      if (rightToLeft ? left + scrolledX >= width : right + scrolledX <= 0) return true;
      // Where the window does not scroll aside, nothing there is ever seen.
      return cutsSide && width > 0 && (rightToLeft ? right + scrolledX <= 0 : left + scrolledX >= side);
    };
    const reachesOut = (/** @type {Box} */ { left, top, right }) =>
      top + scrolledY < 0 ||
      (rightToLeft ? right + scrolledX > width : left + scrolledX < 0) ||
      (cutsSide && (rightToLeft ? left + scrolledX < 0 : right + scrolledX > side));

    /** @type {{ below: Set<Element>, on: Set<Node> } | null} */
    let stray = null;
    /** What reaches beyond the page: `below` these elements, and the texts directly in those that it is `on`. */
    const strays = () => {
      if (stray !== null) return stray;
      stray = { below: new Set(), on: new Set() };
      /** @type {Element[]} */
      const pending = root && suspects.moves ? [root] : [];
      for (const element of pending) {
        range.selectNode(element);
        const whole = range.getBoundingClientRect();
        if (!reachesOut(whole)) continue;
        stray.on.add(element);
        if (own.shadowRoot(element) || own.localName(element) === 'slot') stray.below.add(element);
        else pending.push(.../** @type {Iterable<HTMLElement>} */ (own.children(element)));
      }
      return stray;
    };

    const judge = (/** @type {Text} */ text) => {
      const parent = page.parent(text);
      const element = parent instanceof Element ? parent : null;
      if (element === null) return true;
      if (UNDRAWN.test(own.localName(element))) return false;
      const clear = isClear(element);
      if (clear && !strays().on.has(element)) return true;
      const at = clear ? null : frameOf(element);
      if (at && !at.drawn) return true;
      if (at && (!(suspects.lined.size > 0 ? lineInked(text, at) : inked(at)) || at.cut === NOWHERE)) return false;
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      // What was not laid out yet has no box; nor has a text whose letters were shrunk to nothing.
      if (isEmpty(box, at?.moved ? LETTER_MIN : BOX_MIN)) {
        return at === null || (at.cut === EVERYWHERE && !at.fixed && !at.moved) || !page.rendered(element);
      }
      if (offPage(box, at?.fixed ?? false)) return false;
      if (at === null) return true;
      if (isEmpty(overlap(box, at.cut))) return false;
      return !at.covers.some(({ holder, cover, over }) => within(box, over, COVER_GAP) && isOver(holder, cover, text));
    };

    const unseenIn = (/** @type {Element} */ element) => {
      /** @type {Set<Text>} */
      const unseen = new Set();
      const consider = (/** @type {Text} */ text) => {
        if (/\S/.test(text.data) && !judge(text)) unseen.add(text);
      };
      const search = (/** @type {Element} */ from) => {
        const texts = own.createTreeWalker(document, from, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) consider(/** @type {Text} */ (texts.currentNode));
      };
      if (suspects.all || !isClear(element)) {
        search(element);
        return unseen;
      }
      covers ??= findCovers();
      for (const suspect of [...suspects.hiding, ...suspects.shaded, ...covers.keys(), ...strays().below]) {
        const parent = page.parent(suspect);
        // What is below another one was searched with that.
        const isFirst = !(parent instanceof Element) || isClear(parent);
        if (isFirst && own.contains(element, suspect) && !isClear(suspect)) search(suspect);
      }
      for (const node of strays().on) {
        if (own.contains(element, node))
          for (const child of own.childNodes(node)) if (child instanceof Text) consider(child);
      }
      return unseen;
    };
    const skippedIn = (/** @type {Element} */ element) => {
      /** @type {Text[]} */
      const skipped = [];
      if (!suspects.skips) return skipped;
      for (const part of suspects.all ? own.querySelectorAll(element, '*') : suspects.hiding) {
        if (!own.contains(element, part) || getComputedStyle(part).contentVisibility !== 'auto') continue;
        const texts = own.createTreeWalker(document, part, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) skipped.push(/** @type {Text} */ (texts.currentNode));
      }
      return skipped;
    };
    /** @type {Set<Node> | null} what has a text in it that is not seen */
    let hiding = null;
    const hidesIn = (/** @type {Element} */ element) => {
      // What stands in a shadow tree is not searched at once.
      if (own.getRootNode(element) !== document || own.querySelector(element, 'slot') || own.shadowRoot(element))
        return true;
      if (hiding === null) {
        hiding = new Set();
        for (const text of root ? unseenIn(root) : []) {
          for (let at = page.parent(text); at && !hiding.has(at); at = page.parent(at)) hiding.add(at);
        }
      }
      return hiding.has(element);
    };
    const seesAllIn = (/** @type {Element} */ element) =>
      !UNDRAWN.test(own.localName(element)) && isClear(element) && !strays().on.has(element);
    const writes = (/** @type {Element} */ element) => suspects.writing?.has(element) ?? true;
    const { recases, pointed } = suspects;
    return { judge, unseenIn, skippedIn, hidesIn, seesAllIn, writes, recases, pointed };
  };
})();
