/** What a field holds, and whether that is what was wanted. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.heldBy = (element) => {
    if (page.isToggle(element)) {
      return element instanceof HTMLInputElement
        ? String(element.checked)
        : String(own.getAttribute(element, 'aria-checked') === 'true');
    }
    if (page.isSlider(element)) return own.getAttribute(element, 'aria-valuenow') ?? '';
    if (element instanceof HTMLSelectElement) return [...element.selectedOptions].map(({ value }) => value).join('\n');
    return page.isField(element) ? /** @type {HTMLInputElement} */ (element).value : lines(element).join('\n');
  };

  /** The lines of editable text: each block is one, and each break begins one. */
  const lines = (/** @type {Element} */ root) => {
    /** @type {string[]} */
    const found = [];
    /** @type {string | null} the line that has begun */
    let line = null;
    const end = () => {
      if (line !== null) found.push(line);
      line = null;
    };
    // An editor keeps every space that it is given, whatever style its page has.
    const isEditor = page.editor(root) !== undefined;
    const visit = (/** @type {Element} */ element) => {
      const collapses = !isEditor && !/pre|break-spaces/.test(getComputedStyle(element).whiteSpace);
      for (const child of own.childNodes(element)) {
        if (child instanceof Text) {
          const text = child.data.replace(/[\u200b\ufeff]/g, '');
          // White space between blocks is part of the markup.
          if (line === null && /^[ \t\n]*$/.test(text) && (collapses || text.includes('\n'))) continue;
          const parts = collapses ? [text.replace(/[ \t\n]+/g, ' ')] : text.split('\n');
          for (const [index, part] of parts.entries()) {
            if (index > 0) end();
            line = (line ?? '') + part;
          }
        } else if (child instanceof HTMLBRElement) {
          line ??= '';
          end();
        } else if (child instanceof HTMLElement && own.contentEditable(child) !== 'false' && page.rendered(child)) {
          const block = !/^(inline|contents)/.test(getComputedStyle(child).display);
          if (block) end();
          const before = found.length;
          visit(child);
          if (block) end();
          if (block && found.length === before && own.clientHeight(child) > 0 && own.childElementCount(child) === 0)
            found.push('');
        }
      }
    };
    visit(root);
    end();
    return found;
  };

  page.same = (element, held, wanted) => {
    if (page.isToggle(element)) return held === String(page.truth(wanted));
    if (page.isSlider(element)) return Number(held) === Number(wanted);
    if (element instanceof HTMLSelectElement) {
      const named = page.optionNames(element, wanted).map((name) => page.optionNamed(element, name));
      return named.every((option) => option?.selected) && named.length === element.selectedOptions.length;
    }
    if (element instanceof HTMLInputElement) return sameInput(element.type, held, wanted);
    if (element instanceof HTMLTextAreaElement) return held === wanted.replace(/\r\n?/g, '\n');
    return editable(held) === editable(wanted);
  };

  /** Spaces that a browser keeps from collapsing mean the same; a last empty line holds an editor's caret. */
  const editable = (/** @type {string} */ text) =>
    text
      .replace(/\r\n?/g, '\n')
      .replace(/[\u200b\ufeff]/g, '')
      .replace(/\u00a0/g, ' ')
      .replace(/\n+$/, '');

  const sameInput = (/** @type {string} */ type, /** @type {string} */ held, /** @type {string} */ wanted) => {
    if (held === wanted) return true;
    switch (type) {
      case 'number':
      case 'range':
        return held !== '' && wanted.trim() !== '' && Number(held) === Number(wanted);
      case 'color':
        return held === wanted.toLowerCase();
      case 'email':
        return (
          held ===
          wanted
            .split(',')
            .map((part) => part.trim())
            .join(',')
        );
      case 'url':
        return held === wanted.trim();
      case 'time':
      case 'datetime-local':
        return seconds(held) === seconds(wanted.trim().replace(' ', 'T')) && held !== '';
      case 'text':
      case 'tel':
      case 'search':
        return sameFormatted(held, wanted);
      default:
        return false;
    }
  };

  const seconds = (/** @type {string} */ time) => time.replace(/(:\d\d:\d\d)\.0+$/, '$1').replace(/(:\d\d):00$/, '$1');

  /** Whether a mask has put its own marks between the characters that were wanted, and has left nothing out. */
  const formatted = (/** @type {string} */ held, /** @type {string} */ wanted) => {
    if (wanted === '') return /^[^\p{L}\p{N}]*$/u.test(held);
    // No mask: a text that only got spaces or marks is another text.
    if (!/\p{N}/u.test(wanted)) return false;
    let next = 0;
    for (const char of held) {
      if (char === wanted[next]) next += 1;
      else if (/[\p{L}\p{N}]/u.test(char)) return false;
    }
    return next === wanted.length;
  };

  /** Groups of three after points, as many write whole numbers. */
  const GROUPED = /^\D*\d{1,3}(\.\d{3})+\D*$/;

  const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d+)?$/;

  /** A number without its grouping and its currency; null if it does not look like one. */
  const amount = (/** @type {string} */ held, /** @type {string} */ point) => {
    const plain = held
      .replace(/[^\d.,-]/g, '')
      .replaceAll(point === '.' ? ',' : '.', '')
      .replace(',', '.');
    return /^-?\d+(\.\d*)?$/.test(plain) ? Number(plain) : null;
  };

  /** Whether a field that formats what it is given shows what was wanted: a number by its amount, all else by its characters. */
  const sameFormatted = (/** @type {string} */ held, /** @type {string} */ wanted) => {
    if (!NUMBER.test(wanted)) return formatted(held, wanted);
    const grouped = /\d[.,]\d/.test(held) || /^\D*-/.test(held) || wanted.startsWith('-') || wanted.includes('.');
    if (!grouped || amount(held, '.') === null) return formatted(held, wanted);
    // Where the mark could be either, three digits after it are a group, as in "1,234".
    const point = /,\d{3}$/.test(held) || !/,\d*\D*$/.test(held) ? '.' : ',';
    return amount(held, point) === Number(wanted) || (GROUPED.test(held) && amount(held, ',') === Number(wanted));
  };
})();
