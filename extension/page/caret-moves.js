/**
 * Moving the caret and the selection with keys, by the browser's own moves, and scrolling to where they end.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const selection = () => /** @type {Selection} */ (getSelection());

  page.moveCaret = (on, to, by, extend, times = 1) => {
    if (extend && !startsSelecting(on)) return;
    for (let count = 0; count < times; count += 1) selection().modify(extend ? 'extend' : 'move', to, by);
    if (extend && page.isTextual(on) && !page.isCollapsed(on)) selected(on);
    if (on instanceof HTMLTextAreaElement) reveal(on, !extend && times > 1);
    page.mindScrollersOf(on);
    own.scrollIntoView(on, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
  };

  /** Whether the page lets a selection begin, outside of fields. */
  const startsSelecting = (/** @type {Element} */ on) => {
    const { anchorNode, isCollapsed } = selection();
    if (page.isTextual(on) || !isCollapsed || anchorNode === null) return true;
    return own.dispatchEvent(anchorNode, new Event('selectstart', { bubbles: true, cancelable: true }));
  };

  /** The height of a line. @param {Element} on */
  const lineOf = (on) => {
    const { lineHeight, fontSize } = getComputedStyle(on);
    return Number.parseFloat(lineHeight) || Number.parseFloat(fontSize) * NORMAL_LINE;
  };
  /** Of the line height `normal`, about. */
  const NORMAL_LINE = 1.15;
  /** A caret further down than so many lines is not looked for. */
  const LINES_MAX = 2_000;

  /** Scrolls to the caret of a textarea, whose line only the browser's own moves can tell. @param {HTMLTextAreaElement} area @param {boolean} toTop */
  const reveal = (area, toTop) => {
    if (own.scrollHeight(area) <= own.clientHeight(area)) return;
    const { selectionStart: start, selectionEnd: end, selectionDirection: direction } = area;
    const caret = direction === 'backward' ? start : end;
    area.setSelectionRange(caret, caret);
    let lines = 0;
    for (let at = -1; at !== area.selectionStart && lines < LINES_MAX; lines += 1) {
      at = area.selectionStart;
      selection().modify('move', 'backward', 'line');
      // The first line moves to its own start.
      if (area.selectionStart === 0 && !area.value.slice(0, at).includes('\n')) break;
    }
    area.setSelectionRange(start, end, direction);
    const top = lines * lineOf(area) + (Number.parseFloat(getComputedStyle(area).paddingTop) || 0);
    const height = (lineOf(area) + Number.parseFloat(getComputedStyle(area).fontSize) * NORMAL_LINE) / 2;
    const bottom = top + height - own.clientHeight(area);
    const now = own.scrollTop(area);
    const wanted = toTop ? top : Math.min(Math.max(now, bottom), top);
    if (wanted !== now) own.scrollBy(area, { top: wanted - now, behavior: 'instant' });
  };

  /** The browser sends it with the next frame. */
  const selected = (/** @type {Element} */ on) =>
    setTimeout(() => own.dispatchEvent(on, new Event('select', { bubbles: true })), 0);

  page.linesOfPage = (on) =>
    Math.max(1, Math.floor((Math.min(own.clientHeight(on), innerHeight) * page.PAGE_STEP) / lineOf(on)));
})();
