/**
 * Writing into fields from the isolated world. `direct` sets the value and fires the events; `paste` simulates a paste,
 * which editors that keep their own state understand.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Editors notice a new selection later: in a task of their own or, like Slate, at most every 100 ms. */
  const SELECTION_MS = 150;
  const TRUE = /^(true|on|yes|1|checked)$/i;

  page.commands['check-fields'] = ({ fields, covered = false }) => {
    for (const { target, method } of fields) writable(target, method, covered);
    return {};
  };

  const writable = (
    /** @type {BproxyTarget} */ target,
    /** @type {string} */ method,
    /** @type {boolean} */ covered,
  ) => {
    page.requireVisibleTab(covered);
    const element = page.resolve(target);
    // An editor's own input field is not rendered; a checkbox is often hidden behind a styled one.
    if (!page.rendered(element) && page.editor(element) === undefined) page.notActionable(element, 'is not visible');
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    // An editor's interface is found from any of its parts.
    if (method === 'runtime-api') return element;
    const editor = page.editor(element);
    if (editor === 'monaco') {
      page.notActionable(element, 'belongs to a monaco editor: fill it with method runtime-api, world main');
    }
    // Such an editor loses sync with its own state when its DOM is written, and some break.
    if (editor !== undefined && method === 'direct' && !isField(element)) {
      page.notActionable(
        element,
        `belongs to a ${editor} editor, which keeps its own state: fill it with method paste, or runtime-api in world main`,
      );
    }
    const field = /** @type {HTMLInputElement} */ (element);
    if (field.readOnly === true || element.getAttribute('aria-readonly') === 'true') {
      page.notActionable(element, 'is read-only');
    }
    if (
      element instanceof HTMLInputElement &&
      ['file', 'submit', 'button', 'reset', 'image', 'hidden'].includes(element.type)
    ) {
      page.notActionable(
        element,
        element.type === 'file'
          ? 'takes files: a person has to choose them (require-human)'
          : 'cannot be filled: it is a button',
      );
    }
    if (!isField(element) && !(/** @type {HTMLElement} */ (element).isContentEditable)) {
      page.notActionable(element, 'cannot be filled: it is not an input, textarea, select or editable element');
    }
    return element;
  };

  const isField = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement;
  const isToggle = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement && (element.type === 'checkbox' || element.type === 'radio');

  page.commands.fill = async ({ target, value, method, private: hidden = false, covered = false }) => {
    const { order } = page;
    const element = /** @type {HTMLElement} */ (writable(target, method, covered));
    if (hidden) page.keepSecret(element);
    // A page may change the field's type by the first event.
    page.isSecret(element);
    page.after = () => check(element, value);
    element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
    element.focus({ preventScroll: true });
    if (isToggle(element)) toggle(/** @type {HTMLInputElement} */ (element), TRUE.test(value));
    else if (element instanceof HTMLSelectElement) choose(element, value);
    else if (isField(element)) setValue(/** @type {HTMLInputElement} */ (element), value, method);
    else if (method === 'paste') await pasteInto(element, value, order);
    else setText(element, value);
    return {};
  };

  /** The element is found here, where its document is known, and handed to the page's own world with the event. */
  page.commands['hand-over'] = ({ target, event, answer, reads, private: hidden = false, covered = false }) => {
    const element = reads ? page.resolve(target) : writable(target, 'runtime-api', covered);
    if (hidden) page.keepSecret(element);
    page.after = null;
    /** @type {string | null} */
    let outcome = null;
    const hear = (/** @type {Event} */ told) => {
      outcome = String(/** @type {CustomEvent} */ (told).detail);
    };
    element.addEventListener(answer, hear, { once: true });
    element.dispatchEvent(new CustomEvent(event, { composed: true }));
    element.removeEventListener(answer, hear);
    return { outcome, isSecret: page.isSecret(element) };
  };

  /** A click fires every event that a checkbox's listeners expect. */
  const toggle = (/** @type {HTMLInputElement} */ box, /** @type {boolean} */ wanted) => {
    if (box.checked !== wanted) box.click();
  };

  const choose = (/** @type {HTMLSelectElement} */ select, /** @type {string} */ value) => {
    const option =
      [...select.options].find((found) => found.value === value) ??
      [...select.options].find((found) => page.collapse(found.text) === page.collapse(value));
    if (option) option.selected = true;
    changed(select);
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
      if (!field.dispatchEvent(asked)) return;
    }
    field.value = value;
    const inputType = method === 'paste' ? 'insertFromPaste' : 'insertReplacementText';
    field.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true, inputType, data: value }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
  };

  const changed = (/** @type {Element} */ element) => {
    element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    element.dispatchEvent(new Event('change', { bubbles: true }));
  };

  const setText = (/** @type {HTMLElement} */ element, /** @type {string} */ value) => {
    element.replaceChildren();
    for (const [index, line] of value.split('\n').entries()) {
      element.append(...(index > 0 ? [document.createElement('br')] : []), line);
    }
    element.dispatchEvent(
      new InputEvent('input', { bubbles: true, composed: true, inputType: 'insertReplacementText', data: value }),
    );
    element.dispatchEvent(new Event('change', { bubbles: true }));
  };

  const pasteInto = async (
    /** @type {HTMLElement} */ element,
    /** @type {string} */ value,
    /** @type {PageOrder} */ order,
  ) => {
    const host = /** @type {HTMLElement} */ (
      element.closest('[contenteditable]:not([contenteditable="false"])') ?? element
    );
    host.focus({ preventScroll: true });
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
      if (element.dispatchEvent(asked) && !document.execCommand('delete')) setText(element, '');
      return;
    }
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', value);
    // If a listener handles it, nothing more is done, as with a person's paste.
    if (
      !element.dispatchEvent(
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
    if (!element.dispatchEvent(asked)) return;
    if (document.execCommand('insertText', false, value)) element.dispatchEvent(new Event('change', { bubbles: true }));
    else setText(element, value);
  };

  // ---- Reading back ----

  const check = (/** @type {HTMLElement} */ element, /** @type {string} */ wanted) => {
    const held = element.isConnected ? heldBy(element) : '';
    const filled = element.isConnected && normalized(element, held) === normalized(element, wanted);
    return page.isSecret(element) ? { filled } : { filled, verifiedValue: held };
  };

  const heldBy = (/** @type {HTMLElement} */ element) => {
    if (isToggle(element)) return String(/** @type {HTMLInputElement} */ (element).checked);
    return isField(element)
      ? /** @type {HTMLInputElement} */ (element).value
      : element.innerText.replace(/[\u200b\ufeff]/g, '').replace(/\n$/, '');
  };

  /** Normalizes a value: two that mean the same to the element become equal. */
  const normalized = (/** @type {HTMLElement} */ element, /** @type {string} */ value) => {
    if (isToggle(element)) return String(TRUE.test(value));
    if (element instanceof HTMLSelectElement) {
      return (
        [...element.options].find(
          (option) => option.value === value || page.collapse(option.text) === page.collapse(value),
        )?.value ?? `no option ${value}`
      );
    }
    if (element instanceof HTMLInputElement) {
      const plain = value.replace(/[\r\n]/g, '');
      if (element.type === 'number' || element.type === 'range') {
        return plain.trim() === '' ? '' : String(Number(plain));
      }
      return element.type === 'color'
        ? plain.toLowerCase()
        : element.type === 'email' || element.type === 'url'
          ? plain.trim()
          : plain;
    }
    if (element instanceof HTMLTextAreaElement) return value.replace(/\r\n?/g, '\n');
    // Editors have their own idea of empty lines and spaces.
    return page.collapse(value.replace(/\u00a0/g, ' '));
  };
})();
