/**
 * The clipboard that keys copy to and paste from: the session's own, never the person's. It holds plain text.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const selection = () => /** @type {Selection} */ (getSelection());

  /** Where a text is edited, the events of the clipboard go to what the selection begins in. */
  const selectedIn = (/** @type {Element} */ on) => {
    const start = page.isTextual(on)
      ? null
      : selection().rangeCount > 0
        ? selection().getRangeAt(0).startContainer
        : null;
    const element = start instanceof Element ? start : start && own.parentElement(start);
    return element && own.contains(on, element) ? element : on;
  };

  const selectedText = (/** @type {Element} */ on) => {
    if (!page.isTextual(on)) return selection().toString();
    const { value, selectionStart, selectionEnd, type } = /** @type {HTMLInputElement} */ (on);
    if (type === 'password') return '';
    return selectionStart === null ? selection().toString() : value.slice(selectionStart, selectionEnd ?? 0);
  };

  /** @param {Element} on @param {'copy' | 'cut' | 'paste'} type @param {DataTransfer} clipboardData */
  const clip = (on, type, clipboardData) => {
    const init = { bubbles: true, cancelable: true, composed: true };
    if (type !== 'paste') own.dispatchEvent(on, new ClipboardEvent(`before${type}`, init));
    return own.dispatchEvent(on, new ClipboardEvent(type, { ...init, clipboardData }));
  };

  page.copy = (focused, type) => {
    const data = new DataTransfer();
    const on = selectedIn(focused);
    const text = selectedText(on);
    const mine = clip(on, type, data);
    if (!mine) {
      page.clipboard = data.getData('text/plain');
      return;
    }
    if (text === '' || (type === 'cut' && !page.takesText(on))) return;
    page.clipboard = text;
    if (type === 'cut' && page.mayChange(on, 'deleteByCut')) page.changeAs('deleteByCut', () => page.command('delete'));
  };

  page.paste = (focused) => {
    const on = selectedIn(focused);
    const text = page.clipboard ?? '';
    const data = new DataTransfer();
    if (text !== '') data.setData('text/plain', text);
    if (!clip(on, 'paste', data) || !page.takesText(on) || text === '') return;
    const field = page.isTextual(on);
    const about = field ? { data: text } : { dataTransfer: data };
    if (!page.mayChange(on, 'insertFromPaste', about) || !page.goesIn(on, text)) return;
    page.changeAs('insertFromPaste', () => page.command('insertText', text), field ? text : null, field ? null : data);
  };
})();
