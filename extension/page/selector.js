/**
 * Targets that lead back to exactly one element: a short selector, or a route through open shadow roots. Unique by
 * construction: no candidate has to be tested on the page.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Attributes that developers chose deliberately survive a change of layout. */
  const ATTRIBUTES = ['data-testid', 'data-test', 'data-cy', 'name', 'aria-label', 'href', 'for'];
  const NAMED = ['id', ...ATTRIBUTES].map((name) => `[${name}]`).join(', ');
  /** A longer value makes a worse selector than the position. */
  const VALUE_MAX = 80;
  /** Ids that a framework counts or generates at random differ after the next load. */
  const GENERATED_ID = /^(:.*:|.*\d{4,}.*|(radix|headlessui|react|mui|ember|ext)[-_:].*|.*[0-9a-f]{8}-[0-9a-f]{4}.*)$/i;

  const quote = (/** @type {string} */ value) => {
    const escaped = value
      .replace(/["\\]/g, '\\$&')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a CSS string must escape control characters.
      .replace(/[\0-\x1f\x7f]/g, (c) => (c === '\0' ? '\ufffd' : `\\${c.charCodeAt(0).toString(16)} `));
    return `"${escaped}"`;
  };

  /** In quirks mode ids match whatever their case. */
  const fold = (/** @type {string} */ id) => (document.compatMode === 'BackCompat' ? id.toLowerCase() : id);

  const names = (/** @type {Element} */ element) => {
    /** @type {string[]} */
    const found = [];
    const id = page.own.id(element);
    if (id) found.push(`#${fold(id)}`);
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (value && value.length <= VALUE_MAX) found.push(`${element.localName}\n${name}\n${value}`);
    }
    return found;
  };

  const written = (/** @type {Element} */ element, /** @type {string} */ key) => {
    if (key.startsWith('#')) return `#${CSS.escape(page.own.id(element))}`;
    const [tag, name, ...value] = key.split('\n');
    return `${CSS.escape(tag)}[${name}=${quote(value.join('\n'))}]`;
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
      for (const element of root.querySelectorAll(NAMED)) {
        for (const name of names(element)) known.set(name, (known.get(name) ?? 0) + 1);
      }
      counts.set(root, known);
      return known;
    };

    const place = (/** @type {Element} */ element) => {
      const parent = /** @type {Node} */ (page.own.parentNode(element));
      const children = page.own.children(parent);
      let known = places.get(parent);
      if (!known) {
        known = new Map();
        /** @type {Map<string, number>} */
        const tags = new Map();
        for (const child of children) tags.set(child.localName, (tags.get(child.localName) ?? 0) + 1);
        let index = 0;
        for (const child of children) {
          index += 1;
          known.set(child, [index, tags.get(child.localName) === 1]);
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
    const selector = (/** @type {Element} */ element) => {
      const known =
        found.get(element) ??
        ownName(element, count(/** @type {Document | ShadowRoot} */ (element.getRootNode()))) ??
        path(element);
      found.set(element, known);
      return known;
    };

    /** @type {(element: Element) => string} */
    const path = (element) => {
      const [index, alone] = place(element);
      const step = CSS.escape(element.localName) + (alone ? '' : `:nth-child(${index})`);
      const parent = page.own.parentNode(element);
      if (parent instanceof Element) return `${selector(parent)} > ${step}`;
      // The root of a tree has no parent element.
      return parent === document ? 'html' : `:host > ${step}`;
    };

    /** @type {BproxyNamer} */
    return (element) => {
      const hosts = [];
      let root = element.getRootNode();
      while (root instanceof ShadowRoot) {
        hosts.unshift({ selector: selector(root.host) });
        root = root.host.getRootNode();
      }
      const target = selector(element);
      return hosts.length === 0 ? { selector: target } : { route: { hosts, target } };
    };
  };
})();
