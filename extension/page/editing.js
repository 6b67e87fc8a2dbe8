/**
 * Editing text with keys, in fields and in editable content: the browser's own commands for the caret and for changes,
 * with the events around them that it sends for a person's keys, but not for a script's command.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Types of inputs that hold a text with a caret. */
  const TEXTUAL = /^(text|search|url|tel|email|password|number)$/;

  page.isTextual = (element) =>
    element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && TEXTUAL.test(element.type));

  /** The outermost editable element around one, as the browser focuses it, or null. */
  page.hostOfEditing = (element) => {
    if (!(element instanceof HTMLElement) || !own.isContentEditable(element)) return null;
    let host = element;
    for (let at = own.parentElement(host); at && own.isContentEditable(at); at = own.parentElement(at)) host = at;
    return host;
  };

  page.takesText = (element) => {
    if (page.isTextual(element)) {
      const field = /** @type {HTMLInputElement} */ (element);
      return !field.readOnly && !page.disabled(element);
    }
    return element instanceof HTMLElement && own.isContentEditable(element);
  };

  const inField = (/** @type {Element} */ on) => page.isTextual(on);

  const selection = () => /** @type {Selection} */ (getSelection());

  /** What takes a text without marks. */
  const isPlain = (/** @type {Element} */ on) =>
    inField(on) || own.contentEditable(/** @type {HTMLElement} */ (on)) === 'plaintext-only';

  /** A caret between two elements stands in the text before it, or else after it. @param {Range} range */
  const within = (range) => {
    const { startContainer, startOffset, endContainer, endOffset, collapsed } = range;
    let at = /** @type {Node} */ (startContainer);
    if (!collapsed || !(at instanceof Element)) return { startContainer, startOffset, endContainer, endOffset };
    const last = startOffset > 0;
    at = own.childNodes(at)[last ? startOffset - 1 : 0] ?? at;
    while (at instanceof Element && own.hasChildNodes(at))
      at = own.childNodes(at)[last ? own.childNodes(at).length - 1 : 0];
    if (!(at instanceof Text)) return { startContainer, startOffset, endContainer, endOffset };
    const offset = last ? at.data.length : 0;
    return { startContainer: at, startOffset: offset, endContainer: at, endOffset: offset };
  };

  /** Where a text is edited, the events of the clipboard go to what the selection begins in. */
  const selectedIn = (/** @type {Element} */ on) => {
    const start = inField(on) ? null : selection().rangeCount > 0 ? selection().getRangeAt(0).startContainer : null;
    const element = start instanceof Element ? start : start && own.parentElement(start);
    return element && own.contains(on, element) ? element : on;
  };

  /** Where a change will be, as events say it: nowhere in particular in a field. */
  const ranges = (/** @type {Element} */ on, /** @type {[string, string] | undefined} */ reach) => {
    const now = selection();
    if (isPlain(on) || now.rangeCount === 0) return [];
    const { anchorNode, anchorOffset, focusNode, focusOffset } = now;
    const reaches = now.isCollapsed && reach !== undefined && anchorNode !== null && focusNode !== null;
    if (reaches) now.modify('extend', ...reach);
    const target = new StaticRange(within(now.getRangeAt(0)));
    if (reaches) now.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
    return [target];
  };

  /**
   * Asks the page whether a change may be.
   * @param {Element} on @param {string} inputType
   * @param {{ data?: string | null, dataTransfer?: DataTransfer | null, reach?: [string, string] }} [about]
   */
  const mayChange = (on, inputType, { data = null, dataTransfer = null, reach } = {}) => {
    if (inField(on) && !edited.has(on)) edited.set(on, /** @type {HTMLInputElement} */ (on).value);
    const targetRanges = ranges(on, reach);
    const init = { bubbles: true, cancelable: true, composed: true, view: window };
    return own.dispatchEvent(
      on,
      new InputEvent('beforeinput', { ...init, inputType, data, dataTransfer, targetRanges }),
    );
  };

  page.asksToInsert = (on, text) => mayChange(on, 'insertText', { data: text });

  /** The event that browsers send beside: some libraries listen to nothing else. */
  const goesIn = (/** @type {Element} */ on, /** @type {string} */ text) => {
    const event = own.createEvent(document, 'TextEvent');
    event.initTextEvent('textInput', true, true, window, text);
    return own.dispatchEvent(on, event);
  };

  /** Runs a command, whose `input` event is to name another cause. @param {string | null} inputType null: none @param {() => void} run @param {string | null} [data] @param {DataTransfer | null} [dataTransfer] */
  const as = (inputType, run, data = null, dataTransfer = null) => {
    /** @type {EventTarget | null} */
    let changed = null;
    const hear = (/** @type {Event} */ event) => {
      if (!event.isTrusted) return;
      event.stopImmediatePropagation();
      changed = event.composedPath()[0];
    };
    own.addEventListener(window, 'input', hear, true);
    run();
    own.removeEventListener(window, 'input', hear, true);
    if (changed === null) return;
    const init = { bubbles: true, composed: true };
    const event =
      inputType === null
        ? new Event('input', init)
        : new InputEvent('input', { ...init, view: window, inputType, data, dataTransfer });
    own.dispatchEvent(changed, event);
  };

  const command = (/** @type {string} */ name, /** @type {string} */ value = '') =>
    own.execCommand(document, name, false, value);

  // ---- What was typed counts as a change when the field is left, which the browser sees to, and on Enter ----

  /** What fields held before keys changed them. @type {WeakMap<Element, string>} */
  const edited = new WeakMap();
  /** What fields held when the page was told of the change. @type {WeakMap<Element, string>} */
  const committed = new WeakMap();

  page.commit = (on) => {
    const { value } = /** @type {HTMLInputElement} */ (on);
    if (!edited.has(on) || edited.get(on) === value) return;
    edited.set(on, value);
    committed.set(on, value);
    own.dispatchEvent(on, new Event('change', { bubbles: true }));
    page.tellFocus();
  };

  // The browser does not know of it, and tells the page again when the field is left.
  own.addEventListener(
    window,
    'change',
    (/** @type {Event} */ event) => {
      const field = event.composedPath()[0];
      if (!event.isTrusted || !(field instanceof HTMLInputElement)) return;
      edited.delete(field);
      if (committed.get(field) === field.value) event.stopImmediatePropagation();
      committed.delete(field);
    },
    true,
  );

  // ---- Text ----

  page.insertText = (on, text) => {
    if (!mayChange(on, 'insertText', { data: text }) || !goesIn(on, text)) return;
    // A field that is read-only is asked as well.
    if (page.takesText(on)) command('insertText', text);
  };

  page.insertBreak = (on, isLine) => {
    const multiline = !(on instanceof HTMLInputElement);
    const plain = isPlain(on);
    const inputType = isLine || plain ? 'insertLineBreak' : 'insertParagraph';
    if (!mayChange(on, inputType)) return false;
    if (!multiline || !goesIn(on, '\n')) return true;
    if (plain && !isLine) as(inputType, () => command('insertLineBreak'));
    else command(inputType);
    return true;
  };

  /** @param {Element} on @param {'backward' | 'forward'} direction @param {boolean} word */
  const remove = (on, direction, word) => {
    const byWord = word && isCollapsed(on);
    const toward = direction === 'backward' ? 'Backward' : 'Forward';
    const inputType = byWord ? `deleteWord${toward}` : `deleteContent${toward}`;
    if (!mayChange(on, inputType, { reach: [direction, byWord ? 'word' : 'character'] })) return;
    if (!byWord) {
      command(direction === 'backward' ? 'delete' : 'forwardDelete');
      return;
    }
    as(inputType, () => removeWord(on, direction));
  };

  /** @param {Element} on @param {'backward' | 'forward'} direction */
  const removeWord = (on, direction) => {
    const field = /** @type {HTMLInputElement} */ (on);
    const from = inField(on) ? field.selectionStart : null;
    selection().modify('extend', direction, 'word');
    if (isCollapsed(on)) return;
    if (from === null) {
      command('delete');
      return;
    }
    // One by one, so that undoing it gives back the caret and no selection.
    let left = Number(field.selectionEnd) - Number(field.selectionStart);
    // Back to the caret, without the event of a script's own selection.
    selection().modify('move', direction === 'backward' ? 'forward' : 'backward', 'character');
    while (left > 0) {
      const { length } = field.value;
      command(direction === 'backward' ? 'delete' : 'forwardDelete');
      if (field.value.length >= length) break;
      left -= length - field.value.length;
    }
  };

  /** What is selected in a field that does not tell it: the browser's selection knows. */
  const isCollapsed = (/** @type {Element} */ on) => {
    if (!inField(on)) return selection().isCollapsed;
    const field = /** @type {HTMLInputElement} */ (on);
    if (field.selectionStart !== null) return field.selectionStart === field.selectionEnd;
    return selection().toString() === '';
  };

  // ---- The caret ----

  /** @param {Element} on @param {string} to @param {string} by @param {boolean} extend @param {number} [times] */
  const move = (on, to, by, extend, times = 1) => {
    for (let count = 0; count < times; count += 1) selection().modify(extend ? 'extend' : 'move', to, by);
    if (extend && inField(on) && !isCollapsed(on)) selected(on);
    if (on instanceof HTMLTextAreaElement) reveal(on, !extend && times > 1);
    page.mindScrollersOf(on);
    own.scrollIntoView(on, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
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

  /** How many lines a page of an element's text has, less what stays in view. */
  const linesOfPage = (/** @type {Element} */ on) =>
    Math.max(1, Math.floor((Math.min(own.clientHeight(on), innerHeight) * page.PAGE_STEP) / lineOf(on)));

  // ---- The clipboard: the session's own, never the person's ----

  const selectedText = (/** @type {Element} */ on) => {
    if (!inField(on)) return selection().toString();
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

  const copy = (/** @type {Element} */ focused, /** @type {'copy' | 'cut'} */ type) => {
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
    if (type === 'cut' && mayChange(on, 'deleteByCut')) as('deleteByCut', () => command('delete'));
  };

  const paste = (/** @type {Element} */ focused) => {
    const on = selectedIn(focused);
    const text = page.clipboard ?? '';
    const data = new DataTransfer();
    if (text !== '') data.setData('text/plain', text);
    if (!clip(on, 'paste', data) || !page.takesText(on) || text === '') return;
    const field = inField(on);
    const about = field ? { data: text } : { dataTransfer: data };
    if (!mayChange(on, 'insertFromPaste', about) || !goesIn(on, text)) return;
    as('insertFromPaste', () => command('insertText', text), field ? text : null, field ? null : data);
  };

  const selectAll = (/** @type {Element} */ on) => {
    const start = new Event('selectstart', { bubbles: true, cancelable: true });
    if (!own.dispatchEvent(inField(on) ? on : (selection().anchorNode ?? on), start)) return;
    if (inField(on)) /** @type {HTMLInputElement} */ (on).select();
    else command('selectAll');
  };

  const again = (/** @type {Element} */ on, /** @type {'undo' | 'redo'} */ which) => {
    if (!own.queryCommandEnabled(document, which)) return;
    if (mayChange(on, which === 'undo' ? 'historyUndo' : 'historyRedo')) command(which);
  };

  page.clearSearch = (field) => {
    edited.set(field, field.value);
    selection().modify('move', 'forward', 'documentboundary');
    selection().modify('extend', 'backward', 'documentboundary');
    as(null, () => command('delete'));
    own.dispatchEvent(field, new Event('search', { bubbles: true }));
  };

  // ---- Keys ----

  page.editByKey = (on, { key }, { shiftKey: shift, ctrlKey, metaKey, altKey }) => {
    const control = ctrlKey || metaKey;
    if (altKey) return false;
    if (control && !shift) {
      const letter = key.toLowerCase();
      if (letter === 'c' || key === 'Insert') copy(on, 'copy');
      else if (letter === 'x') copy(on, 'cut');
      else if (letter === 'v') paste(on);
      else if (letter === 'a') selectAll(on);
      else if (letter === 'z') again(on, 'undo');
      else if (letter === 'y') again(on, 'redo');
      else return editable(on, key, shift, control);
      return true;
    }
    if (control && shift && key.toLowerCase() === 'z') again(on, 'redo');
    else if (control && shift && key.toLowerCase() === 'v') paste(on);
    else if (!control && shift && key === 'Insert') paste(on);
    else if (!control && shift && key === 'Delete') copy(on, 'cut');
    else return editable(on, key, shift, control);
    return true;
  };

  /** What keys do where there is a caret. @param {Element} on @param {string} key @param {boolean} shift @param {boolean} control */
  const editable = (on, key, shift, control) => {
    const field = inField(on);
    if (!page.takesText(on) && !field) return false;
    const by = control ? 'word' : 'character';
    const edge = control ? 'documentboundary' : 'lineboundary';
    switch (key) {
      case 'Backspace':
      case 'Delete':
        if (!page.takesText(on)) return false;
        remove(on, key === 'Backspace' ? 'backward' : 'forward', control);
        return true;
      case 'ArrowLeft':
        move(on, 'left', by, shift);
        return true;
      case 'ArrowRight':
        move(on, 'right', by, shift);
        return true;
      case 'ArrowUp':
      case 'ArrowDown':
        if (control) return false;
        move(on, key === 'ArrowUp' ? 'backward' : 'forward', 'line', shift);
        return true;
      case 'Home':
        move(on, 'backward', edge, shift);
        return true;
      case 'End':
        move(on, 'forward', edge, shift);
        return true;
      case 'PageUp':
      case 'PageDown':
        if (control) return false;
        move(on, key === 'PageUp' ? 'backward' : 'forward', 'line', shift, linesOfPage(on));
        return true;
      default:
        return control && !field && format(on, key);
    }
  };

  /** @type {Record<string, [string, string]>} */
  const FORMATS = {
    b: ['bold', 'formatBold'],
    i: ['italic', 'formatItalic'],
    u: ['underline', 'formatUnderline'],
  };

  const format = (/** @type {Element} */ on, /** @type {string} */ key) => {
    const [name, inputType] = FORMATS[key.toLowerCase()] ?? [];
    if (name === undefined) return false;
    if (mayChange(on, inputType)) command(name);
    return true;
  };
})();
