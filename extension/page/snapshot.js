/** The page as an indented tree of roles, names, states and values: what a screen reader would find. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Lines of one answer: beyond it a part of the page should be chosen. */
  const NODES_MAX = 5_000;
  const TEXT_MAX = 200;
  const INTERACTIVE = new Set(['button', 'checkbox', 'color', 'combobox', 'date', 'datetime', 'file', 'link', 'listbox', 'menuitem',
    'menuitemcheckbox', 'menuitemradio', 'month', 'option', 'radio', 'searchbox', 'slider', 'spinbutton', 'switch', 'tab', 'textbox',
    'time', 'treeitem', 'week']);
  /** What is inside of these is said by their name or value already. */
  const LEAVES = new Set(['button', 'checkbox', 'combobox', 'heading', 'img', 'link', 'menuitem', 'option', 'radio', 'slider', 'spinbutton', 'switch', 'tab', 'textbox']);

  page.commands.snapshot = ({ selector, maxDepth = 12, interactiveOnly = false }) => {
    const target = page.namer();
    /** @type {string[]} */
    const lines = [];
    let cut = false;

    const visit = (/** @type {Node} */ node, /** @type {number} */ depth) => {
      if (lines.length >= NODES_MAX) return void (cut = true);
      if (node instanceof Text) {
        const text = page.collapse(node.data);
        if (text && !interactiveOnly) line(depth, `text ${JSON.stringify(page.shorten(text, TEXT_MAX))}`);
        return;
      }
      if (!(node instanceof Element) || hidden(node)) return;
      const role = page.role(node);
      const interactive = INTERACTIVE.has(role);
      const shown = interactiveOnly ? interactive : role !== '';
      if (shown) line(depth, describe(node, role, interactive));
      const below = shown ? depth + 1 : depth;
      if (below >= maxDepth && shown) return;
      if (LEAVES.has(role)) return;
      for (const child of page.children(node)) visit(child, below);
    };
    const line = (/** @type {number} */ depth, /** @type {string} */ text) => void lines.push(`${'  '.repeat(depth)}- ${text}`);

    const describe = (/** @type {Element} */ element, /** @type {string} */ role, /** @type {boolean} */ interactive) => {
      const name = page.accessibleName(element);
      const value = interactive && role !== 'link' ? page.valueOf(element) : undefined;
      const toggles = role === 'checkbox' || role === 'radio' || role === 'switch';
      return [
        role,
        name && JSON.stringify(page.shorten(name, TEXT_MAX)),
        role === 'heading' && `level=${page.headingLevel(element)}`,
        value !== undefined && !toggles && `value=${JSON.stringify(page.shorten(value, TEXT_MAX))}`,
        ...page.states(element),
        interactive && `→ ${written(target(element))}`,
      ]
        .filter(Boolean)
        .join(' ');
    };
    const written = (/** @type {BproxyTarget} */ found) => ('selector' in found ? found.selector : JSON.stringify(found.route));

    const hidden = (/** @type {Element} */ element) =>
      element.getAttribute('aria-hidden') === 'true' ||
      ['script', 'style', 'noscript', 'template', 'head'].includes(element.localName) ||
      (element.localName !== 'slot' && getComputedStyle(element).display !== 'contents' && !page.rendered(element));

    for (const scope of page.scopes(selector)) visit(scope, 0);
    const nodeCount = lines.length;
    if (cut) lines.push(`… cut off after ${NODES_MAX} nodes: choose a part with a selector, or interactiveOnly`);
    return { tree: lines.join('\n'), nodeCount };
  };
})();
