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
        'clientHeight',
        'closest',
        'getAttribute',
        'getBoundingClientRect',
        'getClientRects',
        'hasAttribute',
        'id',
        'localName',
        'matches',
        'scrollBy',
        'scrollHeight',
        'scrollIntoView',
        'scrollTop',
        'shadowRoot',
      ],
    ],
    [HTMLElement, ['click', 'focus', 'innerText', 'isContentEditable']],
    [
      Document,
      [
        'activeElement',
        'body',
        'compatMode',
        'contentType',
        'createElement',
        'createRange',
        'createTreeWalker',
        'documentElement',
        'execCommand',
        'getElementsByTagName',
        'readyState',
        'scrollingElement',
        'title',
        'visibilityState',
      ],
    ],
  ];
  /** Members of documents, shadow roots and elements, each of which declares its own. */
  const PARENTS = ['append', 'children', 'querySelector', 'querySelectorAll', 'replaceChildren'];
  const TREES = ['elementFromPoint', 'getElementById'];

  /** @type {Record<string, (node: Node, ...rest: any[]) => any>} */
  const own = {};
  for (const [declares, names] of MEMBERS) for (const name of names) own[name] = free(declares, name);

  /** @param {string} name @param {{ prototype: object } | null} ofElements */
  const shared = (name, ofElements) => {
    const elements = ofElements && free(ofElements, name);
    const documents = free(Document, name);
    // A fragment has no named properties, and what a shadow root declares of these may be its fragment's.
    return (/** @type {any} */ node, /** @type {unknown[]} */ ...rest) => {
      if (node instanceof Element) return elements(node, ...rest);
      if (node instanceof Document) return documents(node, ...rest);
      return typeof node[name] === 'function' ? node[name](...rest) : node[name];
    };
  };
  for (const name of PARENTS) own[name] = shared(name, Element);
  for (const name of TREES) own[name] = shared(name, null);
  page.own = /** @type {BproxyOwn} */ (/** @type {unknown} */ (own));
})();
