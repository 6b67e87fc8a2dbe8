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
  const PSEUDO = /::?(before|after)$/;

  /**
   * A rule that would show something, were the pointer a person's.
   * @typedef {{ subject: Element, pseudo: string | null, property: string }} Reveal
   */

  page.hiddenUntilHover = (hit) => {
    /** @type {Element[]} */
    const chain = [];
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) if (at instanceof Element) chain.push(at);
    /** @type {Reveal[]} */
    const reveals = [];
    for (const root of new Set(chain.map((element) => own.getRootNode(element)))) {
      if (!(root instanceof Document || root instanceof ShadowRoot)) continue;
      for (const sheet of [...own.styleSheets(root), ...own.adoptedStyleSheets(root)]) {
        for (const rule of rulesOf(sheet)) visit(rule, '', chain, reveals);
      }
    }
    return () => reveals.find(isHidden)?.subject ?? null;
  };

  /** The rules of a sheet of another origin cannot be read. */
  const rulesOf = (/** @type {CSSStyleSheet} */ sheet) => {
    try {
      return sheet.disabled ? [] : [...sheet.cssRules];
    } catch {
      return [];
    }
  };

  const visit = (
    /** @type {CSSRule} */ rule,
    /** @type {string} */ outer,
    /** @type {Element[]} */ chain,
    /** @type {Reveal[]} */ reveals,
  ) => {
    const query = rule instanceof CSSMediaRule ? matchMedia(rule.media.mediaText) : null;
    if (query && !query.matches) return;
    if (rule instanceof CSSImportRule) {
      for (const inner of rule.styleSheet ? rulesOf(rule.styleSheet) : []) visit(inner, outer, chain, reveals);
      return;
    }
    let selector = outer;
    if (rule instanceof CSSStyleRule) {
      // A nested rule stands for what its parent matches.
      selector = outer === '' ? rule.selectorText : rule.selectorText.replaceAll('&', `:is(${outer})`);
      if (selector.includes(':hover')) collect(rule.style, selector, chain, reveals);
    }
    const nested = /** @type {CSSGroupingRule} */ (rule).cssRules;
    for (const inner of nested ?? []) visit(inner, selector, chain, reveals);
  };

  const collect = (
    /** @type {CSSStyleDeclaration} */ style,
    /** @type {string} */ selectors,
    /** @type {Element[]} */ chain,
    /** @type {Reveal[]} */ reveals,
  ) => {
    const properties = Object.keys(HIDES).filter((name) => {
      const value = style.getPropertyValue(name);
      return value !== '' && !HIDES[name](value);
    });
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
