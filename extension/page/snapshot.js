/** The page as an indented tree of roles, names, states and values: what a screen reader would find. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Lines of one answer: for more, a part of the page should be chosen. */
  const NODES_MAX = 5_000;
  const TEXT_MAX = 200;
  const INTERACTIVE = new Set([
    'button',
    'checkbox',
    'color',
    'combobox',
    'date',
    'datetime',
    'file',
    'link',
    'listbox',
    'menuitem',
    'menuitemcheckbox',
    'menuitemradio',
    'month',
    'option',
    'radio',
    'searchbox',
    'slider',
    'spinbutton',
    'switch',
    'tab',
    'textbox',
    'time',
    'treeitem',
    'week',
  ]);
  /** The contents of these are in their name or value already. */
  const LEAVES = new Set([
    'button',
    'checkbox',
    'combobox',
    'heading',
    'img',
    'link',
    'menuitem',
    'option',
    'radio',
    'slider',
    'spinbutton',
    'switch',
    'tab',
    'textbox',
  ]);

  page.commands.snapshot = ({ selector, maxDepth = 12, interactiveOnly = false }) => {
    const target = page.namer();
    const numbers = page.numbers('el');
    /** @type {number[]} */
    const handles = [];
    /** @type {string[]} */
    const lines = [];
    let cut = false;

    const visit = (/** @type {Node} */ node, /** @type {number} */ depth) => {
      if (lines.length >= NODES_MAX) {
        cut = true;
        return;
      }
      if (!(node instanceof Element) || hidden(node)) return;
      const role = page.role(node);
      const interactive = INTERACTIVE.has(role);
      const shown = interactiveOnly ? interactive : role !== '';
      const name = shown ? page.accessibleName(node) : '';
      // An element with nothing but text in it is one line.
      const text = shown && !interactive ? onlyText(node) : null;
      const whole = text !== null && (name === '' || name === text);
      if (shown) line(depth, describe(node, role, name || (whole && text) || '', interactive));
      if (whole) return;
      const below = shown ? depth + 1 : depth;
      if (below >= maxDepth && shown) return;
      if (LEAVES.has(role)) return;
      // Words in bold or in a span belong to the sentence around them.
      let sentence = '';
      const said = () => {
        const text = page.collapse(sentence);
        sentence = '';
        if (text && !interactiveOnly) line(below, `text ${JSON.stringify(page.shorten(text, TEXT_MAX))}`);
      };
      for (const child of page.children(node)) {
        const words = plain(child);
        if (words !== null) {
          sentence += words;
        } else {
          said();
          visit(child, below);
        }
      }
      said();
    };
    /** The text of what is nothing but text, or null. @type {(node: Node) => string | null} */
    const plain = (node) => {
      if (node instanceof Text) return node.data;
      if (!(node instanceof Element)) return '';
      if (hidden(node)) return '';
      if (node.localName === 'br') return ' ';
      if (page.role(node) !== '' || node.shadowRoot || getComputedStyle(node).display !== 'inline') return null;
      return inside(node);
    };
    const inside = (/** @type {Element} */ element) => {
      let text = '';
      for (const child of page.children(element)) {
        const part = plain(child);
        if (part === null) return null;
        text += part;
      }
      return text;
    };
    const onlyText = (/** @type {Element} */ element) => {
      const text = inside(element);
      return text === null ? null : page.collapse(text);
    };
    const line = (/** @type {number} */ depth, /** @type {string} */ text) =>
      void lines.push(`${'  '.repeat(depth)}- ${text}`);

    const describe = (
      /** @type {Element} */ element,
      /** @type {string} */ role,
      /** @type {string} */ name,
      /** @type {boolean} */ interactive,
    ) => {
      const value = interactive && role !== 'link' ? page.valueOf(element) : undefined;
      const n = interactive ? numbers.of(element, name) : undefined;
      if (n !== undefined) handles.push(n);
      const toggles = role === 'checkbox' || role === 'radio' || role === 'switch';
      return [
        role,
        name && JSON.stringify(page.shorten(name, TEXT_MAX)),
        n !== undefined && `[el${n}]`,
        role === 'heading' && `level=${page.headingLevel(element)}`,
        value !== undefined && !toggles && `value=${JSON.stringify(page.shorten(value, TEXT_MAX))}`,
        ...page.states(element),
        interactive && !numbered && `→ ${written(target(element))}`,
      ]
        .filter(Boolean)
        .join(' ');
    };
    const numbered = page.order.el !== undefined;
    const written = (/** @type {FoundTarget} */ found) =>
      'selector' in found ? found.selector : JSON.stringify(found.route);

    const hidden = (/** @type {Element} */ element) =>
      element.getAttribute('aria-hidden') === 'true' ||
      ['script', 'style', 'noscript', 'template', 'head'].includes(element.localName) ||
      !page.rendered(element);

    for (const scope of page.scopes(selector)) visit(scope, 0);
    const nodeCount = lines.length;
    if (cut) lines.push(`… cut off after ${NODES_MAX} nodes: choose a part with a selector, or interactiveOnly`);
    if (numbers.capped()) lines.push('… what has no mark is beyond the 1,000 new ones of an answer: choose a part');
    return { tree: lines.join('\n'), nodeCount, ...(numbered ? { handles } : {}) };
  };
})();
