/**
 * What a page shows only by CSS `:hover`: no script can set that state, so that an act which relies on it has to say so.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Whether a computed or declared value of a property hides the element. @type {Record<string, (value: string) => boolean>} */
  const HIDES = {
    display: (value) => value === 'none',
    visibility: (value) => value === 'hidden' || value === 'collapse',
    opacity: (value) => Number.parseFloat(value) < 0.1,
    height: (value) => Number.parseFloat(value) === 0,
    'max-height': (value) => Number.parseFloat(value) === 0,
    transform: (value) => value.startsWith('matrix(0, 0, 0, 0') || /^scale\(0\)/.test(value),
  };
  /** The same, and what keeps a mouse out. */
  /** @type {typeof HIDES} */
  const BARS = { ...HIDES, 'pointer-events': (/** @type {string} */ value) => value === 'none' };
  const PSEUDO = /::?(before|after)$/;

  /**
   * A rule that would show something, were the pointer a person's.
   * @typedef {{ subject: Element, pseudo: string | null, property: string }} Reveal
   */

  page.hiddenUntilHover = (hit) => {
    const chain = chainOf(hit);
    /** @type {Reveal[]} */
    const reveals = [];
    unread = false;
    eachRule(chain, (style, selector) => collect(style, selector, chain, reveals));
    // What a sheet that cannot be read would show is one of what is hidden near the pointer.
    const near = unread ? hiddenNear(chain) : [];
    return () => {
      const element = reveals.find(isHidden)?.subject;
      if (element) return { element, guessed: false };
      return near.length > 0 && near.every(isGone) ? { element: near[0], guessed: true } : null;
    };
  };

  page.waitsForHover = (element) => {
    const chain = chainOf(element);
    let waits = false;
    eachRule(chain, (style, selectors) => {
      const properties = revealed(style, BARS);
      if (waits || properties.length === 0) return;
      for (const selector of page.selectorList(selectors)) {
        if (!selector.includes(':hover') || PSEUDO.test(selector)) continue;
        const whole = selector.replaceAll(':hover', ':is(*)');
        const subject = chain.find((it) => matches(it, whole));
        waits ||=
          subject !== undefined &&
          properties.some((property) => BARS[property](getComputedStyle(subject).getPropertyValue(property)));
      }
    });
    return waits;
  };

  /** An element and those around it. */
  const chainOf = (/** @type {Element} */ element) => {
    /** @type {Element[]} */
    const chain = [];
    for (let at = /** @type {Node | null} */ (element); at; at = page.parent(at))
      if (at instanceof Element) chain.push(at);
    return chain;
  };

  /** Calls `each` with every rule on `:hover` of the trees that these elements are in. */
  const eachRule = (
    /** @type {Element[]} */ chain,
    /** @type {(style: CSSStyleDeclaration, selectors: string) => void} */ each,
  ) => {
    for (const root of new Set(chain.map((element) => own.getRootNode(element)))) {
      if (!(root instanceof Document || root instanceof ShadowRoot)) continue;
      for (const sheet of [...own.styleSheets(root), ...own.adoptedStyleSheets(root)]) {
        for (const rule of rulesOf(sheet)) visit(rule, '', each);
      }
    }
  };

  const matches = (/** @type {Element} */ element, /** @type {string} */ selector) => {
    try {
      return own.matches(element, selector);
    } catch {
      // Not a selector for elements, such as one with another pseudo-element.
      return false;
    }
  };

  /** How far up from what is hit, and how many elements at most, something hidden is looked for. */
  const NEAR_LEVELS = 3;
  const NEAR_MAX = 200;

  const hiddenNear = (/** @type {Element[]} */ chain) => {
    /** @type {Element[]} */
    const found = [];
    for (const element of chain.slice(0, NEAR_LEVELS)) {
      if (own.matches(element, 'body, html, main, ul, ol, nav, table, tr, form')) break;
      const beside = own.nextElementSibling(element);
      const all = [...own.querySelectorAll(element, '*'), ...(beside ? [beside] : [])];
      for (const hidden of all.slice(0, NEAR_MAX)) {
        if (own.matches(hidden, 'script, style, template, noscript, [hidden], [aria-hidden="true"], svg *, option'))
          continue;
        if (!found.some((it) => own.contains(it, hidden)) && isGone(hidden)) found.push(hidden);
      }
    }
    return found;
  };
  const isGone = (/** @type {Element} */ element) =>
    own.isConnected(element) && !own.checkVisibility(element, { visibilityProperty: true, opacityProperty: true });

  /** Whether there is a sheet whose rules cannot be read: one of another origin. */
  let unread = false;
  const rulesOf = (/** @type {CSSStyleSheet} */ sheet) => {
    try {
      return sheet.disabled ? [] : [...sheet.cssRules];
    } catch {
      unread = true;
      return [];
    }
  };

  const visit = (
    /** @type {CSSRule} */ rule,
    /** @type {string} */ outer,
    /** @type {(style: CSSStyleDeclaration, selectors: string) => void} */ each,
  ) => {
    const query = rule instanceof CSSMediaRule ? matchMedia(rule.media.mediaText) : null;
    if (query && !query.matches) return;
    if (rule instanceof CSSImportRule) {
      for (const inner of rule.styleSheet ? rulesOf(rule.styleSheet) : []) visit(inner, outer, each);
      return;
    }
    let selector = outer;
    if (rule instanceof CSSStyleRule) {
      // A nested rule stands for what its parent matches.
      selector = outer === '' ? rule.selectorText : rule.selectorText.replaceAll('&', `:is(${outer})`);
      if (selector.includes(':hover')) each(rule.style, selector);
    }
    const nested = /** @type {CSSGroupingRule} */ (rule).cssRules;
    for (const inner of nested ?? []) visit(inner, selector, each);
  };

  /** The properties by which a rule may show what is hidden. */
  const revealed = (/** @type {CSSStyleDeclaration} */ style, hides = HIDES) =>
    Object.keys(hides).filter((name) => {
      const value = style.getPropertyValue(name);
      return value !== '' && !hides[name](value);
    });

  const collect = (
    /** @type {CSSStyleDeclaration} */ style,
    /** @type {string} */ selectors,
    /** @type {Element[]} */ chain,
    /** @type {Reveal[]} */ reveals,
  ) => {
    const properties = revealed(style);
    if (properties.length === 0) return;
    for (const selector of page.selectorList(selectors)) {
      if (!selector.includes(':hover') || selector.includes(':has(')) continue;
      const pseudo = PSEUDO.exec(selector)?.[1] ?? null;
      const whole = selector.replace(PSEUDO, '').replaceAll(':hover', ':is(*)');
      const hovered = upToHover(selector.replace(PSEUDO, '')).replaceAll(':hover', ':is(*)');
      for (const subject of subjects(chain, hovered, whole)) {
        for (const property of properties) reveals.push({ subject, pseudo: pseudo && `::${pseudo}`, property });
      }
    }
  };

  /** What `whole` matches, at or below (or beside) one of the hovered elements. */
  const subjects = (/** @type {Element[]} */ chain, /** @type {string} */ hovered, /** @type {string} */ whole) => {
    try {
      return chain
        .filter((element) => own.matches(element, hovered))
        .flatMap((element) => {
          if (hovered === whole) return [element];
          const beside = /^\s*[+~]/.test(whole.slice(hovered.length));
          const around = beside ? own.parentElement(element) : element;
          return [...(around ? own.querySelectorAll(around, whole) : [])];
        });
    } catch {
      // Not a selector for elements, such as one with another pseudo-element.
      return [];
    }
  };

  /** A selector up to the end of the part with the last `:hover`. */
  const upToHover = (/** @type {string} */ selector) => {
    const last = selector.lastIndexOf(':hover');
    let depth = 0;
    for (let at = 0; at < selector.length; at += 1) {
      const char = selector[at];
      depth += char === '(' || char === '[' ? 1 : char === ')' || char === ']' ? -1 : 0;
      if (at > last && depth === 0 && /[\s>+~]/.test(char)) return selector.slice(0, at);
    }
    return selector;
  };

  const isHidden = (/** @type {Reveal} */ { subject, pseudo, property }) => {
    if (!own.isConnected(subject)) return false;
    const style = getComputedStyle(subject, pseudo);
    // A pseudo-element without a text is an ornament.
    if (pseudo !== null && /^(none|normal|""|)$/.test(style.content)) return false;
    return HIDES[property](style.getPropertyValue(property));
  };
})();
