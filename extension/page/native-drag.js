/**
 * What the browser itself changes while the mouse is down: the thumb of a range, the options of a list, the corner of what
 * can be resized.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** The size of the corner, and of a thumb. CSS pixels. */
  const CORNER = 15;
  const THUMB = 16;

  page.nativeDrag = (hit, at, modifiers = []) => {
    if (hit instanceof HTMLInputElement && hit.type === 'range') return page.disabled(hit) ? null : slider(hit);
    if (hit instanceof HTMLOptionElement) return options(hit, modifiers);
    return isCorner(hit, at) ? corner(/** @type {HTMLElement} */ (hit), at) : null;
  };

  const changed = (/** @type {Element} */ on, /** @type {'input' | 'change'} */ type) =>
    own.dispatchEvent(on, new Event(type, { bubbles: true, composed: type === 'input' }));

  /** @returns {BproxyNativeDrag} */
  const slider = (/** @type {HTMLInputElement} */ range) => {
    const before = range.value;
    const follow = (/** @type {PagePoint} */ at) => {
      const held = range.value;
      range.value = String(valueAt(range, at));
      if (range.value !== held) changed(range, 'input');
    };
    return {
      focuses: true,
      actsFirst: true,
      begin: (at) => {
        page.requests.capture(range, '1');
        follow(at);
      },
      move: follow,
      end: () => {
        if (range.value !== before) changed(range, 'change');
      },
    };
  };

  const valueAt = (/** @type {HTMLInputElement} */ range, /** @type {PagePoint} */ { clientX, clientY }) => {
    const { left, top, width, height } = own.getBoundingClientRect(range);
    const { writingMode, direction } = getComputedStyle(range);
    const number = (/** @type {string} */ text, /** @type {number} */ otherwise) =>
      text === '' || Number.isNaN(Number(text)) ? otherwise : Number(text);
    const [min, max] = [number(range.min, 0), number(range.max, 100)];
    const upright = !writingMode.startsWith('horizontal');
    const [along, length] = upright ? [clientY - top, height] : [clientX - left, width];
    let part = Math.min(Math.max((along - THUMB / 2) / Math.max(length - THUMB, 1), 0), 1);
    if (direction === 'rtl') part = 1 - part;
    return min + (max - min) * part;
  };

  /** The options of a list that is always open. @returns {BproxyNativeDrag | null} */
  const options = (/** @type {HTMLOptionElement} */ option, /** @type {string[]} */ modifiers) => {
    const select = own.closest(option, 'select');
    if (!(select instanceof HTMLSelectElement) || page.disabled(select) || page.optionDisabled(option)) return null;
    const chosen = () => [...select.options].map(({ selected }) => selected).join();
    const before = chosen();
    const first = option.index;
    const choose = (/** @type {number} */ last) => {
      const [from, to] = [Math.min(first, last), Math.max(first, last)];
      for (const { index } of select.options) {
        if (!page.optionDisabled(select.options[index])) select.options[index].selected = index >= from && index <= to;
      }
    };
    const toggles = select.multiple && (modifiers.includes('Control') || modifiers.includes('Meta'));
    return {
      focuses: true,
      countsNot: true,
      begin: () => {
        if (toggles) option.selected = !option.selected;
        else if (select.multiple) choose(modifiers.includes('Shift') ? Math.max(select.selectedIndex, 0) : first);
        else option.selected = true;
      },
      move: (at) => {
        const over = page.hitAt(at);
        if (!(over instanceof HTMLOptionElement) || own.closest(over, 'select') !== select) return;
        if (!select.multiple) over.selected = true;
        else if (!toggles) choose(over.index);
      },
      end: () => {
        if (chosen() === before) return;
        changed(select, 'input');
        changed(select, 'change');
      },
    };
  };

  const isCorner = (/** @type {Element} */ hit, /** @type {PagePoint} */ { clientX, clientY }) => {
    if (!(hit instanceof HTMLElement)) return false;
    const { resize, overflow, direction } = getComputedStyle(hit);
    if (resize === 'none' || overflow === 'visible') return false;
    const { left, right, bottom } = own.getBoundingClientRect(hit);
    const atSide = direction === 'rtl' ? clientX - left <= CORNER : right - clientX <= CORNER;
    return atSide && bottom - clientY <= CORNER;
  };

  /** @returns {BproxyNativeDrag} */
  const corner = (/** @type {HTMLElement} */ element, /** @type {PagePoint} */ start) => {
    const { width, height, resize, direction, boxSizing } = getComputedStyle(element);
    const edges = own.getBoundingClientRect(element);
    const [wide, high] =
      boxSizing === 'border-box' ? [edges.width, edges.height] : [Number.parseFloat(width), Number.parseFloat(height)];
    return {
      focuses: false,
      begin: () => {},
      move: ({ clientX, clientY }) => {
        const across = (clientX - start.clientX) * (direction === 'rtl' ? -1 : 1);
        if (/both|horizontal|inline/.test(resize)) own.style(element).width = `${Math.max(wide + across, CORNER)}px`;
        if (/both|vertical|block/.test(resize))
          own.style(element).height = `${Math.max(high + clientY - start.clientY, CORNER)}px`;
      },
      end: () => {},
    };
  };
})();
