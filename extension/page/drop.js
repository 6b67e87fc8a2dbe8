/** HTML drag and drop, as the browser does it once a mouse has moved what can be dragged. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.draggable = (hit) => {
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) {
      if (!(at instanceof Element)) continue;
      const drags = getComputedStyle(at).getPropertyValue('-webkit-user-drag');
      if (drags === 'none') continue;
      if (drags === 'element' || at instanceof HTMLImageElement) return at;
      if (at instanceof HTMLAnchorElement && own.hasAttribute(at, 'href')) return at;
    }
    return null;
  };

  /** What the browser itself gives along with a link or a picture. */
  const fill = (/** @type {DataTransfer} */ data, /** @type {Element} */ source) => {
    const link = source instanceof HTMLAnchorElement ? source.href : null;
    const url = link ?? (source instanceof HTMLImageElement ? source.src : null);
    if (!url || own.getAttribute(source, 'draggable') === 'true') return;
    data.setData('text/uri-list', url);
    data.setData('text/plain', url);
    const [address, text] = [url, own.textContent(source) ?? ''].map(escaped);
    data.setData('text/html', link === null ? `<img src="${address}">` : `<a href="${address}">${text}</a>`);
  };

  const escaped = (/** @type {string} */ text) =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

  /** Fields take texts that are dropped on them without any help of the page. */
  const takesText = (/** @type {Element} */ element) =>
    page.isText(element)
      ? !(/** @type {HTMLInputElement} */ (element).readOnly) && !page.disabled(element)
      : element instanceof HTMLElement && own.isContentEditable(element);

  page.startDrop = (source, start, mouse, name) => {
    const dataTransfer = new DataTransfer();
    fill(dataTransfer, source);
    const transfer = page.transfer(name, dataTransfer);
    /** Sends an event; whether the page handles it. */
    const send = (
      /** @type {Element} */ on,
      /** @type {string} */ type,
      /** @type {PagePoint} */ at,
      /** @type {DragEventInit} */ more = {},
    ) => {
      if (!page.isHere(on)) return false;
      const buttons = type === 'dragend' ? 0 : 1;
      const all = { bubbles: true, cancelable: !/leave|end/.test(type), ...mouse.init(at), buttons, ...more };
      return !own.dispatchEvent(on, new DragEvent(type, { ...all, button: 0, dataTransfer }));
    };
    if (transfer.starts(() => send(source, 'dragstart', start))) return null;
    mouse.cancel();

    /** What it is over. @type {Element | null} */
    let target = null;
    /** The source was told of the move when something was entered. */
    let entered = false;
    const over = (/** @type {Element | null} */ hit, /** @type {PagePoint} */ at) => {
      const on = hit && page.isHere(hit) ? hit : null;
      if (on !== target) {
        transfer.source(() => send(source, 'drag', at));
        const before = target;
        target = on;
        if (on) transfer.over(() => send(on, 'dragenter', at, { relatedTarget: before }));
        if (before) transfer.leaves(() => send(before, 'dragleave', at, { relatedTarget: on }));
        entered = true;
        return;
      }
      if (!entered) transfer.source(() => send(source, 'drag', at));
      entered = false;
      if (!on || transfer.over(() => send(on, 'dragover', at))) return;
      // A text goes into a field by itself.
      if (takesText(on) && dataTransfer.types.includes('text/plain')) transfer.effect = 'copy';
    };
    return {
      over,
      end(hit, at) {
        if (hit !== target) over(hit, at);
        over(hit, at);
        const on = target;
        if (on && transfer.effect !== 'none') {
          const done = transfer.drops(() => send(on, 'drop', at));
          if (!done && page.isHere(on) && takesText(on)) insert(on, dataTransfer.getData('text/plain'));
        } else if (on) transfer.leaves(() => send(on, 'dragleave', at, { buttons: 0 }));
        transfer.ends(() => send(source, 'dragend', at));
        const under = page.hitAt(at);
        if (under) mouse.rest(under, at);
      },
    };
  };

  const insert = (/** @type {Element} */ on, /** @type {string} */ text) => {
    if (text === '') return;
    page.takeFocus(on);
    const init = { bubbles: true, composed: true, inputType: 'insertFromDrop', data: text };
    if (!own.dispatchEvent(on, new InputEvent('beforeinput', { ...init, cancelable: true }))) return;
    if (page.isText(on)) {
      const field = /** @type {HTMLInputElement} */ (on);
      field.setRangeText(text, field.selectionStart ?? 0, field.selectionEnd ?? 0, 'end');
      own.dispatchEvent(on, new InputEvent('input', init));
    } else own.execCommand(document, 'insertText', false, text);
  };
})();
