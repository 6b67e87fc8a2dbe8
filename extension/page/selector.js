/**
 * Targets that lead back to exactly one element: a short selector, or a route through open shadow roots. Unique by
 * construction: no candidate has to be tested on the page.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Attributes that developers chose deliberately survive a change of layout. */
  const ATTRIBUTES = ['data-testid', 'data-test', 'data-cy', 'name', 'aria-label', 'href', 'for'];
  const NAMED = ['id', ...ATTRIBUTES].map((name) => `[${name}]`).join(', ');
  /** A longer value makes a worse selector than the position. */
  const VALUE_MAX = 80;
  /** Ids that a framework counts or generates at random differ after the next load. */
  const GENERATED_ID = /^(:.*:|.*\d{4,}.*|(radix|headlessui|react|mui|ember|ext)[-_:].*|.*[0-9a-f]{8}-[0-9a-f]{4}.*)$/i;

  /** Characters that CSS or a reader would not take for themselves are written as CSS escapes. */
  const visible = (/** @type {string} */ css) =>
    css.replace(/[\p{Cc}\p{Bidi_C}\u{e0000}-\u{e007f}]/gu, (c) =>
      c === '\0' ? '\ufffd' : `\\${c.codePointAt(0)?.toString(16)} `,
    );
  /** Answers leave secrets out of addresses: a selector by such an address would find nothing. */
  const MAY_BE_CUT =
    /[?&#;][\w.-]*(token|secret|pass|pwd|signature|credential|jwt|otp|key|sid|session|code|sig|auth|hash|state|nonce|ticket|sign)[\w.-]*=|:\/\/[^/]*@/i;

  const quote = (/** @type {string} */ value) => `"${visible(value.replace(/["\\]/g, '\\$&'))}"`;

  /** In quirks mode ids match whatever their case. */
  const fold = (/** @type {string} */ id) => (own.compatMode(document) === 'BackCompat' ? id.toLowerCase() : id);

  const names = (/** @type {Element} */ element) => {
    /** @type {string[]} */
    const found = [];
    const id = own.id(element);
    if (id) found.push(`#${fold(id)}`);
    for (const name of ATTRIBUTES) {
      const value = own.getAttribute(element, name);
      if (value && value.length <= VALUE_MAX && !MAY_BE_CUT.test(value))
        found.push(`${own.localName(element)}\n${name}\n${value}`);
    }
    return found;
  };

  const written = (/** @type {Element} */ element, /** @type {string} */ key) => {
    if (key.startsWith('#')) return `#${visible(CSS.escape(own.id(element)))}`;
    const [tag, name, ...value] = key.split('\n');
    return `${visible(CSS.escape(tag))}[${name}=${quote(value.join('\n'))}]`;
  };

  page.selectorList = (list) => {
    const found = [''];
    let depth = 0;
    for (const char of list) {
      depth += char === '(' || char === '[' ? 1 : char === ')' || char === ']' ? -1 : 0;
      if (char === ',' && depth === 0) found.push('');
      else found[found.length - 1] += char;
    }
    return found.map((selector) => selector.trim());
  };

  /** A namer sees the page as it is when it is made: one per command. */
  page.namer = () => {
    /** @type {Map<Node, Map<string, number>>} how often each name occurs, per tree */
    const counts = new Map();
    /** @type {Map<Node, Map<Element, [index: number, alone: boolean]>>} */
    const places = new Map();

    const count = (/** @type {Document | ShadowRoot} */ root) => {
      let known = counts.get(root);
      if (known) return known;
      known = new Map();
      for (const element of own.querySelectorAll(root, NAMED)) {
        for (const name of names(element)) known.set(name, (known.get(name) ?? 0) + 1);
      }
      counts.set(root, known);
      return known;
    };

    const place = (/** @type {Element} */ element) => {
      const parent = /** @type {Node & ParentNode} */ (own.parentNode(element));
      const children = own.children(parent);
      let known = places.get(parent);
      if (!known) {
        known = new Map();
        /** @type {Map<string, number>} */
        const tags = new Map();
        for (const child of children) tags.set(own.localName(child), (tags.get(own.localName(child)) ?? 0) + 1);
        let index = 0;
        for (const child of children) {
          index += 1;
          known.set(child, [index, tags.get(own.localName(child)) === 1]);
        }
        places.set(parent, known);
      }
      return /** @type {[number, boolean]} */ (known.get(element));
    };

    const ownName = (/** @type {Element} */ element, /** @type {Map<string, number>} */ known) => {
      const unique = names(element).filter((name) => known.get(name) === 1);
      const best = unique.find((name) => !GENERATED_ID.test(name.slice(1)) || !name.startsWith('#')) ?? unique[0];
      return best === undefined ? null : written(element, best);
    };

    /** @type {Map<Element, string>} neighbours share most of their ancestors */
    const found = new Map();
    /** Up to an element that has a name of its own, or the root, then back down by positions. */
    const selector = (/** @type {Element} */ element) => {
      /** @type {Element[]} */
      const unnamed = [];
      let known = '';
      for (let at = /** @type {Node | null} */ (element); !known; at = own.parentNode(at)) {
        if (!(at instanceof Element)) {
          // The root of a tree has no parent element.
          known = at === document ? '' : ':host';
          break;
        }
        known = found.get(at) ?? ownName(at, count(/** @type {Document | ShadowRoot} */ (own.getRootNode(at)))) ?? '';
        if (known) found.set(at, known);
        else unnamed.push(at);
      }
      for (const at of unnamed.reverse()) {
        const [index, alone] = place(at);
        const step = CSS.escape(own.localName(at)) + (alone ? '' : `:nth-child(${index})`);
        known = known ? `${known} > ${step}` : 'html';
        found.set(at, known);
      }
      return known;
    };

    /** @type {BproxyNamer} */
    return (element) => {
      const hosts = [];
      let root = own.getRootNode(element);
      while (root instanceof ShadowRoot) {
        hosts.unshift({ selector: selector(root.host) });
        root = own.getRootNode(root.host);
      }
      const target = selector(element);
      return hosts.length === 0 ? { selector: target } : { route: { hosts, target } };
    };
  };
})();
