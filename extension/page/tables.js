/**
 * Tables as rows of texts: HTML tables with their spans and headers, and the tables and grids of ARIA, of which often only a
 * part is drawn. Which tables there are, and lists of like items, is in `lists.js`. Only what a person sees is told, and
 * what fields in a cell hold.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const TABLES = 'table, [role="table"], [role="grid"], [role="treegrid"]';
  const ROWS = 'tr, [role="row"]';
  const HEADERS = 'th, [role="columnheader"], [role="rowheader"]';
  const CELLS = `td, [role="cell"], [role="gridcell"], ${HEADERS}`;
  /** As far as browsers count. */
  const COLSPAN_MAX = 1_000;
  const TEXT_MAX = 2_000;

  // ---- Texts ----

  const FIELDS = /^(input|select|textarea)$/;
  const UNSAID = /^(script|style|noscript|template)$/;

  /** The text of an element as a person sees it, on one line. */
  page.said = (element) => {
    let text = '';
    page.walk(
      element,
      (node) => {
        if (node instanceof Text) {
          const around = page.parent(node);
          const isSeen = /\S/.test(node.data) && page.sees(node) && around instanceof Element && page.rendered(around);
          text += isSeen ? node.data : ' ';
          return false;
        }
        if (
          !(node instanceof Element) ||
          UNSAID.test(own.localName(node)) ||
          !page.laidOut(node) ||
          page.isSecret(node)
        )
          return false;
        const name = own.localName(node);
        if (FIELDS.test(name)) {
          text += page.visible(node) ? ` ${fieldText(node)} ` : '';
          return false;
        }
        if (name === 'br' || !isInline(node)) text += ' ';
        if (name === 'img' && page.visible(node)) text += own.getAttribute(node, 'alt') ?? '';
        return true;
      },
      (node) => {
        if (node instanceof Element && !isInline(node)) text += ' ';
      },
    );
    return page.shorten(page.collapse(text), TEXT_MAX);
  };
  const isInline = (/** @type {Element} */ element) => /^(inline|contents)/.test(getComputedStyle(element).display);
  const fieldText = (/** @type {Element} */ field) =>
    page.valueOf(field) ?? (page.isSecret(field) ? '' : (own.getAttribute(field, 'value') ?? ''));

  /** The text of a cell; of one that shows only a picture, what that is called. */
  const textOf = (/** @type {Element} */ cell) =>
    page.said(cell) || (page.isSecret(cell) ? '' : page.shorten(page.accessibleName(cell), TEXT_MAX));

  // ---- Which tables ----

  page.isTable = (element) =>
    own.matches(element, TABLES) && !/^(none|presentation)$/.test(own.getAttribute(element, 'role') ?? '');

  /** Whether it only places parts of the page. */
  page.isLayout = (table) => {
    if (own.localName(table) !== 'table' || own.matches(table, '[role], [aria-label], [aria-labelledby]')) return false;
    if (ofTable(table, 'caption, thead, th').length > 0) return false;
    if (own.querySelector(table, 'table') !== null) return true;
    return ofTable(table, ROWS).every((row) => cellsOf(row).length < 2);
  };

  /** What is in a table and in none that is in that. */
  const ofTable = (/** @type {Element} */ table, /** @type {string} */ selector) =>
    page.findAll(table, selector).filter((it) => it !== table && own.closest(it, TABLES) === table);
  const cellsOf = (/** @type {Element} */ row) =>
    page.findAll(row, CELLS).filter((cell) => own.closest(cell, ROWS) === row && page.rendered(cell));

  // ---- Rows ----

  const integer = (/** @type {Element} */ element, /** @type {string[]} */ ...names) => {
    for (const name of names) {
      const value = Number.parseInt(own.getAttribute(element, name) ?? '', 10);
      if (Number.isInteger(value)) return value;
    }
    return undefined;
  };

  /**
   * A row: grids draw columns that stand still apart from the others, in rows of the same number.
   * @typedef {{ parts: Element[], index: number | undefined, section: Element | null }} Row
   */

  /** @param {Element} table @returns {Row[]} */
  const rowsOf = (table) => {
    /** @type {Row[]} */
    const rows = [];
    /** @type {Map<number, Row>} */
    const byIndex = new Map();
    for (const element of ofTable(table, ROWS)) {
      if (!page.rendered(element)) continue;
      const index = integer(element, 'aria-rowindex');
      const known = index === undefined ? undefined : byIndex.get(index);
      if (known) {
        known.parts.push(element);
        continue;
      }
      const row = { parts: [element], index, section: own.parentElement(element) };
      rows.push(row);
      if (index !== undefined) byIndex.set(index, row);
    }
    // Rows that are reused as the grid is scrolled stand in any order.
    const isNumbered = rows.every(({ index }) => index !== undefined);
    return isNumbered ? rows.sort((a, b) => Number(a.index) - Number(b.index)) : rows;
  };

  const isHeader = (/** @type {Row} */ { parts, section }, /** @type {Element[]} */ cells) =>
    (section !== null && own.localName(section) === 'thead') ||
    (parts.length > 0 && cells.length > 0 && cells.every((cell) => own.matches(cell, HEADERS)));

  /** @typedef {{ text: () => string, left: number }} Span a cell that reaches into rows below */

  /**
   * The rows of a table, all with the same columns: a cell that spans several says the same in each.
   * @param {Element} table
   */
  const laidOut = (table) => {
    /** @type {(() => string)[][]} */
    const headers = [];
    /** @type {(() => string)[][]} */
    const rows = [];
    /** @type {Set<number>} columns that are drawn */
    const drawn = new Set();
    /** @type {Map<number, Span>} by column */
    let spans = new Map();
    /** @type {Element | null | undefined} */
    let section;
    /** @type {Row | undefined} */
    let first;
    const all = rowsOf(table);
    for (const row of all) {
      const cells = row.parts.flatMap(cellsOf);
      if (row.section !== section) spans = new Map();
      section = row.section;
      /** @type {(() => string)[]} */
      const line = [];
      let at = 0;
      const skip = () => {
        for (let span = spans.get(at); span; span = spans.get(at)) {
          line[at] = span.text;
          span.left -= 1;
          if (span.left === 0) spans.delete(at);
          at += 1;
        }
      };
      for (const cell of cells) {
        skip();
        const column = integer(cell, 'aria-colindex');
        if (column !== undefined && column >= 1) at = column - 1;
        const across = Math.min(Math.max(integer(cell, 'colspan', 'aria-colspan') ?? 1, 1), COLSPAN_MAX);
        const down = integer(cell, 'rowspan', 'aria-rowspan') ?? 1;
        const text = once(() => textOf(cell));
        for (let count = 0; count < across; count += 1, at += 1) {
          line[at] = text;
          drawn.add(at);
          // Zero reaches to the end of the section.
          if (down !== 1) spans.set(at, { text, left: down <= 0 ? Infinity : down - 1 });
        }
      }
      skip();
      if (cells.length === 0) continue;
      if (rows.length === 0 && isHeader(row, cells)) headers.push(line);
      else {
        first ??= row;
        rows.push(line);
      }
    }
    const columns = [...drawn].sort((a, b) => a - b);
    const pick = (/** @type {(() => string)[]} */ line) => columns.map((column) => line[column]?.() ?? '');
    const named = headers.map(pick);
    return {
      columns: columns.map((_, at) => [...new Set(named.map((line) => line[at]))].filter(Boolean).join(' / ')),
      rows,
      pick,
      total: totalOf(table, rows.length, headers.length, first?.index),
    };
  };

  /** @template Value @param {() => Value} make @returns {() => Value} */
  const once = (make) => {
    /** @type {{ value: Value } | undefined} */
    let made;
    return () => {
      made ??= { value: make() };
      return made.value;
    };
  };

  /** How many rows there are, drawn or not; those of the header count where the rows are counted with them. */
  const totalOf = (
    /** @type {Element} */ table,
    /** @type {number} */ count,
    /** @type {number} */ headers,
    /** @type {number | undefined} */ first,
  ) => {
    const all = integer(table, 'aria-rowcount') ?? 0;
    return Math.max(count, all - (first !== undefined && first <= headers ? 0 : headers));
  };

  /** @param {Element} table @param {number} offset @param {number} limit */
  page.tableOf = (table, offset, limit) => {
    const { columns, rows, pick, total } = laidOut(table);
    return { columns, rows: rows.slice(offset, offset + limit).map(pick), total };
  };

  page.captionOf = (element) => {
    const [caption] = own.localName(element) === 'table' ? ofTable(element, 'caption') : [];
    const given = (caption && page.said(caption)) || page.ownName(element);
    if (given) return given;
    const figure = own.closest(element, 'figure');
    const beside = figure && own.querySelector(figure, 'figcaption');
    return beside ? page.said(beside) : '';
  };
})();
