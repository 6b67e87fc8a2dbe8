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
        'assignedSlot',
        'attributes',
        'checkVisibility',
        'childElementCount',
        'clientHeight',
        'clientWidth',
        'closest',
        'getAttribute',
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
    [
      Document,
      [
        'body',
        'caretPositionFromPoint',
        'compatMode',
        'contentType',
        'createElement',
        'createRange',
        'createTreeWalker',
        'documentElement',
        'execCommand',
        'getElementsByTagName',
        'hasFocus',
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
    [[HTMLElement], ['blur', 'click', 'contentEditable', 'focus', 'innerText', 'isContentEditable', 'style']],
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
  page.own = /** @type {BproxyOwn} */ (/** @type {unknown} */ (own));
})();
