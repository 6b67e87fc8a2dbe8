/**
 * Editing text with keys, in fields and in editable content: the browser's own commands for changes, with the events
 * around them that it sends for a person's keys, but not for a script's command. Moves are in `caret-moves.js`, copying and
 * pasting in `clipboard.js`.
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

  page.mayChange = (on, inputType, { data = null, dataTransfer = null, reach } = {}) => {
    if (inField(on) && !edited.has(on)) edited.set(on, /** @type {HTMLInputElement} */ (on).value);
    const targetRanges = ranges(on, reach);
    const init = { bubbles: true, cancelable: true, composed: true, view: window };
    return own.dispatchEvent(
      on,
      new InputEvent('beforeinput', { ...init, inputType, data, dataTransfer, targetRanges }),
    );
  };

  page.asksToInsert = (on, text) => page.mayChange(on, 'insertText', { data: text });

  /** The event that browsers send beside: some libraries listen to nothing else. */
  page.goesIn = (on, text) => {
    const event = own.createEvent(document, 'TextEvent');
    event.initTextEvent('textInput', true, true, window, text);
    return own.dispatchEvent(on, event);
  };

  page.changeAs = (inputType, run, data = null, dataTransfer = null) => {
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

  page.command = (name, value = '') => own.execCommand(document, name, false, value);

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
    if (!page.mayChange(on, 'insertText', { data: text }) || !page.goesIn(on, text)) return;
    // A field that is read-only is asked as well.
    if (page.takesText(on)) page.command('insertText', text);
  };

  page.insertBreak = (on, isLine) => {
    const multiline = !(on instanceof HTMLInputElement);
    const plain = isPlain(on);
    const inputType = isLine || plain ? 'insertLineBreak' : 'insertParagraph';
    if (!page.mayChange(on, inputType)) return false;
    if (!multiline || !page.goesIn(on, '\n')) return true;
    if (plain && !isLine) page.changeAs(inputType, () => page.command('insertLineBreak'));
    else page.command(inputType);
    return true;
  };

  /** @param {Element} on @param {'backward' | 'forward'} direction @param {boolean} word */
  const remove = (on, direction, word) => {
    const byWord = word && page.isCollapsed(on);
    const toward = direction === 'backward' ? 'Backward' : 'Forward';
    const inputType = byWord ? `deleteWord${toward}` : `deleteContent${toward}`;
    if (!page.mayChange(on, inputType, { reach: [direction, byWord ? 'word' : 'character'] })) return;
    if (!byWord) {
      page.command(direction === 'backward' ? 'delete' : 'forwardDelete');
      return;
    }
    page.changeAs(inputType, () => removeWord(on, direction));
  };

  /** @param {Element} on @param {'backward' | 'forward'} direction */
  const removeWord = (on, direction) => {
    const field = /** @type {HTMLInputElement} */ (on);
    const from = inField(on) ? field.selectionStart : null;
    selection().modify('extend', direction, 'word');
    if (page.isCollapsed(on)) return;
    if (from === null) {
      page.command('delete');
      return;
    }
    // One by one, so that undoing it gives back the caret and no selection.
    let left = Number(field.selectionEnd) - Number(field.selectionStart);
    // Back to the caret, without the event of a script's own selection.
    selection().modify('move', direction === 'backward' ? 'forward' : 'backward', 'character');
    while (left > 0) {
      const { length } = field.value;
      page.command(direction === 'backward' ? 'delete' : 'forwardDelete');
      if (field.value.length >= length) break;
      left -= length - field.value.length;
    }
  };

  /** What is selected in a field that does not tell it: the browser's selection knows. */
  page.isCollapsed = (on) => {
    if (!inField(on)) return selection().isCollapsed;
    const field = /** @type {HTMLInputElement} */ (on);
    if (field.selectionStart !== null) return field.selectionStart === field.selectionEnd;
    return selection().toString() === '';
  };

  // ---- All of it, and what was there before ----

  const selectAll = (/** @type {Element} */ on) => {
    if (!inField(on)) {
      page.command('selectAll');
      return;
    }
    const start = new Event('selectstart', { bubbles: true, cancelable: true });
    if (own.dispatchEvent(on, start)) /** @type {HTMLInputElement} */ (on).select();
  };

  const again = (/** @type {Element} */ on, /** @type {'undo' | 'redo'} */ which) => {
    if (!own.queryCommandEnabled(document, which)) return;
    if (page.mayChange(on, which === 'undo' ? 'historyUndo' : 'historyRedo')) page.command(which);
  };

  page.clearSearch = (field) => {
    edited.set(field, field.value);
    selection().modify('move', 'forward', 'documentboundary');
    selection().modify('extend', 'backward', 'documentboundary');
    page.changeAs(null, () => page.command('delete'));
    own.dispatchEvent(field, new Event('search', { bubbles: true }));
  };

  // ---- Keys ----

  page.editByKey = (on, { key }, { shiftKey: shift, ctrlKey, metaKey, altKey }) => {
    const control = ctrlKey || metaKey;
    if (altKey) return false;
    if (control && !shift) {
      const letter = key.toLowerCase();
      if (letter === 'c' || key === 'Insert') page.copy(on, 'copy');
      else if (letter === 'x') page.copy(on, 'cut');
      else if (letter === 'v') page.paste(on);
      else if (letter === 'a') selectAll(on);
      else if (letter === 'z') again(on, 'undo');
      else if (letter === 'y') again(on, 'redo');
      else return editable(on, key, shift, control);
      return true;
    }
    if (control && shift && key.toLowerCase() === 'z') again(on, 'redo');
    else if (control && shift && key.toLowerCase() === 'v') page.paste(on);
    else if (!control && shift && key === 'Insert') page.paste(on);
    else if (!control && shift && key === 'Delete') page.copy(on, 'cut');
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
        page.moveCaret(on, 'left', by, shift);
        return true;
      case 'ArrowRight':
        page.moveCaret(on, 'right', by, shift);
        return true;
      case 'ArrowUp':
      case 'ArrowDown':
        if (control) return false;
        page.moveCaret(on, key === 'ArrowUp' ? 'backward' : 'forward', 'line', shift);
        return true;
      case 'Home':
        page.moveCaret(on, 'backward', edge, shift);
        return true;
      case 'End':
        page.moveCaret(on, 'forward', edge, shift);
        return true;
      case 'PageUp':
      case 'PageDown':
        if (control) return false;
        page.moveCaret(on, key === 'PageUp' ? 'backward' : 'forward', 'line', shift, page.linesOfPage(on));
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
    if (page.mayChange(on, inputType)) page.command(name);
    return true;
  };
})();
