/** Typing a text into a field, a key for each character. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** The field that is typed into. @type {Element | null} */
  let into = null;

  page.commands['begin-typing'] = ({ target, replace, private: hidden, firm = false }) => {
    const elsewhere = target ? undefined : page.elsewhere(firm);
    if (elsewhere) return elsewhere;
    const had = page.focused();
    into = target ? page.focusTarget(target) : had;
    page.tellFocus();
    if (target && into) refuse(into);
    if (into && hidden) page.keepSecret(into);
    // A page may change the field's type by the first event.
    if (into) page.isSecret(into);
    if (into && page.takesText(into)) {
      if (replace) select(into);
      else if (target && had !== into) toEnd(into);
    }
    page.acted = into;
    page.after = held;
    return { multiline: into !== null && !(into instanceof HTMLInputElement) && page.takesText(into) };
  };

  const refuse = (/** @type {Element} */ field) => {
    if (page.isTextual(field) && !page.takesText(field)) page.notActionable(field, 'is read-only');
  };

  const select = (/** @type {Element} */ field) => {
    if (page.isTextual(field)) /** @type {HTMLInputElement} */ (field).select();
    else getSelection()?.selectAllChildren(field);
  };

  /** Where a person would click to go on writing. */
  const toEnd = (/** @type {Element} */ field) => {
    const selection = /** @type {Selection} */ (getSelection());
    if (page.isTextual(field)) selection.modify('move', 'forward', 'documentboundary');
    else {
      selection.selectAllChildren(field);
      selection.collapseToEnd();
    }
  };

  page.commands['type-keys'] = async ({ text, firm = false }) => {
    const { order } = page;
    const elsewhere = page.elsewhere(firm);
    if (elsewhere) return elsewhere;
    page.after = held;
    let typed = 0;
    for (const char of text) {
      const stroke = page.stroke(char);
      const had = page.focused();
      await page.strike(stroke, order);
      typed += char.length;
      // The page has moved the focus to another frame, where the key comes up.
      if (page.elsewhere(had !== null && page.isFrame())) return { typed, up: char };
      await page.release(stroke, order);
    }
    return { typed };
  };

  page.commands['type-block'] = ({ text, firm = false }) => {
    const elsewhere = page.elsewhere(firm);
    if (elsewhere) return elsewhere;
    page.after = held;
    const on = page.focused();
    if (on) page.insertText(on, text);
    page.tellFocus();
    return {};
  };

  const held = () => {
    const field = into;
    if (field === null || !own.isConnected(field) || page.isSecret(field)) return {};
    return page.isTextual(field) || page.hostOfEditing(field) !== null ? { value: page.heldBy(field) } : {};
  };
})();
