/** Elements: finding them, through shadow roots too, their place in the tree, their visibility, their description. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** What tells of the whole page, with handles. */
  const LOOK = 'bproxy snapshot';

  // ---- Finding ----

  page.query = (selector, root = document) => {
    try {
      return [...own.querySelectorAll(root, selector)];
    } catch {
      const message = `${JSON.stringify(selector)} is not a valid CSS selector: act by a handle, or see what is on the page`;
      return page.fail('SCRIPT_ERROR', message, undefined, LOOK);
    }
  };

  const one = (/** @type {Element[]} */ found, /** @type {string} */ what) => {
    if (found.length === 0) page.fail('ELEMENT_NOT_FOUND', `nothing on the page matches ${what}`);
    if (found.length > 1) {
      page.fail('SELECTOR_AMBIGUOUS', `${found.length} elements match ${what}: use a selector that fits one of them`, {
        count: found.length,
      });
    }
    return found[0];
  };

  /** Exactly one element, or a failure that says how many there are. */
  page.resolve = (target) => {
    if ('selector' in target) return one(page.query(target.selector), `the selector ${target.selector}`);
    if ('handle' in target) return page.handled(target.handle);
    if ('find' in target) return page.described(target.find);
    /** @type {Document | ShadowRoot} */
    let root = document;
    for (const { selector, index } of target.route.hosts) {
      const hosts = page.query(selector, root);
      const host =
        index === undefined
          ? one(hosts, `the host ${selector}`)
          : one(hosts.slice(index, index + 1), `the host ${selector} at index ${index}`);
      root = own.anyShadowRoot(host) ?? page.fail('ELEMENT_NOT_FOUND', `${page.describe(host)} has no shadow root`);
    }
    return one(page.query(target.route.target, root), `the route’s target ${target.route.target}`);
  };

  /** The elements that a read covers: each match of its selector once; without a selector, the document. */
  page.scopes = (selector) => {
    if (selector === undefined) {
      const root = own.documentElement(document);
      return root ? [root] : [];
    }
    const found = page.query(selector);
    if (found.length === 0) return page.missing(`nothing on the page matches the selector ${selector}`);
    const chosen = new Set(found);
    return found.filter((element) => {
      for (let above = own.parentElement(element); above; above = own.parentElement(above)) {
        if (chosen.has(above)) return false;
      }
      return true;
    });
  };

  /** All elements below `root` that match, itself included, shadow roots too, in document order. */
  page.findAll = (root, selector) => {
    /** @type {Element[]} */
    const found = root instanceof Element && own.matches(root, selector) ? [root] : [];
    const rootsShadow = root instanceof Element ? own.shadowRoot(root) : null;
    if (!rootsShadow && page.hosts().length === 0) return found.concat([...own.querySelectorAll(root, selector)]);
    /** The trees that the search is in, each inside the one before. */
    const trees = [iteratorOf(root)];
    if (rootsShadow) trees.push(iteratorOf(rootsShadow));
    for (let tree = trees.at(-1); tree; tree = trees.at(-1)) {
      const { done, value: element } = tree.next();
      if (done) {
        trees.pop();
        continue;
      }
      if (own.matches(element, selector)) found.push(element);
      const shadow = own.shadowRoot(element);
      if (shadow) trees.push(iteratorOf(shadow));
    }
    return found;
  };
  const iteratorOf = (/** @type {Element | ShadowRoot} */ root) => own.querySelectorAll(root, '*')[Symbol.iterator]();

  page.children = (node) => {
    const shadow = node instanceof Element ? own.shadowRoot(node) : null;
    if (shadow) return [...own.childNodes(shadow)];
    if (node instanceof HTMLSlotElement) {
      const assigned = node.assignedNodes({ flatten: true });
      if (assigned.length > 0) return assigned;
    }
    return [...own.childNodes(node)];
  };

  /** The parent in the flat tree. */
  page.parent = (node) => {
    const slot = node instanceof Element || node instanceof Text ? own.assignedSlot(node) : null;
    const parent = slot ?? own.parentNode(node);
    return parent instanceof ShadowRoot ? parent.host : parent;
  };

  page.holds = (element, node) => {
    for (let at = /** @type {Node | null} */ (node); at; at = page.parent(at)) if (at === element) return true;
    return false;
  };

  page.walk = (root, enter, leave) => {
    /** @type {{ node: Node, below: Node[], next: number }[]} */
    const path = [];
    const visit = (/** @type {Node} */ node) => {
      if (enter(node)) path.push({ node, below: page.children(node), next: 0 });
    };
    visit(root);
    for (let at = path.at(-1); at; at = path.at(-1)) {
      if (at.next < at.below.length) {
        visit(at.below[at.next++]);
      } else {
        path.pop();
        leave?.(at.node);
      }
    }
  };

  // ---- Visibility ----

  /** What an element is drawn by: an area of an image map has no box of its own. */
  const drawnBy = (/** @type {Element} */ element) =>
    element instanceof HTMLAreaElement ? page.imageOf(element) : element;

  /** Rendered at all: neither it nor an ancestor is hidden by style. */
  page.rendered = (element) => {
    const drawn = drawnBy(element);
    if (drawn === null) return false;
    for (let at = /** @type {Node | null} */ (drawn); at instanceof Element; at = page.parent(at)) {
      if (own.checkVisibility(at, { visibilityProperty: true })) return true;
      // An element with `display: contents`, such as a slot, has no box of its own: its contents are drawn in its place.
      const { display, visibility } = getComputedStyle(at);
      if (display !== 'contents' || visibility !== 'visible') return false;
    }
    return true;
  };

  page.laidOut = (element) => {
    const drawn = drawnBy(element);
    if (drawn === null) return false;
    for (let at = /** @type {Node | null} */ (drawn); at instanceof Element; at = page.parent(at)) {
      if (own.checkVisibility(at)) return true;
      if (getComputedStyle(at).display !== 'contents') return false;
    }
    return true;
  };

  /** Rendered with an area, so that a person could see it. */
  page.visible = (element) => {
    if (!page.rendered(element)) return false;
    const { width, height } =
      element instanceof HTMLAreaElement ? page.box(element) : own.getBoundingClientRect(element);
    return width > 0 && height > 0;
  };

  page.collapse = (text) => (/^\s|\s\s|[^\S ]|\s$/.test(text) ? text.replace(/\s+/g, ' ').trim() : text);
  page.matcher = (wanted = '') => {
    const folded = page.collapse(wanted).toLowerCase();
    return (...texts) => texts.some((text) => text && page.collapse(text).toLowerCase().includes(folded));
  };
  page.shorten = (text, length) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

  /** An element in a few words, for messages. */
  page.describe = (element) => {
    const ownId = own.id(element);
    const id = ownId ? ` id="${ownId}"` : '';
    const css = own.getAttribute(element, 'class')?.trim();
    const text = page.shorten(page.collapse(page.textOf(element)), 40);
    return `<${own.localName(element)}${id}${css ? ` class="${page.shorten(css, 60)}"` : ''}>${text ? ` “${text}”` : ''}`;
  };
})();
