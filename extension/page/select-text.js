/** Selecting text: of a field, or of any part of the page, with the events of a mouse that is dragged over it. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.commands['select-text'] = async ({ target, text, nth = 0 }) => {
    const { order } = page;
    const element = page.actionable(target);
    page.acted = element;
    const isField = page.isText(element);
    if (!isField && element instanceof HTMLInputElement)
      page.notActionable(element, 'has no text that can be selected');
    const part = isField ? inField(/** @type {HTMLInputElement} */ (element), text, nth) : inPage(element, text, nth);
    if (part === null) {
      const which = nth > 0 ? ` ${nth + 1} times` : '';
      return page.fail('ELEMENT_NOT_FOUND', `${page.describe(element)} does not read ${JSON.stringify(text)}${which}`);
    }
    own.scrollIntoView(part.scrolls, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    const { first, last } = part.ends();
    const hit = hitOf(element, first);
    const mouse = page.mouse();
    mouse.move(hit, first);
    const reacts = mouse.down(hit, first, 0, 1);
    if (reacts) page.focusFromPointer(hit);
    if (reacts && !isField) {
      const start = new Event('selectstart', { bubbles: true, cancelable: true });
      if (!own.dispatchEvent(part.node, start)) page.notActionable(element, 'does not let its text be selected');
    }
    await page.pause(order, 0);
    const over = page.hitAt(last) ?? hit;
    mouse.move(over, last);
    part.select();
    page.tellFocus();
    await page.pause(order, 0);
    const on = page.hitAt(last) ?? hit;
    const clicked = mouse.up(on, last, 1);
    // The click that ends a selection on a link or a button is none of it.
    if (clicked && page.isHere(clicked) && !own.closest(clicked, 'a[href], button, label, summary'))
      mouse.activate(clicked, last, 1);
    page.after = () => ({ selected: page.isSecret(element) ? '' : part.selected() });
    if (part.selected() === '') page.notActionable(element, 'has no text that can be selected');
    return {};
  };

  /**
   * @typedef {object} Part
   * @property {Node} node where it begins
   * @property {Element} scrolls what has to be in sight
   * @property {() => { first: PagePoint, last: PagePoint }} ends
   * @property {() => void} select
   * @property {() => string} selected
   */

  const hitOf = (/** @type {Element} */ element, /** @type {PagePoint} */ at) => {
    const hit = page.hitAt(at);
    if (hit && page.reaches(element, hit)) return hit;
    return page.notActionable(element, hit ? `is covered by ${page.describe(hit)}` : 'cannot be scrolled into view');
  };

  /** The place of an occurrence in a text. @returns {number} */
  const find = (/** @type {string} */ all, /** @type {string} */ text, /** @type {number} */ nth) => {
    let at = -1;
    for (let left = nth; left >= 0; left -= 1) {
      at = all.indexOf(text, at + 1);
      if (at < 0) break;
    }
    return at;
  };

  /** @returns {Part | null} */
  const inField = (
    /** @type {HTMLInputElement} */ field,
    /** @type {string | undefined} */ text,
    /** @type {number} */ nth,
  ) => {
    const start = text === undefined ? 0 : find(field.value, text, nth);
    if (start < 0) return null;
    const end = text === undefined ? field.value.length : start + text.length;
    return {
      node: field,
      scrolls: field,
      ends: () => ({ first: page.pointIn(field, { x: 0, y: 0.5 }), last: page.pointIn(field, { x: 1, y: 0.5 }) }),
      select: () => {
        page.takeFocus(field);
        field.setSelectionRange(start, end, 'forward');
      },
      selected: () => field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0),
    };
  };

  /** The texts of an element that are drawn, in order. */
  const textsOf = (/** @type {Element} */ element) => {
    /** @type {Text[]} */
    const texts = [];
    page.walk(element, (node) => {
      if (node instanceof Text) texts.push(node);
      return node instanceof Element && !own.matches(node, 'script, style') && page.rendered(node);
    });
    const root = own.getRootNode(texts[0] ?? element);
    // A selection ends at the border of a shadow tree.
    return texts.filter((it) => own.getRootNode(it) === root);
  };

  /** The letters of texts as a person reads them, white space as one space, each with where it is. */
  const lettersOf = (/** @type {Text[]} */ texts) => {
    let all = '';
    /** @type {[Text, number][]} */
    const places = [];
    for (const text of texts) {
      const keeps = /pre|break-spaces/.test(
        getComputedStyle(/** @type {Element} */ (own.parentElement(text) ?? own.body(document))).whiteSpace,
      );
      for (let at = 0; at < text.data.length; at += 1) {
        const letter = text.data[at];
        const space = /\s/.test(letter);
        if (space && !keeps && (all === '' || all.endsWith(' '))) continue;
        all += space && !keeps ? ' ' : letter;
        places.push([text, at]);
      }
    }
    return { all, places };
  };

  /** @returns {Part | null} */
  const inPage = (
    /** @type {Element} */ element,
    /** @type {string | undefined} */ text,
    /** @type {number} */ nth,
  ) => {
    const texts = textsOf(element).filter((it) => it.data.trim() !== '');
    if (texts.length === 0) return page.notActionable(element, 'has no text that can be selected');
    /** @type {[Text, number, Text, number]} */
    let ends = [texts[0], 0, texts[texts.length - 1], texts[texts.length - 1].data.length];
    if (text === undefined) {
      const [first, last] = [texts[0], texts[texts.length - 1]];
      ends = [first, first.data.length - first.data.trimStart().length, last, last.data.trimEnd().length];
    } else {
      const { all, places } = lettersOf(texts);
      const wanted = all.includes(text) ? text : text.replace(/\s+/g, ' ').trim();
      const start = wanted === '' ? -1 : find(all, wanted, nth);
      if (start < 0) return null;
      const [from, at] = places[start];
      const [till, to] = places[start + wanted.length - 1];
      ends = [from, at, till, to + 1];
    }
    const [from, start, till, end] = ends;
    const range = own.createRange(document);
    range.setStart(from, start);
    range.setEnd(till, end);
    const around = /** @type {Element} */ (own.parentElement(from) ?? element);
    if (getComputedStyle(around).userSelect === 'none')
      page.notActionable(element, 'does not let its text be selected (user-select: none)');
    return {
      node: from,
      scrolls: around,
      ends: () => {
        const rects = [...range.getClientRects()].filter(({ width, height }) => width > 0 && height > 0);
        const [one] = rects;
        const other = rects.at(-1);
        if (!one || !other) return page.notActionable(element, 'has no text that can be selected');
        const middle = (/** @type {DOMRect} */ { top, bottom }) => (top + bottom) / 2;
        return {
          first: { clientX: one.left + 0.5, clientY: middle(one) },
          last: { clientX: Math.max(other.right - 0.5, other.left), clientY: middle(other) },
        };
      },
      select: () => getSelection()?.setBaseAndExtent(from, start, till, end),
      selected: () => getSelection()?.toString() ?? '',
    };
  };
})();
