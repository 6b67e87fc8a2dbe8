/** Fields whose value keys change without typing: sliders, numbers, lists, radio buttons. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** How long a search in a list by typing goes on after a key. */
  const SEARCH_MS = 1_000;
  /** By how many options Page Up and Page Down move in a closed list. */
  const LIST_PAGE = 3;
  /** How many options a list shows that says nothing of it. */
  const BOX_SIZE = 4;

  const changed = (/** @type {Element} */ element) => {
    own.dispatchEvent(element, new Event('input', { bubbles: true, composed: true }));
    own.dispatchEvent(element, new Event('change', { bubbles: true }));
    page.tellFocus();
  };

  page.changedByKey = changed;

  const isRtl = (/** @type {Element} */ element) => getComputedStyle(element).direction === 'rtl';

  page.adjustByKey = (on, { key }, down) => {
    if (on instanceof HTMLSelectElement) return chooseByKey(on, key, down);
    if (!(on instanceof HTMLInputElement)) return false;
    if (on.type === 'range') return slide(on, key);
    if (on.type === 'number') return step(on, key, down);
    if (on.type === 'radio') return pick(on, key, down);
    return page.segmentByKey(on, key, down);
  };

  // ---- Sliders ----

  const slide = (/** @type {HTMLInputElement} */ range, /** @type {string} */ key) => {
    const number = (/** @type {string} */ text, /** @type {number} */ otherwise) =>
      text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : otherwise;
    const min = number(range.min, 0);
    const max = Math.max(min, number(range.max, 100));
    const small = /^any$/i.test(range.step) ? (max - min) / 100 : number(range.step, 1) > 0 ? number(range.step, 1) : 1;
    const large = Math.max((max - min) / 10, small);
    const now = Number(range.value);
    const forward = isRtl(range) ? -1 : 1;
    /** @type {Record<string, number>} */
    const ways = {
      ArrowUp: now + small,
      ArrowDown: now - small,
      ArrowRight: now + forward * small,
      ArrowLeft: now - forward * small,
      PageUp: now + large,
      PageDown: now - large,
      Home: min,
      End: max,
    };
    if (!Object.hasOwn(ways, key)) return false;
    const before = range.value;
    range.value = String(Number(ways[key].toPrecision(12)));
    if (range.value !== before) changed(range);
    return true;
  };

  // ---- Numbers ----

  const step = (
    /** @type {HTMLInputElement} */ field,
    /** @type {string} */ key,
    /** @type {PageModifiers} */ { ctrlKey, metaKey, altKey },
  ) => {
    if ((key !== 'ArrowUp' && key !== 'ArrowDown') || ctrlKey || metaKey || altKey) return false;
    if (!page.takesText(field)) return false;
    const before = field.value;
    // Only asked of a copy, what it would be can be told to the page beforehand.
    const copy = /** @type {HTMLInputElement} */ (own.cloneNode(field));
    copy.value = before;
    if (/^any$/i.test(copy.step)) copy.step = '1';
    if (key === 'ArrowUp') copy.stepUp();
    else copy.stepDown();
    const { value } = copy;
    // Between its last step and its end a field is asked to hold what it holds.
    const end = key === 'ArrowUp' ? field.max : field.min;
    const atEnd = end === '' || before === '' || Number(before) === Number(end);
    if (value === before && atEnd) return true;
    if (!page.asksToInsert(field, value) || value === before) return true;
    field.value = value;
    changed(field);
    return true;
  };

  // ---- Radio buttons ----

  const pick = (
    /** @type {HTMLInputElement} */ radio,
    /** @type {string} */ key,
    /** @type {PageModifiers} */ down,
  ) => {
    if (!/^Arrow/.test(key) || down.ctrlKey || down.metaKey || down.altKey) return false;
    const back = key === 'ArrowUp' || key === (isRtl(radio) ? 'ArrowRight' : 'ArrowLeft');
    const group = sameName(radio).filter((other) => other === radio || (!page.disabled(other) && page.rendered(other)));
    if (group.length < 2) return true;
    const next = group[(group.indexOf(radio) + (back ? group.length - 1 : 1)) % group.length];
    page.takeFocus(next);
    page.clickByKey(next, down);
    return true;
  };

  page.radioGroup = (radio) => (radio.name === '' ? [radio] : sameName(radio));

  /** Arrow keys go on to the next without a name too. */
  const sameName = (/** @type {HTMLInputElement} */ radio) => {
    const { name, form } = radio;
    const root = /** @type {Document} */ (own.getRootNode(radio));
    return /** @type {HTMLInputElement[]} */ ([...own.querySelectorAll(root, 'input')]).filter(
      (other) => other.type === 'radio' && other.name === name && other.form === form,
    );
  };

  // ---- Lists ----

  const canBeChosen = (/** @type {HTMLOptionElement | undefined} */ option) =>
    option !== undefined && !option.hidden && !page.optionDisabled(option);

  const isListbox = (/** @type {HTMLSelectElement} */ list) => list.multiple || list.size > 1;

  /** Where the last choice by keys began and ended, in lists of which several can be chosen. @type {WeakMap<HTMLSelectElement, [number, number]>} */
  const reached = new WeakMap();

  /** Chooses the options between two, and no other. @param {HTMLSelectElement} list @param {number} from @param {number} to */
  const choose = (list, from, to) => {
    reached.set(list, [from, to]);
    let differs = false;
    for (const [index, option] of [...list.options].entries()) {
      const wanted = index >= Math.min(from, to) && index <= Math.max(from, to) && canBeChosen(option);
      differs ||= option.selected !== wanted;
      // One that chooses alone unselects the others by itself, which may not be asked of it.
      if (option.selected !== wanted && (wanted || list.multiple)) option.selected = wanted;
    }
    return differs;
  };

  const chooseByKey = (
    /** @type {HTMLSelectElement} */ list,
    /** @type {string} */ key,
    /** @type {PageModifiers} */ { shiftKey, ctrlKey, metaKey, altKey },
  ) => {
    if (altKey || metaKey) return false;
    const options = [...list.options];
    const last = options.length - 1;
    if (ctrlKey && key.toLowerCase() === 'a' && list.multiple) {
      if (choose(list, 0, last)) changed(list);
      return true;
    }
    const [from, at] = reached.get(list) ?? [list.selectedIndex, list.selectedIndex];
    const box = isListbox(list);
    const pageful = box ? Math.max(1, (list.size || BOX_SIZE) - 1) : LIST_PAGE;
    /** @type {Record<string, number>} */
    const ways = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 && box ? last : at - 1,
      PageDown: at + pageful,
      PageUp: at - pageful,
      Home: 0,
      End: last,
    };
    if (!box) Object.assign(ways, { ArrowRight: at + 1, ArrowLeft: at - 1 });
    if (!Object.hasOwn(ways, key)) return false;
    const wanted = Math.min(Math.max(ways[key], 0), last);
    // Over options that cannot be chosen it goes on in the same direction, and back at the end of the list.
    const way = key === 'Home' || (wanted > at && key !== 'End') || at < 0 ? 1 : -1;
    const next = seek(options, wanted, way) ?? seek(options, wanted, -way);
    if (next !== undefined && choose(list, shiftKey && list.multiple ? from : next, next)) changed(list);
    return true;
  };

  /** @param {HTMLOptionElement[]} options @param {number} from @param {number} way */
  const seek = (options, from, way) => {
    for (let at = from; at >= 0 && at < options.length; at += way) if (canBeChosen(options[at])) return at;
    return undefined;
  };

  /** @type {{ list: HTMLSelectElement, text: string, at: number } | null} */
  let search = null;

  page.searchByKey = (list, text) => {
    if (/\s/.test(text) && (search === null || search.list !== list)) return;
    const now = Date.now();
    const going = search !== null && search.list === list && now - search.at < SEARCH_MS;
    const typed = (going && search ? search.text : '') + text.toLowerCase();
    search = { list, text: typed, at: now };
    const options = [...list.options];
    const from = list.selectedIndex;
    // The same letter again goes on to the next option that begins so.
    const repeated = [...typed].every((char) => char === typed[0]);
    const wanted = repeated ? typed[0] : typed;
    const start = repeated ? from + 1 : Math.max(from, 0);
    for (let step = 0; step < options.length; step += 1) {
      const at = (start + step) % options.length;
      if (!canBeChosen(options[at]) || !page.collapse(options[at].text).toLowerCase().startsWith(wanted)) continue;
      if (!choose(list, at, at)) return;
      if (isListbox(list)) own.dispatchEvent(list, new Event('change', { bubbles: true }));
      else changed(list);
      page.tellFocus();
      return;
    }
  };
})();
