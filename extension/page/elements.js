/** Elements: finding them, through open shadow roots too, their place in the tree, their visibility, their description. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  // ---- Finding ----

  page.query = (selector, root = document) => {
    try {
      return [...root.querySelectorAll(selector)];
    } catch {
      return page.fail('SCRIPT_ERROR', `${JSON.stringify(selector)} is not a valid CSS selector`);
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
    /** @type {Document | ShadowRoot} */
    let root = document;
    for (const { selector, index } of target.route.hosts) {
      const hosts = page.query(selector, root);
      const host =
        index === undefined
          ? one(hosts, `the host ${selector}`)
          : one(hosts.slice(index, index + 1), `the host ${selector} at index ${index}`);
      root = host.shadowRoot ?? page.fail('ELEMENT_NOT_FOUND', `${page.describe(host)} has no open shadow root`);
    }
    return one(page.query(target.route.target, root), `the route’s target ${target.route.target}`);
  };

  /** The elements that a read covers: each match of its selector once; without a selector, the document. */
  page.scopes = (selector) => {
    if (selector === undefined) return document.documentElement ? [document.documentElement] : [];
    const found = page.query(selector);
    if (found.length === 0) page.fail('ELEMENT_NOT_FOUND', `nothing on the page matches the selector ${selector}`);
    const chosen = new Set(found);
    return found.filter((element) => {
      for (let above = page.own.parentElement(element); above; above = page.own.parentElement(above)) {
        if (chosen.has(above)) return false;
      }
      return true;
    });
  };

  /** All elements below `root` that match, itself included, open shadow roots too, in document order. */
  page.findAll = (root, selector) => {
    /** @type {Element[]} */
    const found = [];
    const visit = (/** @type {Element | ShadowRoot} */ from) => {
      if (from instanceof Element && from.matches(selector)) found.push(from);
      if (from instanceof Element && from.shadowRoot) visit(from.shadowRoot);
      const hosts = [...from.querySelectorAll('*')].filter((element) => element.shadowRoot);
      if (hosts.length === 0) return void found.push(...from.querySelectorAll(selector));
      for (const element of from.querySelectorAll('*')) {
        if (element.matches(selector)) found.push(element);
        if (element.shadowRoot) visit(element.shadowRoot);
      }
    };
    visit(root);
    return found;
  };

  // ---- An element's own properties ----

  /** @param {object} prototype @param {string} name @returns {(node: Node) => any} */
  const getter = (prototype, name) => {
    const { get } = /** @type {{ get: () => unknown }} */ (Object.getOwnPropertyDescriptor(prototype, name));
    return (node) => get.call(node);
  };
  const childrenOf = getter(Element.prototype, 'children');
  // A form's fields shadow its properties: where one is named `children`, `form.children` is that field.
  page.own = {
    getAttribute: (element, name) => Element.prototype.getAttribute.call(element, name),
    closest: (element, selector) => Element.prototype.closest.call(element, selector),
    getRootNode: (node, options) => Node.prototype.getRootNode.call(node, options),
    id: getter(Element.prototype, 'id'),
    attributes: getter(Element.prototype, 'attributes'),
    children: (node) => (node instanceof Element ? childrenOf(node) : /** @type {ParentNode & Node} */ (node).children),
    childNodes: getter(Node.prototype, 'childNodes'),
    parentNode: getter(Node.prototype, 'parentNode'),
    parentElement: getter(Node.prototype, 'parentElement'),
    textContent: getter(Node.prototype, 'textContent'),
  };

  /** The children in the flat tree: a host has its shadow tree, a slot what is assigned to it. */
  page.children = (node) => {
    if (node instanceof Element && node.shadowRoot) return [...node.shadowRoot.childNodes];
    if (node instanceof HTMLSlotElement) {
      const assigned = node.assignedNodes({ flatten: true });
      if (assigned.length > 0) return assigned;
    }
    return [...page.own.childNodes(node)];
  };

  /** The parent in the flat tree. */
  page.parent = (node) => {
    const parent = /** @type {Element} */ (node).assignedSlot ?? page.own.parentNode(node);
    return parent instanceof ShadowRoot ? parent.host : parent;
  };

  // ---- Visibility ----

  /** Rendered at all: neither it nor an ancestor is hidden by style. */
  page.rendered = (element) => {
    if (element.checkVisibility({ visibilityProperty: true })) return true;
    // An element with `display: contents`, such as a slot, has no box of its own: its contents are drawn in its place.
    const { display, visibility } = getComputedStyle(element);
    if (display !== 'contents' || visibility !== 'visible') return false;
    const parent = page.parent(element);
    return !(parent instanceof Element) || page.rendered(parent);
  };

  /** Rendered with an area, so that a person could see it. */
  page.visible = (element) => {
    if (!page.rendered(element)) return false;
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0;
  };

  page.collapse = (text) => text.replace(/\s+/g, ' ').trim();
  page.shorten = (text, length) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

  /** An element in a few words, for messages. */
  page.describe = (element) => {
    const ownId = page.own.id(element);
    const id = ownId ? ` id="${ownId}"` : '';
    const css = element.getAttribute('class')?.trim();
    const text = page.shorten(page.collapse(page.own.textContent(element)), 40);
    return `<${element.localName}${id}${css ? ` class="${page.shorten(css, 60)}"` : ''}>${text ? ` “${text}”` : ''}`;
  };
})();
