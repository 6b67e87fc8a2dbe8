/**
 * The snapshots that sessions had of their pages, and what has changed since: lines that are new (`+`), gone (`-`) or
 * other than they were (`~`), each below what it stands in. They are forgotten with the worker, and then the next one is
 * told as a whole.
 */

/** How many snapshots are kept, the latest. */
const KEPT_MAX = 16;

/**
 * A line of a tree. `key`: what it is known by; `handle`: whether that is a handle.
 * @typedef {{ text: string, key: string, role: string, below: Line[] }} Line
 * @typedef {{ tree?: string, nodeCount: number, handles?: number[], truncated?: boolean }} Whole
 */

/**
 * What a snapshot is of, but for the document.
 * @typedef {{ tabId: number, order: PageOrder, how: object }} Asked
 * A snapshot that is kept. `reading`: the command that has read it.
 * @typedef {{ document: string | undefined, tree: string, reading: string | undefined }} Kept
 */

export class Earlier {
  constructor() {
    /** By what they are of, and their marks. @type {Map<string, Kept>} */
    this.kept = new Map();
  }

  /**
   * The snapshot with this mark, if it was of the same.
   * @param {string} mark @param {Asked} asked
   */
  known(mark, asked) {
    return this.kept.get(mark + nameOf(asked));
  }

  /**
   * The data of a snapshot: the whole tree, or what has changed since the one before.
   * @param {Asked & { page: import('./protocol.js').Page, before: Kept | undefined }} asked
   * @param {Whole} whole without a tree, it is as it was
   */
  compared({ page, before, ...asked }, { tree = before?.tree ?? '', ...rest }) {
    const { document } = page;
    const mark = markOf(tree);
    this.keep(mark + nameOf(asked), { document, tree, reading: asked.order.reading });
    if (before === undefined || before.document !== document) return { tree, ...rest, mark, full: true };
    const changed = before.tree === tree ? '' : changes(parsed(before.tree), parsed(tree)).join('\n');
    // More than the whole says less.
    const full = changed.length > tree.length;
    return { tree: full ? tree : changed, ...rest, mark, full };
  }

  /** @param {string} name @param {Kept} snapshot */
  keep(name, snapshot) {
    // The latest is the last.
    this.kept.delete(name);
    this.kept.set(name, snapshot);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT_MAX) break;
      this.kept.delete(oldest);
    }
  }
}

/** The same for trees that are the same. @param {string} tree */
function markOf(tree) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < tree.length; at += 1) hash = Math.imul(hash ^ tree.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, '0');
}

/** @param {Asked} asked */
function nameOf({ tabId, order, how }) {
  return JSON.stringify([tabId, order.session, how]);
}

/** The lines of a tree, each with those below it. @param {string} tree */
export function parsed(tree) {
  /** @type {Line} */
  const root = { text: '', key: '', role: '', below: [] };
  /** @type {Line[]} */
  const path = [root];
  for (const written of tree === '' ? [] : tree.split('\n')) {
    const text = written.trimStart();
    const depth = (written.length - text.length) / 2;
    const line = lineOf(text.slice(2));
    path.length = Math.min(path.length, depth + 1);
    /** @type {Line} */ (path.at(-1)).below.push(line);
    path.push(line);
  }
  return root;
}

/** @param {string} text @returns {Line} */
function lineOf(text) {
  // What is quoted is the page's: a handle stands outside.
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const role = /^\S*/.exec(bare)?.[0] ?? '';
  const handle = /\[el\d+\]/.exec(bare)?.[0];
  const frame = /\[frame f\d+/.exec(bare)?.[0];
  const key = role === '…' ? `… ${text.replace(/^… \d+/, '')}` : (handle ?? frame ?? text);
  return { text, key, role, below: [] };
}

/**
 * What is other in a tree than it was in an earlier one.
 * @param {Line} before @param {Line} now @returns {string[]}
 */
function changes(before, now, depth = 0) {
  const pairs = paired(before.below, now.below);
  /** @type {string[]} */
  const lines = [];
  const indent = '  '.repeat(depth);
  let next = 0;
  /** @param {Line} [until] */
  const tellGone = (until) => {
    for (; next < before.below.length && before.below[next] !== until; next += 1) {
      const line = before.below[next];
      if (pairs.has(line)) continue;
      const count = countOf(line);
      lines.push(`${indent}- ${line.text}${count > 0 ? ` … with ${count} below` : ''}`);
    }
  };
  const places = new Map([...pairs].map(([old, line]) => [line, old]));
  for (const line of now.below) {
    const old = places.get(line);
    if (old === undefined) {
      lines.push(...added(line, depth));
      continue;
    }
    tellGone(old);
    const below = changes(old, line, depth + 1);
    if (old.text !== line.text) lines.push(`${indent}~ ${line.text}`);
    else if (below.length > 0) lines.push(`${indent}${line.text}`);
    lines.push(...below);
  }
  tellGone();
  return lines;
}

/** @param {Line} line @param {number} depth @returns {string[]} */
function added(line, depth) {
  return [`${'  '.repeat(depth)}+ ${line.text}`, ...line.below.flatMap((it) => added(it, depth + 1))];
}

/** @param {Line} line @returns {number} */
function countOf({ below }) {
  return below.reduce((sum, it) => sum + 1 + countOf(it), 0);
}

/**
 * Which lines are the same ones, in the same order: those with the same key, then, between them, those of the same role
 * that are neither new nor gone by their key.
 * @param {Line[]} before @param {Line[]} now @returns {Map<Line, Line>}
 */
function paired(before, now) {
  /** @type {Map<string, number[]>} */
  const places = new Map();
  for (const [at, { key }] of [...before.entries()].reverse()) {
    const others = places.get(key);
    if (others) others.push(at);
    else places.set(key, [at]);
  }
  const found = now.map(({ key }) => places.get(key)?.pop() ?? -1);
  const same = rising(found);
  /** @type {Map<Line, Line>} */
  const pairs = new Map();
  let [nextOld, nextNow] = [0, 0];
  for (const at of [...same, now.length]) {
    const old = at === now.length ? before.length : found[at];
    // What stands between two lines that are the same may have changed its words.
    const left = before.slice(nextOld, old);
    for (const line of now.slice(nextNow, at)) {
      const isLike = (/** @type {Line} */ other) => other.role === line.role && isNamed(other) === isNamed(line);
      const like = isNamed(line) ? undefined : left.find(isLike);
      if (like === undefined) continue;
      pairs.set(like, line);
      left.splice(0, left.indexOf(like) + 1);
    }
    if (at < now.length) pairs.set(before[old], now[at]);
    [nextOld, nextNow] = [old + 1, at + 1];
  }
  return pairs;
}

/** Whether a line is known by a handle, so that another handle is another thing. @param {Line} line */
const isNamed = ({ key }) => key.startsWith('[');

/** The places of a longest part of a list that rises; what is below 0 is in none. @param {number[]} list */
function rising(list) {
  /** The place where the best part of each length ends. @type {number[]} */
  const ends = [];
  /** @type {number[]} */
  const before = [];
  for (const [at, value] of list.entries()) {
    if (value < 0) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[ends[middle]] < value) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? ends[low - 1] : -1;
    ends[low] = at;
  }
  /** @type {number[]} */
  const part = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at]) part.push(at);
  return part.reverse();
}
