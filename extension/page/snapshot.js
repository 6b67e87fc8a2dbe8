/** The page as an indented tree of roles, names, states and values: what a screen reader would find. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Lines of one answer: for more, a part of the page should be chosen. */
  const NODES_MAX = 5_000;
  const TEXT_MAX = 200;
  /** Characters of one answer: deep pages have long lines. */
  const SIZE_MAX = 2_000_000;
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
  /** The text of these is in their name or value already: below them, only what can be acted on has a line. */
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

  /**
   * What the walk does below an element: at which depth, whether every line is written there or only those of what can
   * be acted on, and, where it is too deep to be written, what stands for it.
   * @typedef {{ depth: number, all: boolean, omitted: { lines: number, below: string } | null }} Level
   */

  page.commands.snapshot = ({ selector, maxDepth = Infinity, interactiveOnly = false }) => {
    const target = page.namer();
    const numbers = page.numbers('el');
    /** @type {number[]} */
    const handles = [];
    /** @type {string[]} */
    const lines = [];
    let size = 0;
    let nodeCount = 0;
    let cut = false;
    /** @type {Level[]} */
    const levels = [{ depth: 0, all: !interactiveOnly, omitted: null }];
    /** Words in bold or in a span belong to the sentence around them. */
    let sentence = '';

    const write = (/** @type {number} */ depth, /** @type {string} */ text) => {
      lines.push(`${'  '.repeat(depth)}- ${text}`);
      size += 2 * depth + text.length;
    };
    const line = (/** @type {Level} */ { depth, omitted }, /** @type {() => string} */ text) => {
      if (omitted) {
        omitted.lines += 1;
        return;
      }
      write(depth, text());
      nodeCount += 1;
      cut ||= nodeCount >= NODES_MAX || size >= SIZE_MAX;
    };
    const said = () => {
      const text = page.collapse(sentence);
      sentence = '';
      const level = /** @type {Level} */ (levels.at(-1));
      if (text && level.all && !cut) line(level, () => `text ${JSON.stringify(page.shorten(text, TEXT_MAX))}`);
    };

    const enter = (/** @type {Node} */ node) => {
      if (cut) return false;
      const words = levels.length > 1 ? plain(node) : null;
      if (words !== null) {
        sentence += words;
        return false;
      }
      said();
      if (cut || !(node instanceof Element) || hidden(node)) return false;
      const level = /** @type {Level} */ (levels.at(-1));
      const slot = page.slotOf(node);
      if (slot !== undefined) {
        if (page.visible(node)) frame(level, slot, node);
        return false;
      }
      // What is in an invisible element may be visible.
      if (!page.rendered(node)) {
        levels.push(level);
        return !page.isSecret(node);
      }
      const role = page.role(node);
      const interactive = INTERACTIVE.has(role);
      const shown = level.all ? role !== '' : interactive;
      if (!shown) {
        levels.push(level);
        return !page.isSecret(node);
      }
      // An element with nothing but text in it is one line.
      const text = interactive ? null : onlyText(node);
      const name = level.omitted && text === null ? '' : page.accessibleName(node);
      const whole = text !== null && (name === '' || name === text);
      line(level, () => describe(node, role, name || (whole && text) || '', interactive, !whole));
      if (whole || closed(node, role)) return false;
      const depth = level.depth + 1;
      const omitted = level.omitted ?? (depth >= maxDepth ? { lines: 0, below: titled(role, name) } : null);
      levels.push({ depth, all: level.all && !LEAVES.has(role), omitted });
      return true;
    };
    /** The line of a frame, below which stands what is in it. */
    const frame = (/** @type {Level} */ level, /** @type {number} */ slot, /** @type {Element} */ element) => {
      const hole = () => page.hole(slot, level.depth);
      if (level.all) line(level, () => `${titled('iframe', page.accessibleName(element))} ${hole()}`);
      else if (!level.omitted) lines.push(hole());
    };
    const leave = () => {
      said();
      const { depth, omitted } = /** @type {Level} */ (levels.pop());
      if (omitted && omitted.lines > 0 && levels.at(-1)?.omitted !== omitted) {
        write(depth - 1, `… ${omitted.lines} more below ${omitted.below}`);
      }
    };
    /** What is below is its value: a list's options, an editor's text. */
    const closed = (/** @type {Element} */ element, /** @type {string} */ role) =>
      page.isSecret(element) ||
      role === 'textbox' ||
      role === 'searchbox' ||
      (role === 'combobox' && element instanceof HTMLSelectElement);
    const titled = (/** @type {string} */ role, /** @type {string} */ name) =>
      name ? `${role} ${JSON.stringify(page.shorten(name, TEXT_MAX))}` : role;

    /** The text of what is nothing but text, or null. */
    const plain = (/** @type {Node} */ root) => {
      let text = '';
      let mixed = false;
      page.walk(root, (node) => {
        if (mixed) return false;
        if (node instanceof Text && (!/\S/.test(node.data) || page.sees(node))) text += node.data;
        if (!(node instanceof Element)) return false;
        if (own.localName(node) === 'br') text += ' ';
        if (own.localName(node) === 'br' || hidden(node)) return false;
        mixed =
          page.slotOf(node) !== undefined ||
          page.role(node) !== '' ||
          own.shadowRoot(node) !== null ||
          getComputedStyle(node).display !== 'inline';
        return !mixed && !page.isSecret(node);
      });
      return mixed ? null : text;
    };
    const onlyText = (/** @type {Element} */ element) => {
      let text = '';
      if (page.isSecret(element)) return text;
      for (const child of page.children(element)) {
        const part = plain(child);
        if (part === null) return null;
        text += part;
      }
      return page.collapse(text);
    };

    const describe = (
      /** @type {Element} */ element,
      /** @type {string} */ role,
      /** @type {string} */ name,
      /** @type {boolean} */ interactive,
      /** @type {boolean} */ doubtful,
    ) => {
      const value = interactive && role !== 'link' ? page.valueOf(element) : undefined;
      const n = interactive ? numbers.of(element, name) : undefined;
      if (n !== undefined) handles.push(n);
      const toggles = role === 'checkbox' || role === 'radio' || role === 'switch';
      const seen = doubtful ? page.contradiction(element, name) : null;
      return [
        titled(role, name),
        seen !== null && `(shown: ${JSON.stringify(page.shorten(seen, TEXT_MAX))})`,
        n !== undefined && numbers.mark(n),
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
      own.getAttribute(element, 'aria-hidden') === 'true' ||
      ['script', 'style', 'noscript', 'template', 'head'].includes(own.localName(element)) ||
      !page.laidOut(element);

    for (const scope of page.scopes(selector)) page.walk(scope, enter, leave);
    if (cut) lines.push(`… cut off after ${nodeCount} nodes: choose a part with a selector, or interactiveOnly`);
    if (numbers.capped()) lines.push('… what has no mark is beyond the 1,000 new ones of an answer: choose a part');
    return { tree: lines.join('\n'), nodeCount, ...(numbered ? { handles } : {}) };
  };
})();
