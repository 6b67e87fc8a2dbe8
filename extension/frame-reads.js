/**
 * Reads over all frames of a page: each document tells what is in it and where its frames stand, and the answers are put
 * together as if they were one. Elements get their numbers when it is known which of them are handed out.
 */

import { Patience, whyNot } from './frame-tree.js';
import { ActionError } from './protocol.js';

/**
 * What a document tells of its frames besides the data of a read. `holes`: where they stand in lists; in texts marks with
 * the `token` stand for them. `known`: of each element that the read names, its kind of number and the one that it has.
 * @typedef {object} Framing
 * @property {string} token
 * @property {{ list: string, slot: number, at: number }[]} holes
 * @property {string | null} missed nothing in this document is what the read is about
 * @property {{ kind: 'el' | 'ln', n: number }[]} known
 * @property {{ slot: number, index: number, url: string, name: string, width: number, height: number, x: number, y: number, visible: boolean }[]} children
 */

/** @typedef {import('./frame-tree.js').Place} Place */
/** @typedef {{ data: any, page: import('./protocol.js').Page, frames?: Framing }} Answer */

/**
 * An answer in its place. `places`: the elements that entries name by their place in `known`.
 * @typedef {{ place: Place, answer: Answer | null, why?: string, below: Told[] }} Told
 */

const ENTRIES_MAX = 5_000;
/** What a line that tells of what is left out takes at most. Characters. */
const LINE_MAX = 80;

/** The lists of each read; those of the others are texts. @type {Partial<Record<PageCommandName, string[]>>} */
const LISTS = {
  links: ['links'],
  images: ['images'],
  elements: ['elements'],
  outline: ['landmarks', 'headings'],
  inspect: ['elements'],
  find: ['matches'],
  table: ['tables'],
  marks: ['marks'],
};
/** How many entries a read lists where nothing is said. @type {Partial<Record<PageCommandName, number>>} */
const LIMITS = { inspect: 10, find: 10 };
/** Reads that tell what nobody sees, too. @type {ReadonlySet<PageCommandName>} */
const TELL_HIDDEN = new Set(/** @type {PageCommandName[]} */ (['links', 'images', 'dom', 'inspect']));
/** @type {ReadonlySet<string>} */
const READS = new Set(['text', 'dom', 'snapshot', 'condition', ...Object.keys(LISTS)]);

/** What has to be so in every document. @type {ReadonlySet<string>} */
const OF_ALL = new Set(['gone', 'text-gone', 'stable', 'idle']);

/** Whether what one document answers is the answer of all. @param {PageCommandName} command @param {any} params @param {any} data */
export const isEnough = (command, params, data) => command === 'condition' && !OF_ALL.has(params.strategy) && data.met;

/** Whether a command covers all frames. @param {PageCommandName} command */
export const coversFrames = (command) => READS.has(command);

/**
 * Reads a document and all frames in it.
 * @param {object} how
 * @param {(frameId: number, command: PageCommandName, params: any) => Promise<Answer>} how.ask
 * @param {Place} how.root the document
 * @param {Answer | null} how.answer what that has answered already
 * @param {PageCommandName} how.command
 * @param {any} how.params
 * @param {PageOrder} how.order
 * @returns {Promise<{ data: any, handles: Map<Place, string[]> }>} `handles`: what was handed out in each frame
 */
export async function readAll({ ask, root, answer, command, params, order }) {
  const patience = new Patience(() => ask(0, 'where', {}));
  const whole = { ...params };
  delete whole.selector;
  // The part that was named is in the document; a frame in it is read whole.
  if (command === 'table') delete whole.target;

  /** @param {Place} place @param {any} given @param {Answer | null} known @returns {Promise<Told>} */
  const read = async (place, given, known) => {
    // What is in a frame that does not answer may answer all the same.
    if (!place.readable) return { place, answer: null, why: place.why, below: await readBelow(place, given, null) };
    try {
      const own = known ?? (await patience.wait(ask(place.frameId, command, given)));
      return { place, answer: own, below: await readBelow(place, given, own) };
    } catch (error) {
      if (place === root) throw error;
      return { place, answer: null, why: whyNot(error), below: await readBelow(place, given, null) };
    }
  };
  /** @param {Place} place @param {any} given @param {Answer | null} answer @returns {Promise<Told[]>} */
  const readBelow = (place, given, answer) => {
    const shown = answer === null ? new Set() : shownIn(answer);
    const chosen = place.children.flatMap((child) => {
      // Whether a person sees a frame that has no place, it says itself; where that cannot be known it is listed.
      const isListed = answer === null || child.visible || !child.readable || TELL_HIDDEN.has(command);
      const isShown = child.slot === -1 ? isListed : shown.has(child.slot);
      // A frame in the part that was chosen is read whole, any other one for the same part.
      if (isShown && child.slot !== -1)
        return [{ child, given: command === 'inspect' || command === 'condition' ? params : whole }];
      const isMeant = given.selector !== undefined && (child.visible || TELL_HIDDEN.has(command));
      return isMeant || isShown || command === 'condition' ? [{ child, given }] : [];
    });
    return Promise.all(chosen.map(({ child, given }) => read(child, given, null)));
  };

  const told = await read(root, params, answer);
  const all = flat(told);
  const missed = all.map(({ answer }) => answer?.frames?.missed ?? null);
  if (missed.some((it) => it !== null) && all.every(({ answer }) => answer === null || answer.frames?.missed)) {
    throw new ActionError('ELEMENT_NOT_FOUND', /** @type {string} */ (missed.find((it) => it !== null)));
  }
  const merge = LISTS[command] ? mergedLists : command === 'condition' ? mergedConditions : mergedText;
  const merged = merge(told, command, params);
  const { numberOf, capped, handles } = await number(merged.named, { ask, order, patience });
  return { data: merged.data(numberOf, capped), handles };
}

/** The slots that the answer has a place for. @param {Answer} answer @returns {Set<number>} */
function shownIn({ data, frames }) {
  if (frames === undefined) return new Set();
  const { token, holes } = frames;
  const marks = typeof data.text === 'string' ? data.text : (data.html ?? data.tree ?? '');
  const marked = [...marks.matchAll(new RegExp(`⟦${token}:(\\d+):\\d+⟧`, 'g'))].map(([, slot]) => Number(slot));
  return new Set([...holes.map(({ slot }) => slot), ...marked]);
}

/** Of a document that named elements. @param {Told} told @returns {Framing} */
function framingOf({ answer }) {
  return /** @type {Framing} */ (/** @type {Answer} */ (answer).frames);
}

/** @param {Told} told @returns {Told[]} in document order */
function flat(told) {
  return [told, ...told.below.flatMap(flat)];
}

/** An element that the answer names: where it is, and its place in what that document has listed. @typedef {{ told: Told, place: number }} Named */
/** @typedef {{ named: Named[], data: (numberOf: (named: Named) => number | undefined, capped: boolean) => any }} Merged */

/**
 * Gives numbers to the elements that are handed out.
 * @param {Named[]} named in the order of the answer
 * @param {Pick<Parameters<typeof readAll>[0], 'ask' | 'order'> & { patience: Patience }} how
 */
async function number(named, { ask, order, patience }) {
  const next = { el: order.el ?? 0, ln: order.ln ?? 0 };
  let capped = false;
  /** @type {Map<Told, { place: number, n: number }[]>} */
  const wanted = new Map();
  for (const { told, place } of named) {
    const { kind, n } = framingOf(told).known[place];
    const isNew = n === 0;
    const isFull = next[kind] >= (order[kind] ?? 0) + (order.room ?? 0);
    capped ||= isNew && isFull;
    const picks = wanted.get(told) ?? [];
    wanted.set(told, picks);
    picks.push({ place, n: isNew && !isFull ? next[kind]++ : 0 });
  }
  /** @type {Map<Told, Map<number, number>>} */
  const numbers = new Map();
  /** @type {Map<Place, string[]>} */
  const handles = new Map();
  await Promise.all(
    [...wanted].map(async ([told, picks]) => {
      const { token, known } = framingOf(told);
      try {
        const { data } = await patience.wait(ask(told.place.frameId, 'number', { token, picks }));
        const given = /** @type {number[]} */ (data.numbers);
        numbers.set(told, new Map(picks.map(({ place }, at) => [place, given[at]])));
        const names = picks.map(({ place }, at) => (given[at] === 0 ? '' : `${known[place].kind}${given[at]}`));
        handles.set(
          told.place,
          names.filter((name) => name !== ''),
        );
      } catch {
        // It may give them all the same: nobody is told, so they are nobody's.
      }
    }),
  );
  const numberOf = (/** @type {Named} */ { told, place }) => numbers.get(told)?.get(place) || undefined;
  return { numberOf, capped, handles };
}

// ---- Lists ----

/** What could not be read. @param {Told} told */
function unreadable(told) {
  const list = flat(told).flatMap(({ place, answer, why }) =>
    answer === null && place.known ? [{ frame: place.known.name, url: place.url, why: why ?? '' }] : [],
  );
  return list.length === 0 ? {} : { unreadable: list };
}

/** @param {Told} told @param {PageCommandName} command @param {any} params @returns {Merged} */
function mergedLists(told, command, params) {
  const lists = /** @type {string[]} */ (LISTS[command]);
  // The rows of each table are counted by its own document.
  const { offset = 0, limit: most, nth } = command === 'table' ? {} : params;
  const limit = nth === undefined ? (most ?? LIMITS[command] ?? ENTRIES_MAX) : 1;
  const from = nth ?? offset;
  /** @type {Record<string, { entry: any, told: Told }[]>} */
  const windows = Object.fromEntries(lists.map((list) => [list, []]));
  let total = 0;
  for (const list of lists) {
    total = 0;
    const visit = (/** @type {Told} */ told) => {
      const { data, frames } = told.answer ?? {};
      const entries = data?.[list] ?? [];
      const count = data?.total ?? entries.length;
      const below = [...told.below];
      let next = 0;
      const pass = (/** @type {number} */ until) => {
        for (; next < until; next += 1, total += 1) {
          if (total >= from && total < from + limit && next < entries.length) {
            windows[list].push({ entry: entries[next], told });
          }
        }
      };
      for (const { slot, at } of (frames?.holes ?? []).filter((hole) => hole.list === list)) {
        pass(at);
        const inner = below.find(({ place }) => place.slot === slot);
        if (inner) visit(below.splice(below.indexOf(inner), 1)[0]);
      }
      pass(count);
      // What has no place.
      for (const inner of below) visit(inner);
    };
    visit(told);
  }
  const named = lists.flatMap((list) =>
    windows[list].flatMap(({ entry, told }) => (entry.n === undefined ? [] : [{ told, place: entry.n }])),
  );
  return {
    named,
    data: (numberOf, capped) => {
      const data = Object.fromEntries(
        lists.map((list) => [
          list,
          windows[list].map(({ entry, told }) => entryOf(entry, told, numberOf, params.targets !== false)),
        ]),
      );
      const isCapped = capped || (limit === ENTRIES_MAX && total > from + limit);
      const counts =
        command === 'outline' || command === 'table' ? {} : { total: nth === undefined ? total : data.matches.length };
      const isCounted = command === 'links' || command === 'images' || command === 'elements';
      const near = told.answer?.data.nearest ? { nearest: nearest(told) } : {};
      return { ...data, ...counts, ...(isCounted && isCapped ? { capped: true } : {}), ...near, ...unreadable(told) };
    },
  };
}

/** @param {any} entry @param {Told} told @param {(named: Named) => number | undefined} numberOf @param {boolean} targets */
function entryOf({ n: place, ...entry }, told, numberOf, targets) {
  const n = place === undefined ? undefined : numberOf({ told, place });
  if (n !== undefined && !targets) for (const name of ['selector', 'route', 'target']) delete entry[name];
  const { known, visible, origin } = told.place;
  return {
    ...entry,
    // Where it is in the window, and not only in its frame.
    ...(typeof entry.x === 'number' ? { x: entry.x + origin.x, y: entry.y + origin.y } : {}),
    ...(visible || entry.visible === undefined ? {} : { visible: false }),
    ...(known === null ? {} : { frame: known.name }),
    ...(n === undefined ? {} : { n }),
  };
}

/** What comes nearest in all frames. @param {Told} told */
function nearest(told) {
  return flat(told)
    .flatMap(({ answer }) => answer?.data.nearest ?? [])
    .sort((a, b) => b.score - a.score)
    .slice(0, 5);
}

/** @param {Told} told @param {PageCommandName} _command @param {any} params @returns {Merged} */
function mergedConditions(told, _command, { strategy, target }) {
  const all = flat(told).flatMap(({ answer }) => (answer === null ? [] : [answer.data]));
  // A part of the page is at rest where it is.
  const meant = strategy === 'stable' && target !== '' ? all.filter((data) => data.matching > 0) : all;
  const met = OF_ALL.has(strategy) && meant.length > 0 ? meant.every((data) => data.met) : all.some((data) => data.met);
  // What says most comes first.
  const [{ matching, there }] = all.filter((data) => data.met === met).sort((a, b) => b.matching - a.matching);
  return { named: [], data: () => ({ met, matching, there }) };
}

// ---- Texts ----

/** @param {Told} told @param {PageCommandName} command @param {any} params @returns {Merged} */
function mergedText(told, command, params) {
  const write = command === 'dom' ? writeSource : writeText;
  const { text, rest } = command === 'snapshot' ? narrowed(writeTree(told, params, 0), params) : write(told, params, 0);
  /** @type {Named[]} */
  const named = [];
  const byToken = tokens(told);
  for (const [, token, place] of text.matchAll(/⟦([0-9a-f]+)#(\d+)⟧/g)) {
    const inner = byToken.get(token);
    if (inner) named.push({ told: inner, place: Number(place) });
  }
  return { named, data: (numberOf, capped) => finished(told, command, text, rest, numberOf, capped) };
}

/** @param {Told} told @param {PageCommandName} command @param {string} text @param {any} rest @param {(named: Named) => number | undefined} numberOf @param {boolean} capped */
function finished(told, command, text, rest, numberOf, capped) {
  const byToken = tokens(told);
  /** @type {number[]} */
  const handles = [];
  const numbered = text.replace(/ ?⟦([0-9a-f]+)#(\d+)⟧/g, (whole, token, place) => {
    const inner = byToken.get(token);
    if (inner === undefined) return whole;
    const n = numberOf({ told: inner, place: Number(place) });
    if (n === undefined) return '';
    handles.push(n);
    return ` [el${n}]`;
  });
  if (command === 'text') return { text: numbered };
  if (command === 'dom') return { html: numbered };
  const note = capped ? '\n… what has no mark is beyond the 1,000 new ones of an answer: choose a part' : '';
  const truncated = flat(told).some(({ answer }) => answer?.data.truncated) || rest.truncated;
  return { tree: numbered + note, nodeCount: rest.nodeCount, handles, ...(truncated ? { truncated: true } : {}) };
}

/** The answers by the tokens of their marks. @param {Told} told @returns {Map<string, Told>} */
function tokens(told) {
  return new Map(flat(told).flatMap((inner) => (inner.answer?.frames ? [[inner.answer.frames.token, inner]] : [])));
}

/** @param {Told} told the document around @param {string} slot */
function inSlot(told, slot) {
  return told.below.find(({ place }) => place.slot === Number(slot));
}

/** A frame in a few words: its name, and where it is from. @param {Told} told */
function titled({ place: { known, url } }) {
  let from = url.slice(0, 60);
  try {
    from = new URL(url).hostname || from;
  } catch {
    // It is as it is.
  }
  return `${known?.name} ${from}`;
}
/** @param {Told} told */
const notRead = ({ why }) => `not read: ${why}`;

/**
 * A tree of several documents, each of which told no more than was asked for, as one: without the frames in which nothing
 * matches, and not longer than it may be.
 * @param {{ text: string, rest: any }} tree @param {any} params
 */
function narrowed({ text, rest }, { contains: wanted, limitChars = Infinity }) {
  let lines = text === '' ? [] : text.split('\n');
  if (wanted !== undefined) {
    const folded = wanted.replace(/\s+/g, ' ').trim().toLowerCase();
    let above = 0;
    // From the end: a line stays if it matches, or if what has stayed stands in it.
    const kept = lines.reverse().filter((line) => {
      const depth = line.search(/\S/);
      const stays = depth < above || line.toLowerCase().includes(folded);
      if (stays) above = depth;
      return stays;
    });
    lines = kept.reverse();
  }
  const most = limitChars - LINE_MAX;
  let size = 0;
  const fits = lines.findIndex((line) => {
    size += line.replace(/⟦[^⟧]*⟧/g, '[el12345]').length + 1;
    return size > most;
  });
  if (fits === -1) return { text: lines.join('\n'), rest: wanted === undefined ? rest : { nodeCount: lines.length } };
  const told = [...lines.slice(0, fits), `- … ${lines.length - fits} more: choose a frame or a part`];
  return { text: told.join('\n'), rest: { nodeCount: fits, truncated: true } };
}

/** @typedef {(told: Told, params: any, depth: number) => { text: string, rest: any }} Writer */

/** @type {Writer} */
function writeText(told) {
  const heading = (/** @type {Told} */ inner, /** @type {string} */ note) => {
    const said = inner.answer === null ? `: ${notRead(inner)}` : note;
    return `[frame ${titled(inner)}${said}]\n${writeText(inner, null, 0).text}`.trim();
  };
  const { data, frames } = told.answer ?? { data: { text: '' } };
  let text = String(data.text);
  if (frames) {
    text = text.replace(new RegExp(`⟦${frames.token}:(\\d+):\\d+⟧`, 'g'), (_, slot) => {
      const inner = inSlot(told, slot);
      return inner ? heading(inner, '') : '';
    });
  }
  for (const inner of outside(told))
    text += `\n${heading(inner, inner.place.slot === -1 ? ', its place is not known' : '')}`;
  return { text: text.replace(/\n{3,}/g, '\n\n').trim(), rest: {} };
}

/** The frames that were read and have no place in what the document around them tells. @param {Told} told */
function outside(told) {
  const shown = told.answer === null ? new Set() : shownIn(told.answer);
  return told.below.filter(
    ({ place, answer }) => !shown.has(place.slot) && !(answer?.frames?.missed && place.slot !== -1),
  );
}

/** @type {Writer} */
function writeSource(told) {
  const { data, frames } = told.answer ?? { data: { html: `<!-- ${notRead(told)} -->` } };
  const inner = (/** @type {Told} */ frame) => `<!-- frame ${titled(frame)} -->${writeSource(frame, null, 0).text}`;
  let text = String(data.html);
  if (frames) {
    text = text.replace(new RegExp(`⟦${frames.token}:(\\d+):\\d+⟧`, 'g'), (_, slot) => {
      const frame = inSlot(told, slot);
      return frame ? inner(frame) : '';
    });
  }
  for (const frame of outside(told)) text += `\n${inner(frame)}`;
  return { text, rest: {} };
}

/** @type {Writer} */
function writeTree(told, params, depth) {
  const { maxDepth = Infinity } = params;
  const { data, frames } = told.answer ?? { data: { tree: `- … ${notRead(told)}`, nodeCount: 1 } };
  let { nodeCount } = data;
  /** @type {string[]} */
  const lines = [];
  let omitted = 0;
  const add = (/** @type {string} */ line) => {
    const deep = /** @type {RegExpExecArray} */ (/^ */.exec(line))[0].length / 2;
    if (deep + depth < maxDepth) lines.push('  '.repeat(depth) + line);
    else omitted += 1;
  };
  const below = (/** @type {Told} */ frame, /** @type {number} */ at) => {
    const { text, rest } = writeTree(frame, params, depth + at);
    nodeCount += rest.nodeCount;
    if (text !== '') lines.push(text);
  };
  const mark = frames && new RegExp(`⟦${frames.token}:(\\d+):(\\d+)⟧`);
  for (const line of String(data.tree).split('\n')) {
    const hole = mark?.exec(line);
    if (!hole) {
      if (line !== '') add(line);
      continue;
    }
    const frame = inSlot(told, hole[1]);
    const isLine = line.length > hole[0].length;
    if (isLine) add(line.replace(hole[0], frame ? `[frame ${titled(frame)}]` : '').trimEnd());
    if (frame) below(frame, Number(hole[2]) + (isLine ? 1 : 0));
  }
  for (const frame of outside(told)) {
    if (frame.answer?.frames?.missed) continue;
    add(`- iframe [frame ${titled(frame)}${frame.place.slot === -1 ? ', its place is not known' : ''}]`);
    below(frame, 1);
  }
  if (omitted > 0) {
    nodeCount -= omitted;
    lines.push(`${'  '.repeat(Math.max(depth, 1) - 1)}- … ${omitted} more below frame ${titled(told)}`);
  }
  return { text: lines.join('\n'), rest: { nodeCount } };
}
