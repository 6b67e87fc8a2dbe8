/** What a press beside it closes: popovers, and dialogs that ask for it. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.dismissing = (hit, at) => {
    const down = around(hit, at);
    return (over, where) => {
      if (around(over, where) === down) dismiss(down);
      page.tellFocus();
    };
  };

  const isOpen = (/** @type {Element} */ element) =>
    own.matches(element, ':popover-open:not([popover="manual" i]), dialog[open][closedby="any" i]');

  /** The popover or dialog that a press is in, or whose button it is on. */
  const around = (/** @type {Element} */ hit, /** @type {PagePoint} */ at) => {
    for (let on = /** @type {Node | null} */ (hit); on; on = page.parent(on)) {
      if (!(on instanceof Element)) continue;
      const opens = on instanceof HTMLButtonElement ? on.popoverTargetElement : null;
      if (opens && isOpen(opens)) return opens;
      if (isOpen(on) && !isBackdrop(on, at)) return on;
    }
    return null;
  };

  /** A press on what lies behind a modal dialog is one on the dialog, beside its box. */
  const isBackdrop = (/** @type {Element} */ element, /** @type {PagePoint} */ { clientX, clientY }) => {
    if (!own.matches(element, 'dialog:modal')) return false;
    const { left, right, top, bottom } = own.getBoundingClientRect(element);
    return clientX < left || clientX > right || clientY < top || clientY > bottom;
  };

  const dismiss = (/** @type {Element | null} */ kept) => {
    for (const element of page.query(':popover-open, dialog[open]').filter(isOpen).reverse()) {
      if (kept !== null && (element === kept || !own.contains(kept, element))) continue;
      const open = /** @type {HTMLDialogElement} */ (element);
      if (own.matches(open, ':popover-open')) open.hidePopover();
      else open.requestClose();
    }
  };
})();
