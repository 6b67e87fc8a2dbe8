/**
 * The DOM's own properties and methods, as functions of the node. A page can take their place on the node itself: the
 * fields of a form, and the images, forms and frames of a document, become properties of it by their names, before those
 * of its interface. Where a field is named `children`, `form.children` is that field; `page.own.children(form)` is not.
 * So no other page script uses a member of these interfaces on a node.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { bind, call } = Function.prototype;

  /** A method or getter as a function whose first argument is `this`. @returns {any} */
  const free = (/** @type {{ prototype: object }} */ { prototype }, /** @type {string} */ name) => {
    const { get, value } = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(prototype, name));
    return bind.call(call, get ?? value);
  };

  /** The members that each interface declares. @type {[{ prototype: object }, string[]][]} */
  const MEMBERS = [
    [EventTarget, ['addEventListener', 'dispatchEvent', 'removeEventListener']],
    [
      Node,
      [
        'baseURI',
        'childNodes',
        'cloneNode',
        'compareDocumentPosition',
        'contains',
        'firstChild',
        'getRootNode',
        'hasChildNodes',
        'isConnected',
        'nextSibling',
        'nodeType',
        'parentElement',
        'parentNode',
        'textContent',
      ],
    ],
    [
      Element,
      [
        'animate',
        'assignedSlot',
        'attributes',
        'checkVisibility',
        'childElementCount',
        'clientHeight',
        'clientLeft',
        'clientTop',
        'clientWidth',
        'closest',
        'getAttribute',
        'getAttributeNames',
        'getBoundingClientRect',
        'getClientRects',
        'hasAttribute',
        'id',
        'localName',
        'matches',
        'nextElementSibling',
        'previousElementSibling',
        'scrollBy',
        'scrollHeight',
        'scrollIntoView',
        'scrollLeft',
        'scrollTop',
        'scrollWidth',
        'shadowRoot',
      ],
    ],
    [HTMLFormElement, ['requestSubmit', 'submit']],
    [
      Document,
      [
        'body',
        'caretPositionFromPoint',
        'compatMode',
        'contentType',
        'createElement',
        'createEvent',
        'createRange',
        'createTreeWalker',
        'documentElement',
        'execCommand',
        'getElementsByTagName',
        'hasFocus',
        'queryCommandEnabled',
        'readyState',
        'scrollingElement',
        'title',
        'visibilityState',
      ],
    ],
  ];
  /**
   * Members that nodes of other interfaces have too: shadow roots, drawings and formulas, which have no named
   * properties. Captured from the interfaces listed, they are used directly on all other nodes.
   * @type {[{ prototype: object }[], string[]][]}
   */
  const SHARED = [
    [
      [HTMLElement],
      [
        'blur',
        'click',
        'contentEditable',
        'focus',
        'innerText',
        'isContentEditable',
        'offsetHeight',
        'offsetWidth',
        'style',
      ],
    ],
    [
      [Element, Document],
      ['append', 'children', 'querySelector', 'querySelectorAll', 'replaceChildren'],
    ],
    [
      [Document],
      ['activeElement', 'adoptedStyleSheets', 'elementFromPoint', 'getAnimations', 'getElementById', 'styleSheets'],
    ],
  ];

  /** @type {Record<string, (node: Node, ...rest: any[]) => any>} */
  const own = {};
  for (const [declares, names] of MEMBERS) for (const name of names) own[name] = free(declares, name);

  /** @param {any[]} interfaces @param {string} name */
  const shared = (interfaces, name) => {
    const declared = interfaces.map((it) => [it, free(it, name)]);
    return (/** @type {any} */ node, /** @type {unknown[]} */ ...rest) => {
      for (const [it, member] of declared) if (node instanceof it) return member(node, ...rest);
      return typeof node[name] === 'function' ? node[name](...rest) : node[name];
    };
  };
  for (const [interfaces, names] of SHARED) for (const name of names) own[name] = shared(interfaces, name);

  // ---- Windows of frames ----

  const windows = [HTMLIFrameElement, HTMLFrameElement, HTMLObjectElement]
    .filter(({ prototype }) => 'contentWindow' in prototype)
    .map((it) => ({ it, inner: free(it, 'contentWindow') }));
  own.contentWindow = (element) => windows.find(({ it }) => element instanceof it)?.inner(element) ?? null;

  // ---- Shadow roots, closed ones too ----

  /** The browser's own elements that may have a shadow root of the page's. */
  const HOSTS = new Set(
    'article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span'.split(' '),
  );
  /** How many of these are asked in one command: asking takes microseconds, and a large page has very many. */
  const ASKED_MAX = 1_000;
  /** How many empty ones are asked again. */
  const AGAIN_MAX = 200;
  const openRoot = own.shadowRoot;
  const openSlot = own.assignedSlot;
  /** @type {WeakMap<Node, ShadowRoot>} */
  const closedRoots = new WeakMap();
  let anyClosed = false;
  /** Those that had none when they were asked: with contents of their own they hardly get one later. @type {WeakSet<Element>} */
  const without = new WeakSet();

  /** Whether an element may have a closed shadow root that is not known. */
  const mayHave = (/** @type {Element} */ element) => {
    const name = own.localName(element);
    return element instanceof HTMLElement && (HOSTS.has(name) || name.includes('-'));
  };
  const ask = (/** @type {Element} */ element) => {
    // It throws for drawings, and never gives a root of the browser's own, such as a video's.
    const root = chrome.dom?.openOrClosedShadowRoot(/** @type {HTMLElement} */ (element)) ?? null;
    if (root) closedRoots.set(element, root);
    else without.add(element);
    anyClosed ||= root !== null;
    return root;
  };

  own.shadowRoot = (node) => {
    const element = /** @type {Element} */ (node);
    const root = openRoot(element) ?? (anyClosed ? (closedRoots.get(element) ?? null) : null);
    if (root !== null || page.hostList !== null || without.has(element) || !mayHave(element)) return root;
    return ask(element);
  };

  own.anyShadowRoot = (node) => {
    const element = /** @type {Element} */ (node);
    return own.shadowRoot(element) ?? (mayHave(element) ? ask(element) : null);
  };

  page.hosts = () => {
    if (page.hostList !== null) return page.hostList;
    /** @type {Element[]} */
    const hosts = [];
    let left = ASKED_MAX;
    /** @type {Element[]} those that may have got one since they were asked */
    const again = [];
    const rootOf = (/** @type {Element} */ element) => {
      const known = openRoot(element) ?? (anyClosed ? closedRoots.get(element) : null);
      if (known || !mayHave(element)) return known;
      if (own.localName(element).includes('-')) return ask(element);
      if (without.has(element)) {
        if (again.length < AGAIN_MAX && !own.hasChildNodes(element)) again.push(element);
        return null;
      }
      if (left <= 0) return null;
      left -= 1;
      return ask(element);
    };
    const visit = (/** @type {Document | ShadowRoot} */ tree) => {
      for (const element of own.querySelectorAll(tree, '*')) found(element, rootOf(element));
    };
    const found = (/** @type {Element} */ host, /** @type {ShadowRoot | null | undefined} */ root) => {
      if (!root) return;
      hosts.push(host);
      visit(root);
    };
    visit(document);
    for (const element of again.slice(0, left)) found(element, ask(element));
    page.hostList = hosts;
    return hosts;
  };

  own.assignedSlot = (node) => {
    const slot = node instanceof Text ? node.assignedSlot : openSlot(node);
    if (slot || !anyClosed) return slot;
    const parent = own.parentNode(node);
    const root = parent && closedRoots.get(parent);
    for (const inner of root?.querySelectorAll('slot') ?? []) if (inner.assignedNodes().includes(node)) return inner;
    return null;
  };

  page.own = /** @type {BproxyOwn} */ (/** @type {unknown} */ (own));
})();
