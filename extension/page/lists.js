/**
 * The tables of a page, and its lists of like items, such as search results and cards, as tables: items that stand beside
 * each other and have their texts in the same places. Each place is a column, and has the name that the page gives it by
 * its markup, if it does.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const LIMIT = 500;
  /** A larger part of a page is no item. */
  const PLACES_MAX = 40;
  /** How many items are looked at to tell whether they are alike. */
  const SAMPLE = 8;
  /** What is a list of something else. */
  const NO_LISTS =
    'nav, menu, header, footer, select, datalist, form fieldset, [role="navigation"], [role="menu"], [role="menubar"], [role="tablist"], [role="listbox"], [role="radiogroup"], [role="toolbar"], [role="banner"], [role="contentinfo"], [role="tree"]';
  const HEADING = 'h1, h2, h3, h4, h5, h6, [role="heading"]';
  const FIELDS = 'input:not([type="checkbox"]):not([type="hidden"]), select, textarea';

  // ---- Items ----

  /** @typedef {{ key: string, element: Element }} Spot a text of an item, by its place in that */
  /** @typedef {{ element: Element, spots: Spot[] }} Item */

  const firstClass = (/** @type {Element} */ element) =>
    (own.getAttribute(element, 'class') ?? '').trim().split(/\s+/)[0] ?? '';

  /** Where an item has its texts; null if it is too large to be one. @param {Element} item @returns {Spot[] | null} */
  const spotsOf = (item) => {
    /** @type {Spot[]} */
    const spots = [];
    /** @type {Map<string, number>} */
    const counts = new Map();
    const visit = (/** @type {Element} */ element, /** @type {string} */ path) => {
      if (spots.length > PLACES_MAX || /^(script|style|noscript|template)$/.test(own.localName(element))) return;
      if (!page.laidOut(element)) return;
      const children = page.children(element);
      const isText = children.some((node) => node instanceof Text && /\S/.test(node.data));
      if (isText || /^(img|input|select|textarea)$/.test(own.localName(element))) {
        if (!page.rendered(element)) return;
        const count = (counts.get(path) ?? 0) + 1;
        counts.set(path, count);
        spots.push({ key: count === 1 ? path : `${path}#${count}`, element });
        return;
      }
      for (const child of children) {
        if (child instanceof Element) visit(child, `${path} ${own.localName(child)}.${firstClass(child)}`);
      }
    };
    visit(item, '');
    return spots.length > PLACES_MAX ? null : spots;
  };

  const isLike = (/** @type {Item} */ { spots }, /** @type {Set<string>} */ common) => {
    const shared = new Set(spots.map(({ key }) => key).filter((key) => common.has(key))).size;
    return shared > 0 && shared * 2 >= common.size;
  };

  /** The places that most items have. @param {Item[]} items */
  const commonIn = (items) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { spots } of items) for (const { key } of spots) counts.set(key, (counts.get(key) ?? 0) + 1);
    return new Set([...counts].filter(([, count]) => count * 2 > items.length).map(([key]) => key));
  };

  /** What stands most often in an element: the same kind of elements. @param {Element} around @returns {Element[]} */
  const kindIn = (around) => {
    /** @type {Map<string, Element[]>} */
    const kinds = new Map();
    for (const child of page.children(around)) {
      if (!(child instanceof Element)) continue;
      const kind = `${own.localName(child)} ${own.getAttribute(child, 'role') ?? ''}`;
      const others = kinds.get(kind);
      if (others) others.push(child);
      else kinds.set(kind, [child]);
    }
    const [most = []] = [...kinds.values()].sort((a, b) => b.length - a.length);
    return most;
  };

  /**
   * The like items among what is in an element; none if there are too few.
   * @param {Element} around @param {{ least: number, places: number }} how how many items, with how many places
   * @returns {Item[]}
   */
  const itemsIn = (around, { least, places }) => {
    const most = kindIn(around);
    if (most.length < least) return [];
    const read = (/** @type {Element[]} */ elements) =>
      elements.flatMap((element) => {
        const spots = spotsOf(element);
        return spots === null || spots.length === 0 ? [] : [{ element, spots }];
      });
    const sample = read(most.slice(0, SAMPLE));
    const common = commonIn(sample);
    const alike = sample.filter((item) => isLike(item, common));
    if (
      common.size < places ||
      alike.length * 2 <= Math.min(most.length, SAMPLE) ||
      alike.length < Math.min(least, SAMPLE)
    ) {
      return [];
    }
    const all = [...sample, ...read(most.slice(SAMPLE))].filter((item) => isLike(item, common));
    return all.length < least ? [] : all;
  };

  /** Rows of cards are one list of cards, of which the last row may have a single one. @param {Element} around @returns {Item[]} */
  const cardsIn = (around) => {
    /** @type {Item[]} */
    const cards = [];
    /** @type {Set<string> | null} */
    let common = null;
    for (const row of kindIn(around)) {
      let at = row;
      for (let only = own.children(at); only.length === 1; only = own.children(at)) at = only[0];
      const inner = itemsIn(at, { least: 2, places: 2 });
      const spots = spotsOf(row) ?? [];
      const isAll = inner.reduce((sum, item) => sum + item.spots.length, 0) === spots.length;
      if (inner.length > 0 && isAll) {
        cards.push(...inner);
        continue;
      }
      if (cards.length === 0) return [];
      const single = { element: row, spots: [...own.children(row)].flatMap((child) => spotsOf(child) ?? []) };
      common ??= commonIn(cards);
      if (!isLike(single, common)) return [];
      cards.push(single);
    }
    return cards;
  };

  /** @param {Element} around @param {{ least: number, places: number }} how @returns {Item[]} */
  const listIn = (around, how) => {
    const cards = cardsIn(around);
    const items = cards.length >= how.least ? cards : itemsIn(around, how);
    // What a form asks for is no list of things.
    const fields = items.filter(({ element }) => own.querySelector(element, FIELDS));
    return fields.length * 2 > items.length ? [] : items;
  };

  // ---- Columns ----

  /** What the page calls a text of its items. @param {Element} element */
  const nameOf = (element) => {
    const said = own.getAttribute(element, 'itemprop') ?? own.getAttribute(element, 'data-field');
    if (said) return said;
    if (own.closest(element, HEADING)) return 'title';
    const tag = own.localName(element);
    if (tag === 'img') return 'image';
    if (tag === 'time' || tag === 'a') return tag === 'a' ? 'link' : 'time';
    const css = firstClass(element);
    return /^[a-z]+([_-]+[a-z]+)*$/i.test(css) && css.length <= 30 ? css : 'text';
  };

  /** @param {Item[]} items @param {number} offset @param {number} limit */
  const listed = (items, offset, limit) => {
    /** @type {Map<string, string>} */
    const columns = new Map();
    const names = new Map();
    for (const { spots } of items) {
      for (const { key, element } of spots) {
        if (columns.has(key) || columns.size >= PLACES_MAX) continue;
        const name = nameOf(element);
        const count = (names.get(name) ?? 0) + 1;
        names.set(name, count);
        columns.set(key, count === 1 ? name : `${name} ${count}`);
      }
    }
    const linkOf = (/** @type {Element} */ item) => page.findAll(item, 'a[href]').find(page.visible);
    const links = items.some(({ element }) => linkOf(element) !== undefined);
    const rows = items.slice(offset, offset + limit).map(({ element, spots }) => {
      const texts = new Map(spots.map((spot) => [spot.key, page.said(spot.element)]));
      const link = linkOf(element);
      const address = link ? [String(/** @type {HTMLAnchorElement} */ (link).href)] : [''];
      return [...[...columns.keys()].map((key) => texts.get(key) ?? ''), ...(links ? address : [])];
    });
    const named = [...columns.values(), ...(links ? ['address'] : [])];
    // What no item shows is no column.
    const shown = named.map((_, at) => rows.length === 0 || rows.some((row) => row[at] !== ''));
    const setSize = Number.parseInt(own.getAttribute(items[0].element, 'aria-setsize') ?? '', 10) || 0;
    return {
      columns: named.filter((_, at) => shown[at]),
      rows: rows.map((row) => row.filter((_, at) => shown[at])),
      total: Math.max(items.length, setSize),
    };
  };

  // ---- What there is ----

  const STRICT = { least: 3, places: 2 };

  /**
   * The tables, lists and frames below an element, itself included, in document order.
   * @param {Element} root @param {boolean} chosen it was named: whatever is in it counts
   * @returns {Map<Element, Item[] | null>} the items of lists
   */
  const allIn = (root, chosen) => {
    /** @type {Map<Element, Item[] | null>} */
    const found = new Map();
    /** What the walk is in, in which lists are parts of something else. @type {Element[]} */
    const inside = [];
    page.walk(
      root,
      (node) => {
        if (!(node instanceof Element) || !page.laidOut(node) || page.isSecret(node)) return false;
        if (page.slotOf(node) !== undefined) {
          found.set(node, null);
          return false;
        }
        if (page.isTable(node)) {
          const isMeant =
            !page.isLayout(node) || (chosen && node === root && own.querySelector(node, 'table') === null);
          if (isMeant && page.visible(node)) {
            found.set(node, null);
            inside.push(node);
          }
          return true;
        }
        if (inside.length > 0) return true;
        if (!chosen && own.matches(node, NO_LISTS)) {
          inside.push(node);
          return true;
        }
        const items = listIn(node, chosen && node === root ? { least: 2, places: 1 } : STRICT);
        if (items.length > 0) {
          found.set(node, items);
          inside.push(node);
        }
        return true;
      },
      (node) => {
        if (inside.at(-1) === node) inside.pop();
      },
    );
    return found;
  };

  /** @param {Element} element */
  const allAt = (element) => {
    const within = allIn(element, true);
    if (within.size > 0) return within;
    for (let at = page.parent(element); at instanceof Element; at = page.parent(at)) {
      if (page.isTable(at)) return new Map([[at, null]]);
      const items = listIn(at, STRICT);
      if (items.some((item) => page.holds(item.element, element))) return new Map([[at, items]]);
    }
    const what = page.describe(element);
    return page.fail('ELEMENT_NOT_FOUND', `there is no table, grid or list of like items in or around ${what}`);
  };

  page.commands.table = ({ target, limit = LIMIT, offset = 0 }) => {
    const root = own.documentElement(document);
    /** @type {Map<Element, Item[] | null>} */
    let all = new Map();
    if (target !== undefined) all = allAt(page.resolve(target));
    else if (root) all = allIn(root, false);
    const numbers = page.numbers('el');
    const tables = page.withFrames('tables', [...all.keys()]).map((element) => {
      const items = all.get(element);
      const caption = page.captionOf(element);
      const n = numbers.of(element);
      return {
        ...(caption === '' ? {} : { caption }),
        ...(items ? listed(items, offset, limit) : page.tableOf(element, offset, limit)),
        ...(n === undefined ? {} : { n }),
      };
    });
    return { tables };
  };
})();
