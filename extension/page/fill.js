/**
 * Writing into fields from the isolated world. `direct` sets the value and fires the events; `paste` simulates a paste,
 * which editors that keep their own state understand.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Editors notice a new selection later: in a task of their own or, like Slate, at most every 100 ms. */
  const SELECTION_MS = 150;
  /** A slider that has not come to its value after so many keys does not come to it. */
  const KEYS_MAX = 1_000;

  page.commands['check-fields'] = ({ fields, isForm }) => {
    const ways = fields.map((field, index) => {
      try {
        page.writable(field);
        return page.waysFor(field);
      } catch (error) {
        // A field of a form is named by its place.
        if (isForm)
          Object.assign(/** @type {Failure} */ (error), {
            details: { .../** @type {Failure} */ (error).details, field: index + 1 },
          });
        throw error;
      }
    });
    return { each: ways };
  };
  /** @typedef {Error & { details?: Record<string, unknown> }} Failure */

  /** What looks at the fields of a form again, by their place in it. @type {Map<number, () => ActAfter['fill']>} */
  let written = new Map();
  /** @type {string | undefined} */
  let form;

  page.commands['look-again'] = ({ fields }) => {
    const isSame = form !== undefined && form === page.order.act;
    return { each: fields.map(({ place }) => (isSame ? written.get(place)?.() : undefined) ?? null) };
  };

  page.commands.fill = async ({ target, value, method = 'direct', blur = true, private: hidden = false, place }) => {
    const { order } = page;
    const element = /** @type {HTMLElement} */ (page.writable({ target, value, method, private: hidden }));
    // A page may change the field's type by the first event.
    if (hidden || page.isSecret(element)) page.keepSecret(element);
    const before = page.heldBy(element);
    page.acted = element;
    let took = false;
    const look = () => check(element, value, before);
    page.after = look;
    if (place !== undefined) {
      if (form !== order.act) written = new Map();
      form = order.act;
      written.set(place, look);
    }
    own.scrollIntoView(element, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    page.takeFocus(element);
    if (page.isToggle(element)) toggle(element, page.truth(value) === true);
    else if (page.isSlider(element)) await slide(element, Number(value), order);
    else if (element instanceof HTMLSelectElement) choose(element, value);
    else if (page.isField(element)) {
      await selectAll(/** @type {HTMLInputElement} */ (element), order);
      setValue(/** @type {HTMLInputElement} */ (element), value, method);
      if (element instanceof HTMLInputElement && element.type === 'range') await endChange(element, order);
      took = page.same(element, page.heldBy(element), value);
      // A widget decides what it takes when the field is left.
      if (blur) {
        own.blur(element);
        page.tellFocus();
      }
    } else if (method === 'paste') await pasteInto(element, value, order);
    else setText(element, value);
    return { took };
  };

  /** The element is found here, where its document is known, and handed to the page's own world with the event. */
  page.commands['hand-over'] = ({ target, event, answer, reads, private: hidden = false }) => {
    const element = reads ? page.resolve(target) : page.writable({ target, value: '', method: 'runtime-api' });
    if (hidden) page.keepSecret(element);
    page.after = null;
    /** @type {string | null} */
    let outcome = null;
    const hear = (/** @type {Event} */ told) => {
      outcome = String(/** @type {CustomEvent} */ (told).detail);
    };
    own.addEventListener(element, answer, hear, { once: true });
    own.dispatchEvent(element, new CustomEvent(event, { composed: true }));
    own.removeEventListener(element, answer, hear);
    return { outcome, isSecret: page.isSecret(element) };
  };

  /** A click fires every event that the listeners of a checkbox expect. */
  const toggle = (/** @type {HTMLElement} */ box, /** @type {boolean} */ wanted) => {
    if (page.heldBy(box) !== String(wanted)) own.click(box);
  };

  const choose = (/** @type {HTMLSelectElement} */ select, /** @type {string} */ value) => {
    const wanted = page.optionsFor(select, value);
    for (const option of select.options) option.selected = wanted.includes(option);
    changed(select);
  };

  /** Masks look at what is selected to tell what a new value replaces; some do so in a task of their own. */
  const selectAll = async (/** @type {HTMLInputElement} */ field, /** @type {PageOrder} */ order) => {
    field.select();
    await page.pause(order, 0);
  };

  /** From the isolated world the native property is set, past a framework's override, so the framework notices the change. */
  const setValue = (
    /** @type {HTMLInputElement} */ field,
    /** @type {string} */ value,
    /** @type {string} */ method,
  ) => {
    if (method === 'paste') {
      const asked = new InputEvent('beforeinput', {
        bubbles: true,
        cancelable: true,
        composed: true,
        inputType: 'insertFromPaste',
        data: value,
      });
      if (!own.dispatchEvent(field, asked)) return;
    }
    field.value = value;
    const inputType = method === 'paste' ? 'insertFromPaste' : 'insertReplacementText';
    own.dispatchEvent(field, new InputEvent('input', { bubbles: true, composed: true, inputType, data: value }));
    own.dispatchEvent(field, new Event('change', { bubbles: true }));
  };

  page.setValue = (field, value) => setValue(field, value, 'direct');

  const changed = (/** @type {Element} */ element) => {
    own.dispatchEvent(element, new Event('input', { bubbles: true, composed: true }));
    own.dispatchEvent(element, new Event('change', { bubbles: true }));
  };

  // ---- Sliders ----

  /** Presses an arrow key, and tells whether the page itself has acted on it. */
  const arrow = async (/** @type {Element} */ on, /** @type {boolean} */ up, /** @type {PageOrder} */ order) => {
    const key = up ? 'ArrowRight' : 'ArrowLeft';
    const init = { key, code: key, keyCode: up ? 39 : 37, bubbles: true, cancelable: true, composed: true };
    const handled = !own.dispatchEvent(on, new KeyboardEvent('keydown', init));
    await page.breathe(order);
    own.dispatchEvent(on, new KeyboardEvent('keyup', init));
    return handled;
  };

  const slide = async (/** @type {Element} */ slider, /** @type {number} */ wanted, /** @type {PageOrder} */ order) => {
    let now = Number(page.heldBy(slider));
    for (let keys = 0; keys < KEYS_MAX && now !== wanted; keys += 1) {
      await arrow(slider, now < wanted, order);
      const next = Number(page.heldBy(slider));
      // It does not react, or its steps pass over the value.
      if (next === now || now < wanted !== next <= wanted) return;
      now = next;
    }
  };

  /**
   * A widget around a slider may take its value only when a change has ended, which it sees by keys: one step away, and
   * back. A page that does not handle keys itself is left alone.
   */
  const endChange = async (/** @type {HTMLInputElement} */ range, /** @type {PageOrder} */ order) => {
    await page.breathe(order);
    const up = Number(range.value) <= Number(range.min || 0);
    if (await arrow(range, up, order)) await arrow(range, !up, order);
  };

  // ---- Editable elements ----

  /** Of several spaces a browser shows one: as when a person types them, those that do not break stand for the others. */
  const shownAs = (/** @type {HTMLElement} */ element, /** @type {string} */ value) =>
    /pre|break-spaces/.test(getComputedStyle(element).whiteSpace) ? value : value.replace(/ (?= )|^ | $/gm, '\u00a0');

  const setText = (/** @type {HTMLElement} */ element, /** @type {string} */ value) => {
    own.replaceChildren(element);
    for (const [index, line] of shownAs(element, value).split('\n').entries()) {
      own.append(element, ...(index > 0 ? [own.createElement(document, 'br')] : []), line);
    }
    own.dispatchEvent(
      element,
      new InputEvent('input', { bubbles: true, composed: true, inputType: 'insertReplacementText', data: value }),
    );
    own.dispatchEvent(element, new Event('change', { bubbles: true }));
  };

  const pasteInto = async (
    /** @type {HTMLElement} */ element,
    /** @type {string} */ value,
    /** @type {PageOrder} */ order,
  ) => {
    const host = /** @type {HTMLElement} */ (
      own.closest(element, '[contenteditable]:not([contenteditable="false"])') ?? element
    );
    page.takeFocus(host);
    getSelection()?.selectAllChildren(element);
    await page.pause(order, SELECTION_MS);
    // An empty text cannot be pasted: the contents are deleted, as a person would.
    if (value === '') {
      const asked = new InputEvent('beforeinput', {
        bubbles: true,
        cancelable: true,
        composed: true,
        inputType: 'deleteContentBackward',
      });
      if (own.dispatchEvent(element, asked) && !own.execCommand(document, 'delete')) setText(element, '');
      return;
    }
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', value);
    // If a listener handles it, nothing more is done, as with a person's paste.
    if (
      !own.dispatchEvent(
        element,
        new ClipboardEvent('paste', { bubbles: true, cancelable: true, composed: true, clipboardData }),
      )
    ) {
      return;
    }
    const asked = new InputEvent('beforeinput', {
      bubbles: true,
      cancelable: true,
      composed: true,
      inputType: 'insertFromPaste',
      data: value,
      dataTransfer: clipboardData,
    });
    if (!own.dispatchEvent(element, asked)) return;
    if (own.execCommand(document, 'insertText', false, shownAs(element, value)))
      own.dispatchEvent(element, new Event('change', { bubbles: true }));
    else setText(element, value);
  };

  const check = (/** @type {HTMLElement} */ element, /** @type {string} */ wanted, /** @type {string} */ before) => {
    if (!own.isConnected(element))
      return { filled: false, choices: false, gone: true, editor: false, untouched: false };
    const held = page.heldBy(element);
    const filled = page.same(element, held, wanted);
    const choices = !filled && held === before && page.role(element) === 'combobox' && page.isField(element);
    const editor = !page.isField(element) && page.editor(element) !== undefined;
    const outcome = { filled, choices, gone: false, editor, untouched: held === before };
    return page.isSecret(element) ? outcome : { ...outcome, verifiedValue: held };
  };
})();
