/** What of the page's tree a snapshot tells, and how it is written: `- role "name" [el12] (states) = "value"`. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Characters of one answer, where no limit is given. */
  const SIZE_MAX = 2_000_000;
  /** Handles of one answer: the daemon keeps no more. */
  const HANDLES_MAX = 1_000;
  /** What a line has at most besides its name: its role, a handle, and what marks it. */
  const LINE_ROOM = 24;
  /** What a line that tells of what is left out takes at most. */
  const MORE_ROOM = 110;
  const TITLE_MAX = 60;
  /** How many characters one may become in a JSON text. */
  const ESCAPED_MAX = 6;
  const TEXT_MAX = 200;

  page.commands.snapshot = ({
    selector,
    maxDepth = Infinity,
    limitChars = SIZE_MAX,
    contains: wanted,
    interactiveOnly,
    hidden,
    reading,
  }) => {
    const same = reading === undefined ? null : page.unchanged(reading);
    if (same !== null) return same;
    const begin = () => page.tree(page.scopes(selector), { interactiveOnly, hidden });
    return page.inSlices(begin, ({ root, seen }) => {
      const told = wanted === undefined ? root : (matching(root, page.matcher(wanted)) ?? empty(root));
      const truncated = fit(told, maxDepth, limitChars);
      const cut = truncated ? { truncated } : {};
      const data = { ...written(told), ...cut };
      page.remember(seen, { nodeCount: data.nodeCount, ...(numbered() ? { handles: data.handles } : {}), ...cut });
      return data;
    });
  };

  const empty = (/** @type {BproxyNode} */ root) => ({ ...root, below: [], lines: 0 });

  /**
   * The lines that match, with what they stand in; null if there are none. What is in frames is judged there.
   * @type {(node: BproxyNode, says: ReturnType<BproxyPage['matcher']>) => BproxyNode | null}
   */
  const matching = (node, says) => {
    // A row says what its plain cells say: the others belong to it.
    if (node.role === 'row' && says(node.name)) return node;
    const below = node.below.map((it) => matching(it, says)).filter((it) => it !== null);
    const options = node.role.startsWith('options') ? node.role : '';
    if (below.length === 0 && node.slot < 0 && !says(node.name, node.shown, node.value, options)) return null;
    return { ...node, below, lines: below.reduce((sum, it) => sum + 1 + it.lines, 0) };
  };

  const quoted = (/** @type {string} */ text, length = TEXT_MAX) => JSON.stringify(page.shorten(text, length));
  const titled = (/** @type {BproxyNode} */ { role, name }, length = TEXT_MAX) =>
    name ? `${role} ${quoted(name, length)}` : role;
  const noted = (/** @type {BproxyNode} */ { shown }) => (shown === null ? '' : ` (shown: ${quoted(shown)})`);
  const rest = (/** @type {BproxyNode} */ { states, value }) =>
    (states.length > 0 ? ` (${states.join(', ')})` : '') + (value === '' ? '' : ` = ${quoted(value)}`);
  const lengthOf = (/** @type {BproxyNode} */ node) =>
    titled(node).length + noted(node).length + rest(node).length + LINE_ROOM;

  /** What all lines below a node take at most: far faster than to write them. */
  const boundOf = (/** @type {BproxyNode} */ node, /** @type {number} */ escaped, depth = 0) => {
    let bound = 0;
    for (const it of node.below) {
      const texts = Math.min(it.name.length, TEXT_MAX) + it.value.length + (it.shown?.length ?? 0);
      bound += it.role.length + escaped * texts + 14 * it.states.length + LINE_ROOM + 2 * depth;
      if (it.below.length > 0) bound += boundOf(it, escaped, depth + 1);
    }
    return bound;
  };

  /**
   * Decides how many of the lines below each one are told: level by level, so that what is told of a large page is what
   * its parts are, and not its beginning. True if something is left out because of the limit.
   * @param {BproxyNode} root @param {number} maxDepth @param {number} limit
   */
  const fit = (root, maxDepth, limit) => {
    if (maxDepth === Infinity && boundOf(root, limit === SIZE_MAX ? 1 : ESCAPED_MAX) <= limit) return false;
    let left = limit - MORE_ROOM;
    let truncated = false;
    let level = [root];
    for (let depth = 0; level.length > 0; depth += 1) {
      /** @type {BproxyNode[]} */
      const next = [];
      for (const node of level) {
        node.told = 0;
        if (depth >= maxDepth) continue;
        for (const below of node.below) {
          const size = lengthOf(below) + 2 * depth + (below.below.length > 0 ? MORE_ROOM + 2 * depth : 0);
          if (size > left) break;
          left -= size;
          node.told += 1;
          if (below.below.length > 0) next.push(below);
        }
        if (node.told === node.below.length && node !== root) left += MORE_ROOM + 2 * (depth - 1);
        truncated ||= node.told < node.below.length;
      }
      level = next;
    }
    return truncated;
  };

  const numbered = () => page.order.el !== undefined;

  /** @param {BproxyNode} root */
  const written = (root) => {
    const target = page.namer();
    const numbers = page.numbers('el');
    /** @type {number[]} */
    const handles = [];
    /** @type {string[]} */
    const lines = [];
    let nodeCount = 0;
    let unmarked = false;

    const mark = (/** @type {BproxyNode} */ { element, role, name }) => {
      if (element === null) return '';
      if (!numbered()) {
        const found = target(element);
        return ` → ${'selector' in found ? found.selector : JSON.stringify(found.route)}`;
      }
      const n = handles.length < HANDLES_MAX ? numbers.of(element, page.isControl(role) ? name : undefined) : undefined;
      unmarked ||= n === undefined;
      if (n === undefined) return '';
      handles.push(n);
      return ` ${numbers.mark(n)}`;
    };

    const write = (/** @type {BproxyNode} */ node, /** @type {number} */ depth) => {
      const { below, told = below.length } = node;
      for (let at = 0; at < told; at += 1) {
        const line = below[at];
        const { acts, slot, element } = line;
        const handle = acts && numbered() ? mark(line) : '';
        const place = acts && !numbered() && element ? mark(line) : '';
        const hole = slot >= 0 ? ` ${page.hole(slot, depth)}` : '';
        lines.push(`${'  '.repeat(depth)}- ${titled(line)}${noted(line)}${handle}${rest(line)}${place}${hole}`);
        nodeCount += 1;
        write(line, depth + 1);
      }
      if (told === below.length) return;
      const more = below.slice(told).reduce((sum, it) => sum + 1 + it.lines, 0);
      const from = node.element ? ` below ${titled(node, TITLE_MAX)}${numbered() ? mark(node) : ''}` : '';
      lines.push(`${'  '.repeat(Math.max(depth - 1, 0))}- … ${more} more${from}`);
    };
    write(root, 0);
    if (unmarked || numbers.capped())
      lines.push('- … what has no mark is beyond the 1,000 of an answer: choose a part');
    return { tree: lines.join('\n'), nodeCount, ...(numbered() ? { handles } : {}) };
  };
})();
