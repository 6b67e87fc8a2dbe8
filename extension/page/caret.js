/** What a press of the mouse does to the selection: the caret goes to the place, twice is a word, three times a paragraph. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Fields whose text can be selected by script. */
  const SELECTABLE = /^(text|search|url|tel|password)$/;
  /** Where a press selects nothing. */
  const NEVER = 'button, select, option, input, img, area, canvas, video, audio';

  page.isText = (element) =>
    element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && SELECTABLE.test(element.type));

  page.caretAt = ({ clientX, clientY }, hit) => {
    /** @type {ShadowRoot[]} */
    const shadowRoots = [];
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) {
      const root = own.getRootNode(at);
      if (root instanceof ShadowRoot && !shadowRoots.includes(root)) shadowRoots.push(root);
    }
    const caret = own.caretPositionFromPoint(document, clientX, clientY, { shadowRoots });
    return caret && { node: caret.offsetNode, offset: caret.offset };
  };

  page.caretFromPointer = (hit, at, { button = 0, count = 1, extend = false } = {}) => {
    const caret = page.caretAt(at, hit);
    if (!caret) return null;
    const { node, offset } = caret;
    if (page.isText(hit)) {
      const field = /** @type {HTMLInputElement} */ (hit);
      if (node !== field || own.activeElement(/** @type {Document} */ (own.getRootNode(field))) !== field) return null;
      return inField(field, offset, count, extend) ? caret : null;
    }
    if (own.closest(hit, NEVER) || getComputedStyle(hit).userSelect === 'none' || isDraggable(hit)) return null;
    const selection = getSelection();
    if (!selection) return null;
    const starts = node instanceof Element ? node : own.parentNode(node);
    if (!starts || !page.isHere(/** @type {Element} */ (starts instanceof ShadowRoot ? starts.host : starts)))
      return null;
    // A press keeps what is selected where it opens a menu for it.
    if (button !== 0 && inSelection(selection, at)) return null;
    const start = new Event('selectstart', { bubbles: true, cancelable: true });
    if (!own.dispatchEvent(isOver(node, offset, at) ? node : hit, start)) return null;
    if (extend && selection.anchorNode) selection.extend(node, offset);
    else {
      selection.setPosition(node, offset);
      if (count === 2) selectWord(selection, node, offset, at);
      if (count === 3) selectParagraph(selection);
    }
    return caret;
  };

  /** Whether the letter before or after a caret is at the point. */
  const isOver = (/** @type {Node} */ node, /** @type {number} */ offset, /** @type {PagePoint} */ at) => {
    if (!(node instanceof Text)) return false;
    const range = own.createRange(document);
    range.setStart(node, Math.max(offset - 1, 0));
    range.setEnd(node, Math.min(offset + 1, node.length));
    return covers(range, at);
  };

  const covers = (/** @type {Range} */ range, /** @type {PagePoint} */ { clientX: x, clientY: y }) =>
    [...range.getClientRects()].some(
      ({ left, top, right, bottom }) => left <= x && x < right && top <= y && y < bottom,
    );

  const inSelection = (/** @type {Selection} */ selection, /** @type {PagePoint} */ at) =>
    !selection.isCollapsed && selection.rangeCount > 0 && covers(selection.getRangeAt(0), at);

  /** A press on a link or on something draggable may be the start of a drag. */
  const isDraggable = (/** @type {Element} */ hit) => page.draggable?.(hit) ?? false;

  /** @param {HTMLInputElement} field @param {number} offset @param {number} count @param {boolean} extend */
  const inField = (field, offset, count, extend) => {
    const { value, selectionStart, selectionEnd, selectionDirection } = field;
    if (extend) {
      const anchor = (selectionDirection === 'backward' ? selectionEnd : selectionStart) ?? 0;
      field.setSelectionRange(
        Math.min(anchor, offset),
        Math.max(anchor, offset),
        offset < anchor ? 'backward' : 'forward',
      );
    } else if (count === 1) collapse(field, offset);
    else {
      const [start, end] = count === 2 ? wordAt(value, offset) : lineAt(value, offset);
      field.setSelectionRange(start, end);
    }
    return true;
  };

  /** So long a `select` may take to come: it comes with the next frame. Milliseconds. */
  const SELECT_MS = 300;

  /** A script that puts the caret somewhere makes the browser send `select`, and a press does not. */
  const collapse = (/** @type {HTMLInputElement} */ field, /** @type {number} */ offset) => {
    if (field.selectionStart === offset && field.selectionEnd === offset) return;
    const hush = (/** @type {Event} */ event) => {
      if (!event.isTrusted || event.composedPath()[0] !== field) return;
      event.stopImmediatePropagation();
      own.removeEventListener(window, 'select', hush, true);
    };
    own.addEventListener(window, 'select', hush, true);
    setTimeout(() => own.removeEventListener(window, 'select', hush, true), SELECT_MS);
    field.setSelectionRange(offset, offset);
  };

  /** @type {Intl.Segmenter | undefined} */
  let segmenter;
  /** The word, or what is between two, at a place in a text. @returns {[number, number]} */
  const wordAt = (/** @type {string} */ text, /** @type {number} */ offset) => {
    segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' });
    // At the end of a text, the last one is meant.
    const found = segmenter.segment(text).containing(Math.min(offset, text.length - 1));
    if (!found) return [offset, offset];
    return [found.index, found.index + found.segment.length];
  };

  /** @returns {[number, number]} */
  const lineAt = (/** @type {string} */ text, /** @type {number} */ offset) => {
    const start = text.lastIndexOf('\n', offset - 1) + 1;
    const end = text.indexOf('\n', offset);
    return [start, end < 0 ? text.length : end + 1];
  };

  const selectWord = (
    /** @type {Selection} */ selection,
    /** @type {Node} */ node,
    /** @type {number} */ offset,
    /** @type {PagePoint} */ { clientX },
  ) => {
    if (!(node instanceof Text)) return;
    // The caret stands before the letter that was hit, or after it.
    const range = own.createRange(document);
    range.setStart(node, offset);
    const { left } = range.getBoundingClientRect();
    const letter = clientX < left && offset > 0 ? offset - 1 : offset;
    const [start, end] = wordAt(node.data, letter);
    selection.setBaseAndExtent(node, start, node, end);
  };

  const selectParagraph = (/** @type {Selection} */ selection) => {
    selection.modify('move', 'backward', 'paragraphboundary');
    selection.modify('extend', 'forward', 'paragraphboundary');
    // To the next one, if there is one.
    selection.modify('extend', 'forward', 'character');
  };
})();
