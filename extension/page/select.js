/** Choosing an option by its text: of a native select, or of a list that opens on a click. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** The control that the last `select` opened: `choose` looks for the option in its list. @type {Element | null} */
  let openedBy = null;

  const same = (/** @type {string} */ a, /** @type {string} */ b) =>
    page.collapse(a).toLowerCase() === page.collapse(b).toLowerCase();
  /** The option with exactly this text, else the one that differs only in case. */
  const byText = (
    /** @type {Element[]} */ options,
    /** @type {(option: Element) => string} */ textOf,
    /** @type {string} */ wanted,
  ) =>
    options.find((option) => page.collapse(textOf(option)) === page.collapse(wanted)) ??
    options.find((option) => same(textOf(option), wanted));
  const missing = (/** @type {string[]} */ texts, /** @type {string} */ wanted) =>
    page.fail(
      'ELEMENT_NOT_FOUND',
      `no option reads ${JSON.stringify(wanted)}; there are: ${page.shorten(texts.map((text) => JSON.stringify(text)).join(', '), 500) || 'none'}`,
    );

  page.commands.select = ({ trigger, optionText, covered = false }) => {
    const element = page.actionable(trigger, covered);
    if (!(element instanceof HTMLSelectElement)) {
      page.after = null;
      openedBy = element;
      if (element.getAttribute('aria-expanded') !== 'true') page.press(element);
      return { opened: true };
    }
    const options = [...element.options].filter((option) => !option.disabled);
    const option = /** @type {HTMLOptionElement | undefined} */ (
      byText(options, (found) => /** @type {HTMLOptionElement} */ (found).text, optionText)
    );
    if (!option) {
      return missing(
        options.map((found) => page.collapse(found.text)),
        optionText,
      );
    }
    element.focus({ preventScroll: true });
    if (!element.multiple) element.value = option.value;
    option.selected = true;
    element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    element.dispatchEvent(new Event('change', { bubbles: true }));
    page.after = () => ({ selected: option.selected, optionText: page.collapse(option.text) });
    return { opened: false };
  };

  const OPTIONS =
    '[role="option"], [role="menuitem"], [role="menuitemradio"], [role="menuitemcheckbox"], [role="treeitem"]';

  page.commands.choose = ({ optionText, covered = false }) => {
    page.requireVisibleTab(covered);
    const trigger = openedBy;
    if (trigger) page.touched.add(trigger);
    const list = trigger && controlled(trigger);
    const options = page
      .findAll(list ?? document.documentElement, OPTIONS)
      .filter((option) => page.visible(option) && !page.disabled(option));
    const option = byText(options, (found) => page.accessibleName(found), optionText);
    if (!option) {
      return missing(
        options.map((found) => page.accessibleName(found)),
        optionText,
      );
    }
    page.after = () => ({ selected: chosen(option, trigger, optionText), optionText: page.collapse(optionText) });
    page.press(option);
    return {};
  };

  /** The list that a combobox says it opens. */
  const controlled = (/** @type {Element} */ trigger) => {
    const ids = (trigger.getAttribute('aria-controls') ?? trigger.getAttribute('aria-owns') ?? '').trim().split(/\s+/);
    const root = /** @type {Document | ShadowRoot} */ (trigger.getRootNode());
    return (
      ids.map((id) => id && root.getElementById(id)).find((list) => list && page.findAll(list, OPTIONS).length > 0) ||
      null
    );
  };

  const chosen = (
    /** @type {Element} */ option,
    /** @type {Element | null} */ trigger,
    /** @type {string} */ wanted,
  ) => {
    if (
      option.isConnected &&
      (option.getAttribute('aria-selected') === 'true' || option.getAttribute('aria-checked') === 'true')
    ) {
      return true;
    }
    const shown = trigger?.isConnected
      ? `${trigger.textContent} ${/** @type {HTMLInputElement} */ (trigger).value ?? ''}`
      : '';
    return (
      page.collapse(shown).toLowerCase().includes(page.collapse(wanted).toLowerCase()) ||
      !option.isConnected ||
      !page.visible(option)
    );
  };
})();
