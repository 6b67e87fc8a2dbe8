/** Finding visible elements by what a reader knows of them: role, name, text, label, placeholder, test id. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const TEST_IDS = ['data-testid', 'data-test-id', 'data-test', 'data-cy', 'data-qa'];
  const LABELLED =
    'button, input, meter, output, progress, select, textarea, [aria-label], [aria-labelledby], [contenteditable]';
  const LIMIT = 10;
  const CANDIDATES_MAX = 10;
  const NEAREST_MAX = 5;
  const TEXT_MAX = 200;

  /** @typedef {import('../contract.js').FindParams} Criteria */
  /** @typedef {{ wanted: string, of: (element: Element) => string | null }} Condition */

  // What an icon font draws is a sign of its own: nobody can write it.
  const fold = (/** @type {string} */ text, /** @type {boolean} */ exact) => {
    const words = page.collapse(text.replace(/\p{Co}/gu, ' '));
    return exact ? words : words.toLowerCase();
  };

  const testIds = (/** @type {Element} */ element) =>
    TEST_IDS.map((name) => own.getAttribute(element, name)).filter((value) => value !== null);

  /** Whether an element meets all criteria but for the text that it shows. @param {Criteria} criteria */
  const judge = ({ role, name, label, placeholder, testId, exact = false }) => {
    const meets = (/** @type {string} */ wanted, /** @type {string | null | undefined} */ text) => {
      if (text === null || text === undefined) return false;
      const [a, b] = [fold(wanted, exact), fold(text, exact)];
      return exact ? a === b : b.includes(a);
    };
    return (/** @type {Element} */ element) =>
      (role === undefined || page.toldRole(element).toLowerCase() === page.collapse(role).toLowerCase()) &&
      (testId === undefined || testIds(element).some((id) => meets(testId, id))) &&
      (placeholder === undefined ||
        meets(
          placeholder,
          own.getAttribute(element, 'placeholder') ?? own.getAttribute(element, 'aria-placeholder'),
        )) &&
      (label === undefined || (own.matches(element, LABELLED) && meets(label, page.ownName(element)))) &&
      (name === undefined || (page.toldRole(element) !== '' && meets(name, page.accessibleName(element)))) &&
      page.visible(element);
  };

  const isHidden = (/** @type {Element} */ element) =>
    /^(script|style|noscript|template|head)$/.test(own.localName(element)) || !page.laidOut(element);
  const isButton = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement && /^(submit|reset|button)$/.test(element.type);

  /**
   * The visible elements that meet all criteria, of nested ones the innermost, in document order, frames between them.
   * @param {Criteria} criteria
   */
  const all = (criteria) => {
    const { text: wanted, exact = false } = criteria;
    const meetsRest = judge(criteria);
    const needle = wanted === undefined ? null : fold(wanted, exact);
    /** @type {Element[]} */
    const found = [];
    /** Of each element that the walk is in: the text below it so far, and how many were found before it. @type {{ text: string, before: number }[]} */
    const path = [];
    const enter = (/** @type {Node} */ node) => {
      if (node instanceof Text) {
        const at = path.at(-1);
        const around = own.parentNode(node);
        if (needle !== null && at && /\S/.test(node.data)) {
          const element = around instanceof ShadowRoot ? around.host : /** @type {Element} */ (around);
          if (page.sees(node) && page.rendered(element)) at.text += node.data;
          else at.text += ' ';
        } else if (at) at.text += ' ';
        return false;
      }
      if (!(node instanceof Element) || isHidden(node)) return false;
      if (page.slotOf(node) !== undefined) found.push(node);
      path.push({
        text: needle !== null && isButton(node) ? /** @type {HTMLInputElement} */ (node).value : '',
        before: found.length,
      });
      return true;
    };
    const leave = (/** @type {Node} */ node) => {
      const element = /** @type {Element} */ (node);
      const { text, before } = /** @type {{ text: string, before: number }} */ (path.pop());
      const nested = found.slice(before).some((inner) => page.slotOf(inner) === undefined);
      if (!nested && meets(text) && meetsRest(element)) found.push(element);
      const around = path.at(-1);
      if (around && needle !== null) {
        const edge = /^(inline|contents)$/.test(getComputedStyle(element).display) ? '' : ' ';
        around.text += edge + text + edge;
      }
    };
    const meets = (/** @type {string} */ text) => {
      if (needle === null) return true;
      const folded = fold(text, exact);
      return exact ? folded === needle : folded.includes(needle);
    };
    const root = own.documentElement(document);
    if (root) page.walk(root, enter, leave);
    return found;
  };

  /** @param {Criteria} criteria */
  const described = ({ role, name, text, label, placeholder, testId }) =>
    Object.entries({ role, name, text, label, placeholder, 'test id': testId })
      .filter(([, value]) => value !== undefined)
      .map(([what, value]) => `${what} ${JSON.stringify(value)}`)
      .join(', ');

  // ---- One element, for an act ----

  page.described = (criteria) => {
    const found = all(criteria).filter((element) => page.slotOf(element) === undefined);
    const { nth } = criteria;
    const chosen = nth === undefined ? found : found.slice(nth, nth + 1);
    const what = described(criteria);
    if (chosen.length === 0) {
      const near = nearest(criteria).map(({ said }) => said);
      return page.fail('ELEMENT_NOT_FOUND', noneFound(what, nth, found.length, near));
    }
    if (chosen.length > 1) {
      // Where there are frames, all of them were searched before.
      const numbers = page.isFramed() ? null : page.numbers('el');
      const candidates = chosen.slice(0, CANDIDATES_MAX).map((element) => {
        const name = page.accessibleName(element);
        const n = numbers?.of(element, name);
        return { ...(n === undefined ? {} : { n }), role: page.toldRole(element), name: page.shorten(name, TEXT_MAX) };
      });
      page.fail(
        'SELECTOR_AMBIGUOUS',
        `${chosen.length} visible elements match ${what}: use the handle of one, or nth`,
        {
          count: chosen.length,
          candidates,
        },
      );
    }
    return chosen[0];
  };
  const noneFound = (
    /** @type {string} */ what,
    /** @type {number | undefined} */ nth,
    /** @type {number} */ count,
    /** @type {string[]} */ near,
  ) => {
    if (count > 0) return `only ${count} visible elements match ${what}: nth ${nth} counts from 0`;
    return `no visible element matches ${what}${near.length > 0 ? `; the nearest are ${near.join(', ')}` : ''}`;
  };

  // ---- What comes near ----

  const pairs = (/** @type {string} */ text) => {
    const plain = ` ${fold(text, false)} `;
    return new Set(Array.from({ length: plain.length - 1 }, (_, at) => plain.slice(at, at + 2)));
  };
  const likeness = (/** @type {Set<string>} */ a, /** @type {Set<string>} */ b) =>
    (2 * [...a].filter((pair) => b.has(pair)).length) / (a.size + b.size);

  const NAMED =
    'a[href], button, input, select, textarea, summary, label, h1, h2, h3, h4, h5, h6, [role], [aria-label], [contenteditable]';

  /** @param {Criteria} criteria @returns {{ said: string, score: number }[]} */
  const nearest = ({ role, name, text, label, placeholder, testId }) => {
    const wanted = name ?? text ?? label ?? placeholder ?? testId;
    const root = own.documentElement(document);
    if (!root) return [];
    const of = wanted === undefined ? null : pairs(wanted);
    /** @type {Map<string, number>} */
    const scores = new Map();
    for (const element of page.findAll(root, NAMED)) {
      const is = page.toldRole(element);
      if (role !== undefined && of === null && is === '') continue;
      const called =
        placeholder !== undefined && name === undefined
          ? (own.getAttribute(element, 'placeholder') ?? '')
          : testId !== undefined && name === undefined
            ? (testIds(element)[0] ?? '')
            : page.accessibleName(element);
      if (called === '' || !page.visible(element)) continue;
      const said = `${is || own.localName(element)} ${JSON.stringify(page.shorten(called, 60))}`;
      const score = (of === null ? 0 : likeness(of, pairs(called))) + (role !== undefined && is === role ? 0.3 : 0);
      if (score > (scores.get(said) ?? 0.15)) scores.set(said, score);
    }
    return [...scores]
      .map(([said, score]) => ({ said, score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, NEAREST_MAX);
  };

  // ---- A list of them ----

  page.commands.find = ({ limit = LIMIT, nth, near = false, numbered = true, ...criteria }) => {
    const shown = page.withFrames('matches', all(criteria));
    // Which one it is that is meant is known only when all frames were asked.
    const isWhole = !page.isFramed();
    const found = nth === undefined || !isWhole ? shown : shown.slice(nth, nth + 1);
    const most = isWhole || nth === undefined ? limit : nth + 1;
    const target = page.namer();
    const numbers = numbered ? page.numbers('el') : null;
    const matches = found.slice(0, most).map((element) => {
      const name = page.accessibleName(element);
      const n = numbers?.of(element, name);
      const text = page.shorten(page.shownText(element), TEXT_MAX);
      const value = page.valueOf(element);
      const states = page.states(element);
      return {
        ...target(element),
        role: page.toldRole(element),
        name: page.nameAndText(element, name),
        ...(text === '' || text === name ? {} : { text }),
        ...(value === undefined ? {} : { value: page.shorten(value, TEXT_MAX) }),
        ...(states.length === 0 ? {} : { states }),
        ...(n === undefined ? {} : { n }),
      };
    });
    return { matches, total: found.length, ...(near && shown.length === 0 ? { nearest: nearest(criteria) } : {}) };
  };
})();
