/** What assistive technology reports of an element beside role and name: its states, its value, the text that it shows. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Roles whose contents are what they say, and nothing to act on. */
  const SAYING = new Set(['heading', 'cell', 'columnheader', 'rowheader', 'gridcell', 'tooltip']);

  page.contradiction = (element, name) => {
    if (element instanceof HTMLInputElement && /^(submit|reset|button)$/.test(element.type)) {
      return says(name, element.value) ? null : page.collapse(element.value);
    }
    const written = page.collapse(page.textOf(element));
    if (written === '') return null;
    const role = page.role(element);
    const saying = SAYING.has(role);
    const whole = written === name;
    if (!saying && (whole ? !page.hidesIn(element) : !page.namedByContent(role))) return null;
    const shown = seen(element);
    // A sign without words has a name that nobody sees.
    if (shown === '') return saying && name !== '' ? shown : null;
    if (whole) return bare(shown) === bare(name) ? null : shown;
    return says(name, shown) ? null : shown;
  };
  const says = (/** @type {string} */ name, /** @type {string} */ shown) => bare(name).includes(bare(shown));
  const bare = (/** @type {string} */ text) => text.replace(/\s+/g, '').toLowerCase();

  page.shownText = (element) => seen(element);

  /** The text in an element that a person sees. */
  const seen = (/** @type {Element} */ element) => {
    let text = '';
    page.walk(element, (node) => {
      if (node instanceof Text) {
        if (/\S/.test(node.data) && page.sees(node)) text += node.data;
        return false;
      }
      if (
        !(node instanceof Element) ||
        /^(script|style|select|textarea)$/.test(own.localName(node)) ||
        page.isSecret(node)
      )
        return false;
      text += ' ';
      return page.laidOut(node);
    });
    return page.collapse(text);
  };

  page.nameAndText = (element, name = page.accessibleName(element)) => {
    const shown = page.contradiction(element, name);
    return shown === null ? name : `${name} (shown: ${JSON.stringify(shown)})`;
  };

  /** What a control holds; never a secret. Undefined if it holds nothing of the kind. */
  page.valueOf = (element, isSecret = page.isSecret(element)) => {
    if (isSecret) return undefined;
    if (element instanceof HTMLInputElement) {
      if (['submit', 'button', 'reset', 'image'].includes(element.type)) return undefined;
      if (element.type === 'checkbox' || element.type === 'radio') return String(element.checked);
      return element.type === 'file' ? [...(element.files ?? [])].map((file) => file.name).join(', ') : element.value;
    }
    if (element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLSelectElement) {
      return [...element.selectedOptions].map((option) => page.collapse(option.text)).join(', ');
    }
    if (page.isEditingHost(element)) return page.collapse(own.innerText(/** @type {HTMLElement} */ (element)) ?? '');
    const role = own.getAttribute(element, 'role');
    if (role === 'checkbox' || role === 'radio' || role === 'switch') {
      return own.getAttribute(element, 'aria-checked') ?? 'false';
    }
    return own.getAttribute(element, 'aria-valuetext') ?? own.getAttribute(element, 'aria-valuenow') ?? undefined;
  };

  page.disabled = (element) =>
    own.matches(element, ':disabled') ||
    // Nor does a browser tell a disabled control, or what is in it, of the mouse.
    own.closest(element, ':disabled:not(fieldset)') !== null ||
    own.closest(element, '[aria-disabled="true"]') !== null ||
    own.closest(element, '[inert]') !== null;

  page.states = (element) => {
    /** @type {string[]} */
    const states = [];
    const aria = (/** @type {string} */ name) => own.getAttribute(element, `aria-${name}`);
    if (page.disabled(element)) states.push('disabled');
    const checked =
      element instanceof HTMLInputElement && /^(checkbox|radio)$/.test(element.type)
        ? String(element.checked)
        : aria('checked');
    // What is chosen is what a field holds.
    const isSecret = page.isSecret(element);
    if (!isSecret && (checked === 'true' || checked === 'mixed')) states.push(checked === 'true' ? 'checked' : 'mixed');
    if (!isSecret && (aria('selected') === 'true' || (element instanceof HTMLOptionElement && element.selected))) {
      states.push('selected');
    }
    const expanded =
      own.localName(element) === 'summary'
        ? String(/** @type {HTMLDetailsElement | null} */ (own.parentElement(element))?.open)
        : aria('expanded');
    if (expanded === 'true') states.push('expanded');
    if (expanded === 'false') states.push('collapsed');
    if (!isSecret && aria('pressed') === 'true') states.push('pressed');
    if (aria('current') && aria('current') !== 'false') states.push('current');
    if (own.matches(element, ':required') || aria('required') === 'true') {
      states.push('required');
    }
    if (own.matches(element, 'input[readonly], textarea[readonly]') || aria('readonly') === 'true') {
      states.push('readonly');
    }
    if (aria('invalid') && aria('invalid') !== 'false') states.push('invalid');
    if (element === own.activeElement(document) && element !== own.body(document)) states.push('focused');
    return states;
  };
})();
