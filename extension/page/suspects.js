/**
 * Suspects: the elements whose own style could keep text from being seen. Style sheets are searched for declarations that
 * can do so, and the browser for what those match: to ask every element for its style costs a hundred times as much.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** With more rules than this, matching them costs as much as asking each element. */
  const RULES_MAX = 4_000;
  /** In more trees than this, a search costs more than it saves. */
  const TREES_MAX = 50;
  /** Colours that differ by no more in any of red, green and blue (0 to 255) look the same. */
  const SAME_COLOUR = 8;
  /** Ink with less alpha than this is not seen. */
  const FAINT = 0.05;

  // ---- Colours ----

  /** @type {Map<string, number[] | null>} */
  const colours = new Map();
  /** @type {OffscreenCanvasRenderingContext2D | null} */
  let canvas = null;

  page.colour = (css) => {
    const known = colours.get(css);
    if (known !== undefined) return known;
    const parts = /^rgba?\(([\d., ]+)\)$/.exec(css)?.[1].split(', ').map(Number);
    const found = parts ? [...parts, 1].slice(0, 4) : drawn(css);
    colours.set(css, found);
    return found;
  };
  /** Newer ways to write a colour are drawn, and the point looked at. */
  const drawn = (/** @type {string} */ css) => {
    // What depends on the element, or is no colour, has none here.
    if (!CSS.supports('color', css) || /^(inherit|initial|unset|revert|-)|var\(|currentcolor|light-dark/i.test(css))
      return null;
    canvas ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    if (canvas === null) return null;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  page.isFaint = (ink) => ink[3] < FAINT;
  page.looksLike = (a, b) => [0, 1, 2].every((index) => Math.abs(a[index] - b[index]) <= SAME_COLOUR);

  // ---- What can hide ----

  const not =
    (/** @type {string[]} */ ...harmless) =>
    (/** @type {string} */ value) =>
      !harmless.includes(value);
  const negative = (/** @type {string} */ value) => /-\d|\(/.test(value) || value === '';
  const away = (/** @type {string} */ value) => !/^(auto|0(px)?|0%)$/.test(value);
  const turned = not('none');

  /** Whether a declared value could hide what the element says. @type {Record<string, (value: string) => boolean>} */
  const HIDES = {
    opacity: (value) => !/^(1|0?\.9\d*)$/.test(value),
    'clip-path': turned,
    clip: not('auto'),
    filter: turned,
    'mask-image': turned,
    '-webkit-mask-image': turned,
    'mask-border-source': turned,
    transform: turned,
    rotate: turned,
    scale: turned,
    translate: turned,
    'offset-path': turned,
    zoom: not('1', 'normal'),
    'animation-name': turned,
    '-webkit-text-security': turned,
    // What is relative can be taken of itself, again and again.
    'font-size': (value) =>
      !/^((\d{2,}|[3-9])(\.\d+)?px|([1-9]\d*)(\.\d+)?rem|([1-9]\d*)(\.\d+)?(em|%)|medium|large|x-large|xx-large|small|x-small|larger|inherit)$/.test(
        value,
      ) || /^\d{1,2}(\.\d+)?%$/.test(value),
    'overflow-x': not('visible'),
    'overflow-y': not('visible'),
    contain: (value) => !/^(none|layout|style|size|inline-size| )+$/.test(value),
    'content-visibility': not('visible'),
    visibility: not('visible'),
    position: (value) => !/^(static|relative|sticky)$/.test(value),
    left: negative,
    top: negative,
    right: away,
    bottom: away,
    'inset-inline-start': negative,
    'inset-block-start': negative,
    'inset-inline-end': away,
    'inset-block-end': away,
    'color-scheme': (value) => value !== 'light' && value !== 'normal',
  };
  /** Whether a declared value could draw what is in the element, or around it, elsewhere. @type {Record<string, (value: string) => boolean>} */
  const MOVES = {
    'margin-left': negative,
    'margin-top': negative,
    'margin-right': negative,
    'margin-bottom': negative,
    'margin-inline-start': negative,
    'margin-block-start': negative,
    'text-indent': (value) => /-|\(/.test(value) || value === '',
    'letter-spacing': negative,
    'word-spacing': negative,
    direction: not('ltr'),
    'writing-mode': not('horizontal-tb'),
    'flex-direction': (value) => !/^(row|column)$/.test(value),
    'flex-wrap': (value) => value === 'wrap-reverse' || value === '',
    'justify-content': (value) => !/^(normal|(flex-)?start|left|stretch|space-\w+)$/.test(value),
    'justify-items': (value) => !/^(normal|(flex-)?start|left|stretch|legacy)$/.test(value),
    'justify-self': (value) => !/^(auto|normal|(flex-)?start|left|stretch)$/.test(value),
    'align-content': (value) => !/^(normal|(flex-)?start|stretch|space-\w+)$/.test(value),
    'align-items': (value) => !/^(normal|(flex-)?start|stretch|baseline)$/.test(value),
    'align-self': (value) => !/^(auto|normal|(flex-)?start|stretch|baseline)$/.test(value),
    'line-height': (value) => /^0/.test(value) || /\(/.test(value) || value === '',
  };
  for (const name of ['transform', 'rotate', 'scale', 'translate', 'left', 'top', 'right', 'bottom', 'position']) {
    MOVES[name] = HIDES[name];
  }
  /** Whether a declared value could draw the element over others. @type {Record<string, (value: string) => boolean>} */
  const SHIFTS = { left: away, top: away, 'grid-row-start': not('auto'), 'grid-column-start': not('auto') };
  for (const name of Object.keys(MOVES)) if (name.startsWith('margin')) SHIFTS[name] = MOVES[name];
  for (const name of ['right', 'bottom']) SHIFTS[name] = away;
  /** Values by which an element shows that it can be pressed or dragged. @type {Record<string, RegExp>} */
  const REACTS = { cursor: /pointer|grab|move|var\(|^$/, 'touch-action': /none|pan|manipulation/ };
  const INK = ['color', '-webkit-text-fill-color', 'fill'];
  const GROUND = 'background-color';

  /** What cannot be asked for by a selector within a tree. */
  const [HOST, SLOTTED, PART] = [':host', '::slotted', '::part'];
  /** Pseudo-elements that hold nothing of what an element says, and cover nothing. */
  const ASIDE =
    /::(selection|placeholder|marker|backdrop|file-selector-button|highlight|spelling-error|grammar-error|target-text|cue|view-transition|scroll|-webkit|-moz)/;
  const PSEUDO = /::[-\w]+(\([^)]*\))?|:(before|after|first-line|first-letter)\b/g;

  /** What browsers give elements by themselves, light; a page's own colours can be like them. @type {Shade[]} */
  const GIVEN = [
    { selector: 'html', ink: [0, 0, 0, 1], ground: [255, 255, 255, 1] },
    { selector: 'a[href], area[href]', ink: [0, 0, 238, 1] },
    {
      selector: 'button, input, select, textarea, mark, dialog, [popover]',
      ink: [0, 0, 0, 1],
      ground: [255, 255, 255, 1],
    },
    { selector: 'button, input, select', ground: [239, 239, 239, 1] },
    { selector: 'mark', ground: [255, 255, 0, 1] },
    { selector: ':disabled', ink: [84, 84, 84, 1] },
  ];
  /** Attributes and elements that have a style of their own. */
  const ATTRIBUTES =
    'font[color], [bgcolor], [background], body[text], body[link], table[color], svg, marquee, [dir="rtl" i], bdo';
  const STYLED = `[style], ${ATTRIBUTES}`;

  /**
   * A colour that elements have: of their letters, of what is behind those, or of both; null if it depends on the element.
   * @typedef {{ selector?: string, element?: Element, ink?: number[] | null, ground?: number[] | null }} Shade
   */

  /**
   * What a sheet says: the selectors of what may hide something, of what is placed by itself, of what may be drawn over
   * others, and of what has a first line of its own.
   * @typedef {{ hides: Set<string>, places: Set<string>, shifts: Set<string>, lines: Set<string>, shades: Shade[], writes: Set<string>, points: Set<string>, moves: boolean, paints: boolean, skips: boolean, recases: boolean }} Found
   */

  page.suspects = () => {
    const trees = [document, ...page.hosts().map((host) => /** @type {ShadowRoot} */ (own.shadowRoot(host)))];
    /** @type {Map<CSSStyleSheet, Found | null>} */
    const sheets = new Map();
    /** @type {BproxySuspects} */
    const suspects = {
      hiding: new Set(),
      shaded: new Set(),
      placed: new Set(),
      shifted: new Set(),
      lined: new Set(),
      writing: new Set(),
      pointed: new Set(),
      moves: false,
      paints: false,
      skips: false,
      recases: false,
      all: false,
    };
    const everything = () => ({ ...suspects, moves: true, skips: true, all: true });
    const unknown = () => ({ ...everything(), writing: null, pointed: null, recases: true });
    let left = RULES_MAX;
    const may = (/** @type {number} */ count) => {
      left -= count;
      return left >= 0;
    };

    /** @type {[Document | ShadowRoot, Found][]} */
    const told = [];
    for (const tree of trees) {
      for (const sheet of [...own.styleSheets(tree), ...own.adoptedStyleSheets(tree)]) {
        let said = sheets.get(sheet);
        if (said === undefined) {
          said = sheet.disabled ? nothing() : readSheet(sheet, may);
          sheets.set(sheet, said);
        }
        if (said === null) return unknown();
        told.push([tree, said]);
      }
    }
    for (const [tree, said] of told) {
      suspects.recases ||= said.recases;
      if (suspects.writing && !match(tree, said.writes, suspects.writing)) suspects.writing = null;
      if (suspects.pointed && !match(tree, said.points, suspects.pointed)) suspects.pointed = null;
    }
    if (page.isDark()) return everything();
    const shades = [...GIVEN];
    for (const said of sheets.values()) {
      suspects.moves ||= said?.moves === true;
      suspects.paints ||= said?.paints === true;
      suspects.skips ||= said?.skips === true;
      shades.push(...(said?.shades ?? []));
    }
    for (const tree of trees) {
      for (const element of own.querySelectorAll(tree, STYLED)) {
        if (own.hasAttribute(element, 'style')) {
          const said = nothing();
          read(own.style(/** @type {HTMLElement} */ (element)), '', said);
          if (said.points.size > 0) suspects.pointed?.add(element);
          if (said.hides.size > 0) suspects.hiding.add(element);
          if (said.places.size > 0) suspects.placed.add(element);
          if (said.shifts.size > 0) suspects.shifted.add(element);
          suspects.moves ||= said.moves;
          suspects.skips ||= said.skips;
          suspects.recases ||= said.recases;
          for (const { ink, ground } of said.shades) shades.push({ element, ink, ground });
        }
        if (own.matches(element, ATTRIBUTES)) suspects.hiding.add(element);
      }
      for (const { effect } of own.getAnimations(tree)) {
        const { target } = /** @type {KeyframeEffect} */ (effect ?? {});
        if (target) suspects.hiding.add(target);
        suspects.moves = true;
      }
    }
    const doubtful = new Set(alike(shades));
    // Of colours that nothing has, none is like another one.
    const risky = new Set(alike(shades.filter((shade) => !doubtful.has(shade) || isUsed(shade, trees))));
    for (const { element } of risky) if (element) suspects.shaded.add(element);
    if (GIVEN.some((shade) => risky.has(shade))) {
      const given = { ...nothing(), shades: GIVEN };
      for (const tree of trees) told.push([tree, given]);
    }
    for (const [tree, said] of told) {
      const shaded = new Set(said.shades.filter((shade) => risky.has(shade)).map(({ selector = '' }) => selector));
      const isFound =
        match(tree, said.hides, suspects.hiding) &&
        match(tree, said.places, suspects.placed) &&
        match(tree, said.shifts, suspects.shifted) &&
        match(tree, said.lines, suspects.lined) &&
        match(tree, shaded, suspects.shaded);
      if (!isFound) return everything();
    }
    return suspects;
  };

  /** Whether an element has a colour; of many trees that is not asked. */
  const isUsed = (/** @type {Shade} */ { selector = '' }, /** @type {(Document | ShadowRoot)[]} */ trees) => {
    if (trees.length > TREES_MAX || /^(|:host|::slotted|::part)$/.test(selector)) return true;
    try {
      return trees.some((tree) => own.querySelector(tree, selector) !== null);
    } catch {
      return true;
    }
  };

  /** @returns {Found} */
  const nothing = () => ({
    hides: new Set(),
    places: new Set(),
    shifts: new Set(),
    lines: new Set(),
    writes: new Set(),
    points: new Set(),
    shades: [],
    moves: false,
    paints: false,
    skips: false,
    recases: false,
  });

  /** Adds what matches in a tree; false where that cannot be said. */
  const match = (
    /** @type {Document | ShadowRoot} */ tree,
    /** @type {Set<string>} */ selectors,
    /** @type {Set<Element>} */ into,
  ) => {
    if (selectors.size === 0) return true;
    if (selectors.has(PART)) return false;
    if (tree instanceof ShadowRoot) {
      if (selectors.has(HOST)) into.add(tree.host);
      if (selectors.has(SLOTTED)) for (const child of own.children(tree.host)) into.add(child);
    }
    const plain = [...selectors].filter((selector) => selector !== HOST && selector !== SLOTTED);
    if (plain.length === 0) return true;
    try {
      for (const element of own.querySelectorAll(tree, plain.join(', '))) into.add(element);
      return true;
    } catch {
      return false;
    }
  };

  /** Whether letters and what is behind them have other colours by themselves than black on white. */
  page.isDark = () => {
    const root = own.documentElement(document);
    const meta = own.querySelector(document, 'meta[name="color-scheme" i]');
    const schemes = `${root ? getComputedStyle(root).colorScheme : ''} ${meta ? own.getAttribute(meta, 'content') : ''}`;
    const query = matchMedia('(prefers-color-scheme: dark)');
    return /\bdark\b/.test(schemes) && (!/\blight\b/.test(schemes) || query.matches);
  };

  /** The rules of a sheet, or null: those of another origin cannot be read. */
  const readSheet = (/** @type {CSSStyleSheet} */ sheet, /** @type {(count: number) => boolean} */ may) => {
    const said = nothing();
    const visit = (/** @type {CSSRuleList} */ rules, /** @type {string} */ outer) => {
      if (!may(rules.length)) return false;
      for (const rule of /** @type {Iterable<CSSStyleRule>} */ (rules)) {
        const query = rule instanceof CSSMediaRule ? matchMedia(rule.media.mediaText) : null;
        if (query?.matches === false) continue;
        if (rule instanceof CSSKeyframesRule) continue;
        if (rule instanceof CSSImportRule) {
          const inner = rule.styleSheet && rulesOf(rule.styleSheet);
          if (inner === null || (inner && !visit(inner, outer))) return false;
          continue;
        }
        const { selectorText = outer, cssRules } = rule;
        if (rule.style && selectorText !== '') {
          for (const selector of simple(selectorText)) read(rule.style, selector, said);
          if (/:first-line\b/.test(selectorText)) for (const selector of simple(selectorText)) said.lines.add(selector);
          if (
            /:(before|after)\b/.test(selectorText) &&
            !/^(none|normal|""|)$/.test(rule.style.getPropertyValue('content'))
          )
            for (const selector of simple(selectorText)) said.writes.add(selector);
          said.paints ||=
            /:(before|after)\b/.test(selectorText) && rule.style.getPropertyValue('position') === 'absolute';
        }
        if (cssRules && !visit(cssRules, selectorText)) return false;
      }
      return true;
    };
    const rules = rulesOf(sheet);
    return rules !== null && visit(rules, '') ? said : null;
  };
  const rulesOf = (/** @type {CSSStyleSheet} */ sheet) => {
    try {
      return sheet.cssRules;
    } catch {
      return null;
    }
  };

  /** The selectors of a list, each as one that matches at least as much and can be asked for. */
  /** @type {(list: string) => string[]} */
  const simple = (list) =>
    page
      .selectorList(list)
      .filter((selector) => !ASIDE.test(selector))
      .map((selector) => {
        if (selector.includes(PART)) return PART;
        const host = /:host(-context)?(\([^)]*\))?[^\s>+~]*/.exec(selector);
        if (host) {
          const rest = selector.slice(host.index + host[0].length).replace(/^[\s>+~]+/, '');
          if (rest.startsWith(SLOTTED)) return SLOTTED;
          return rest === '' || rest.startsWith('::') ? HOST : (simple(rest)[0] ?? HOST);
        }
        if (selector.includes(SLOTTED)) return SLOTTED;
        const bare = selector.replaceAll('&', ':is(*)').replaceAll(':scope', ':is(*)').replace(PSEUDO, '');
        return /(^|[\s>+~])$/.test(bare) ? `${bare}*` : bare;
      });

  /** Adds what a block of declarations can do to those that it is for. */
  const read = (
    /** @type {CSSStyleDeclaration} */ style,
    /** @type {string} */ selector,
    /** @type {Found} */ said,
  ) => {
    for (let index = 0; index < style.length; index += 1) {
      const name = style[index];
      const hides = HIDES[name];
      const moves = MOVES[name];
      const shifts = SHIFTS[name];
      const isGround = name === GROUND;
      if (REACTS[name]?.test(style.getPropertyValue(name))) point(said, selector);
      if (name === 'text-transform' && style.getPropertyValue(name) !== 'none') said.recases = true;
      if (!hides && !moves && !shifts && !isGround && !INK.includes(name)) continue;
      const value = style.getPropertyValue(name);
      if (hides?.(value)) said.hides.add(selector);
      if (name === 'content-visibility' && value !== 'visible') said.skips = true;
      if (name === 'position' && (value === 'absolute' || value === '')) said.places.add(selector);
      if (moves?.(value)) said.moves = true;
      if (shifts?.(value)) said.shifts.add(selector);
      if (isGround) shade(said, selector, 'ground', value);
      else if (INK.includes(name)) shade(said, selector, 'ink', value);
    }
  };
  /** What is so only under the pointer is it as well; what is meant for everything says nothing of anything. */
  const point = (/** @type {Found} */ said, /** @type {string} */ selector) => {
    const always = selector.replaceAll(':hover', ':is(*)');
    if (!/(^|[\s>+~])(\*|:is\(\*\))$/.test(always)) said.points.add(always);
  };
  const shade = (
    /** @type {Found} */ said,
    /** @type {string} */ selector,
    /** @type {'ink' | 'ground'} */ kind,
    /** @type {string} */ value,
  ) => {
    // What is inherited, or lets through what is behind it, changes nothing.
    if (/^(inherit|unset)$/.test(value) || (kind === 'ink' && /^(currentcolor|none)$/i.test(value))) return;
    const colour = page.colour(value);
    if (kind === 'ground' && colour !== null && colour[3] === 0) return;
    said.shades.push({ selector, [kind]: colour });
  };

  /** The shades that letters could vanish by: as faint, unknown, or like one of the other kind. */
  const alike = (/** @type {Shade[]} */ shades) => {
    const distinct = (/** @type {'ink' | 'ground'} */ kind) => [
      ...new Map(shades.flatMap((it) => (it[kind] ? [[it[kind].join(), it[kind]]] : []))).values(),
    ];
    const [inks, grounds] = [distinct('ink'), distinct('ground')];
    const riskyInk = new Set(
      inks.filter((ink) => page.isFaint(ink) || grounds.some((ground) => page.looksLike(ink, ground))).map(String),
    );
    const riskyGround = new Set(
      grounds.filter((ground) => ground[3] < 1 || inks.some((ink) => page.looksLike(ink, ground))).map(String),
    );
    return shades.filter(
      ({ ink, ground }) =>
        ink === null ||
        ground === null ||
        (ink && riskyInk.has(String(ink))) ||
        (ground && riskyGround.has(String(ground))),
    );
  };
})();
