/** Fields: what a target of a fill stands for, and whether it takes a value. Nothing here writes. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const TRUE = /^(true|on|yes|1|checked)$/i;
  const FALSE = /^(false|off|no|0|unchecked)$/i;
  /** What a page hides from view, but not from assistive technology, has at most this side. In pixels. */
  const CLIPPED = 2;
  const INPUTS =
    'input:not([type="hidden"]), textarea, select, [contenteditable]:not([contenteditable="false"]), ' +
    '[role="checkbox"], [role="switch"], [role="radio"], [role="slider"]';
  /** Editors that a script can neither write nor paste into from outside: their field takes keys alone. */
  const KEYS_ONLY = '.CodeMirror, .ace_editor, .monaco-editor, .tox-tinymce';
  const KEYS_ONLY_FIELD = '.CodeMirror > div > textarea, .ace_text-input, .monaco-editor textarea, iframe';

  page.isField = (element) =>
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement;

  page.isToggle = (element) =>
    element instanceof HTMLInputElement
      ? element.type === 'checkbox' || element.type === 'radio'
      : /^(checkbox|switch|radio)$/.test(page.role(element));

  page.isSlider = (element) => !page.isField(element) && page.role(element) === 'slider';

  page.truth = (value) => (TRUE.test(value.trim()) ? true : FALSE.test(value.trim()) ? false : null);

  /** A custom element stands for the one field that it is made of. */
  page.fieldOf = (element) => {
    if (page.isField(element) || !own.localName(element).includes('-') || own.localName(element) === 'trix-editor')
      return element;
    if (page.isToggle(element) || page.isSlider(element)) return element;
    const inner = page.findAll(element, INPUTS).filter((field) => field !== element && !page.isPart(field));
    return inner.length === 1 ? inner[0] : element;
  };
  /** Whether an element only takes part in a form for another one, and no person meets it. */
  page.isPart = (field) => own.getAttribute(field, 'aria-hidden') === 'true' || !page.rendered(field);

  page.writable = ({ target, value, method, private: hidden = false }) => {
    const named = page.resolve(target);
    // An editor's own input field is not rendered; a checkbox is often hidden behind a styled one.
    if (!page.rendered(named) && page.editor(named) === undefined) {
      page.notActionable(named, named instanceof HTMLSelectElement ? replaced(named) : 'is not visible');
    }
    if (page.disabled(named)) page.notActionable(named, 'is disabled');
    // An editor's interface is found from any of its parts.
    if (method === 'runtime-api') return named;
    const element = page.fieldOf(named);
    if (!method || method === 'auto') {
      if (byInterface(element)) return named;
    } else refuseEditors(element, method);
    isPrivate = hidden || page.isSecret(element);
    const field = /** @type {HTMLInputElement} */ (element);
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    if (field.readOnly === true || own.getAttribute(element, 'aria-readonly') === 'true') {
      page.notActionable(
        element,
        page.role(element) === 'combobox' ? 'is read-only: choose from its list with select' : 'is read-only',
      );
    }
    if (element instanceof HTMLInputElement) refuseButtons(element);
    if (page.isToggle(element)) refuseWords(element, value);
    else if (page.isSlider(element)) refuseRange(element, value);
    else if (element instanceof HTMLSelectElement) page.optionsFor(element, value);
    else if (page.isField(element)) refuseUnfit(/** @type {HTMLInputElement} */ (element), value);
    else if (!own.isContentEditable(/** @type {HTMLElement} */ (element))) {
      page.notActionable(
        element,
        page.role(element) === 'combobox'
          ? 'cannot be filled: choose from its list with select'
          : own.localName(element).includes('-')
            ? 'cannot be filled: what it holds is out of reach of a script. Click it instead, and read the page to see what came of it'
            : 'cannot be filled: it is not an input, textarea, select or editable element',
      );
    }
    return element;
  };

  page.waysFor = ({ target, method = 'auto' }) => {
    if (method !== 'auto') return [method];
    const element = page.fieldOf(page.resolve(target));
    if (byInterface(element)) return ['runtime-api'];
    if (page.isField(element) || page.isToggle(element) || page.isSlider(element)) return ['direct'];
    return page.editor(element) === undefined ? ['direct', 'paste'] : ['paste', 'runtime-api'];
  };

  /** Whether an element is part of an editor that only the editor's own interface can write into. */
  const byInterface = (/** @type {Element} */ element) => {
    if (page.editor(element) === undefined) return false;
    if (takesKeysOnly(element)) return true;
    return !page.isField(element) && !own.isContentEditable(/** @type {HTMLElement} */ (element));
  };
  const takesKeysOnly = (/** @type {Element} */ element) =>
    (!page.isField(element) || own.matches(element, KEYS_ONLY_FIELD)) && own.closest(element, KEYS_ONLY) !== null;

  /** Whether the value that is looked at must not stand in an answer. */
  let isPrivate = false;
  const quoted = (/** @type {string} */ value) => (isPrivate ? 'this value' : JSON.stringify(value));

  const refuseEditors = (/** @type {Element} */ element, /** @type {string} */ method) => {
    const editor = page.editor(element);
    if (editor === undefined) return;
    const isItsField = !page.isField(element) || own.matches(element, KEYS_ONLY_FIELD);
    if (takesKeysOnly(element)) {
      page.notActionable(element, `belongs to a ${editor} editor: fill it with method runtime-api, world main`);
    }
    // Such an editor loses sync with its own state when its DOM is written, and some break.
    if (isItsField && method === 'direct') {
      page.notActionable(
        element,
        `belongs to a ${editor} editor, which keeps its own state: fill it with method paste, or runtime-api in world main`,
      );
    }
  };

  const refuseButtons = (/** @type {HTMLInputElement} */ input) => {
    if (!['file', 'submit', 'button', 'reset', 'image', 'hidden'].includes(input.type)) return;
    if (input.type === 'file') page.notActionable(input, 'takes files: use upload', 'bproxy upload --help');
    page.notActionable(input, 'cannot be filled: it is a button');
  };

  const refuseWords = (/** @type {Element} */ toggle, /** @type {string} */ value) => {
    const wanted = page.truth(value);
    const radio = page.role(toggle) === 'radio';
    if (wanted === null) {
      page.notActionable(
        toggle,
        radio
          ? `is one of several choices: fill the one that is wanted with true (or on, yes, 1, checked), not with ${quoted(value)}`
          : `is on or off: fill it with true, on, yes, 1, checked, or false, off, no, 0, unchecked, not with ${quoted(value)}`,
      );
    }
    if (radio && wanted === false && page.heldBy(toggle) === 'true') {
      page.notActionable(toggle, 'is one of several choices: it is unchecked by choosing another one');
    }
  };

  const refuseRange = (/** @type {Element} */ slider, /** @type {string} */ value) => {
    const bound = (/** @type {string} */ name) =>
      Number.parseFloat(own.getAttribute(slider, `aria-value${name}`) ?? '');
    const wanted = value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isNaN(wanted) || wanted < bound('min') || wanted > bound('max')) {
      page.notActionable(slider, `takes a number from ${bound('min')} to ${bound('max')}, not ${quoted(value)}`);
    }
  };

  /** What a field of each type takes. @type {Record<string, string>} */
  const FORMATS = {
    color: 'a colour as #rrggbb',
    date: 'a day as YYYY-MM-DD',
    'datetime-local': 'a moment as YYYY-MM-DDThh:mm',
    month: 'a month as YYYY-MM',
    number: 'a number',
    time: 'a time as hh:mm',
    week: 'a week as YYYY-Www',
  };

  /** The types that `maxlength` applies to. */
  const LIMITED = /^(text|search|url|tel|email|password)$/;

  /** Refuses what a person could not enter either, or what the browser would change into something else. */
  const refuseUnfit = (/** @type {HTMLInputElement | HTMLTextAreaElement} */ field, /** @type {string} */ value) => {
    const text = value.replace(/\r\n?/g, '\n');
    const isLimited = field instanceof HTMLTextAreaElement || LIMITED.test(field.type);
    if (isLimited && field.maxLength >= 0 && text.length > field.maxLength) {
      page.notActionable(field, `takes at most ${field.maxLength} characters, and this value has ${text.length}`);
    }
    if (!(field instanceof HTMLInputElement)) return;
    if (text.includes('\n')) page.notActionable(field, 'takes one line of text, and this value has several');
    const trial = /** @type {HTMLInputElement} */ (own.createElement(document, 'input'));
    for (const name of ['type', 'min', 'max', 'step', 'multiple']) {
      const given = own.getAttribute(field, name);
      if (given !== null) trial.setAttribute(name, given);
    }
    trial.value = value;
    if (page.same(field, trial.value, value)) return;
    const { min = '', max = '', step = '' } = trial;
    page.notActionable(
      field,
      trial.type === 'range'
        ? `takes a number from ${min || 0} to ${max || 100}${step === 'any' ? '' : ` in steps of ${step || 1}`}, not ${quoted(value)}`
        : `takes ${FORMATS[trial.type] ?? 'another value'}, not ${quoted(value)}`,
    );
  };

  /** The options that a value names by their value or text, one in each line; disabled and unknown ones are refused. */
  page.optionsFor = (select, value) => {
    page.requireShown(select);
    return page.optionNames(select, value).map((wanted) => {
      const option = page.optionNamed(select, wanted);
      if (!option) {
        const texts = [...select.options].map((found) => JSON.stringify(page.collapse(found.text))).join(', ');
        return page.notActionable(
          select,
          `has no option ${quoted(wanted)}; there are: ${page.shorten(texts, 500) || 'none'}`,
        );
      }
      if (page.optionDisabled(option)) page.notActionable(option, 'is disabled');
      return option;
    });
  };

  page.optionNames = (select, value) => {
    if (!select.multiple) return [value];
    return value === '' ? [] : value.split('\n');
  };

  page.optionNamed = (select, wanted) =>
    [...select.options].find((found) => found.value === wanted) ??
    [...select.options].find((found) => page.collapse(found.text) === page.collapse(wanted));

  page.optionDisabled = (option) => {
    const group = /** @type {HTMLOptGroupElement | null} */ (own.closest(option, 'optgroup'));
    return option.disabled || group?.disabled === true;
  };

  page.requireShown = (select) => {
    const { width, height } = own.getBoundingClientRect(select);
    const isClipped = width <= CLIPPED || height <= CLIPPED || getComputedStyle(select).pointerEvents === 'none';
    if (!page.visible(select) || isClipped) page.notActionable(select, replaced(select));
    // One that something else covers is named with that.
    page.hitPoint(select);
  };

  /** Why a select is not to be used: a page draws another widget in its place. */
  const replaced = (/** @type {HTMLSelectElement} */ select) => {
    const beside = [own.nextElementSibling(select), own.previousElementSibling(select), own.parentElement(select)];
    const drawn = beside.find((element) => element && page.visible(element));
    return `is hidden: the page shows a widget of its own in its place, which would not notice: use select on ${drawn ? page.describe(drawn) : 'that'}`;
  };
})();
