/** Choosing an option by its text: of a native select, or of a list that opens on a click. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const OPTIONS =
    '[role="option"], [role="menuitem"], [role="menuitemradio"], [role="menuitemcheckbox"], [role="treeitem"]';
  const LISTS = '[role="listbox"], [role="menu"], [role="tree"]';
  /** What is announced is not what a widget holds. */
  const ANNOUNCED = '[aria-live], [role="status"], [role="log"], [role="alert"]';
  /** What surrounds a widget and is not part of it. */
  const AROUND = 'html, body, main, form, fieldset, section, table, tr, ul, ol, [role="dialog"], [role="group"]';
  /** A widget is drawn around its trigger, at most so many elements up. */
  const LEVELS = 4;

  /**
   * What the last `select` opened: its trigger, what was visible before, how often the option's text was shown, and what
   * was written over to search for the option.
   * @type {{ trigger: Element, before: Set<Element>, shown: number, searched?: { field: HTMLInputElement, held: string } } | null}
   */
  let opened = null;

  const fold = (/** @type {string} */ text) => page.collapse(text).toLowerCase();
  /** The option with exactly this text, else the one that differs only in case. */
  const byText = (
    /** @type {Element[]} */ options,
    /** @type {(option: Element) => string} */ textOf,
    /** @type {string} */ wanted,
  ) =>
    options.find((option) => page.collapse(textOf(option)) === page.collapse(wanted)) ??
    options.find((option) => fold(textOf(option)) === fold(wanted));
  const missing = (/** @type {string[]} */ texts, /** @type {string} */ wanted) =>
    page.fail(
      'ELEMENT_NOT_FOUND',
      `no option reads ${JSON.stringify(wanted)}; there are: ${page.shorten(texts.map((text) => JSON.stringify(text)).join(', '), 500) || 'none'}`,
    );

  page.commands.select = async ({ trigger, optionText }) => {
    const named = page.resolve(trigger);
    if (named instanceof HTMLSelectElement) page.requireShown(named);
    const found = page.actionable(trigger);
    if (found instanceof HTMLSelectElement) return chooseNative(found, optionText);
    await page.bringIntoView(pressable(found));
    const element = page.actionable(trigger);
    page.acted = element;
    const isOpenAlready = expanded(element) || own.matches(element, LISTS);
    opened = {
      trigger: element,
      before: new Set([...(isOpenAlready ? [] : visibleOptions()), ...reading(optionText)]),
      shown: shown(element, optionText, null),
    };
    page.after = null;
    if (!isOpenAlready) page.press(pressable(element));
    return { opened: true, selected: false };
  };

  /** The part of a widget that can be hit: its field is often hidden below what shows its value. */
  const pressable = (/** @type {Element} */ trigger) => {
    const widget = widgetOf(trigger);
    for (let at = /** @type {Node | null} */ (trigger); at instanceof Element; at = page.parent(at)) {
      if (page.reachable(at)) return at;
      if (at === widget) break;
    }
    return trigger;
  };

  const chooseNative = (/** @type {HTMLSelectElement} */ select, /** @type {string} */ wanted) => {
    const options = [...select.options];
    const text = (/** @type {Element} */ option) => /** @type {HTMLOptionElement} */ (option).text;
    const option = /** @type {HTMLOptionElement | undefined} */ (
      byText(
        options.filter((found) => !page.optionDisabled(found)),
        text,
        wanted,
      ) ?? byText(options, text, wanted)
    );
    if (!option) {
      return missing(
        options.map((found) => page.collapse(found.text)),
        wanted,
      );
    }
    if (page.optionDisabled(option)) page.notActionable(option, 'is disabled');
    page.takeFocus(select);
    if (!select.multiple) select.selectedIndex = option.index;
    option.selected = true;
    own.dispatchEvent(select, new Event('input', { bubbles: true, composed: true }));
    own.dispatchEvent(select, new Event('change', { bubbles: true }));
    const optionText = page.collapse(option.text);
    // A framework may draw its options anew.
    const isSelected = () => [...select.selectedOptions].some((found) => page.collapse(found.text) === optionText);
    page.after = () => ({ selected: isSelected(), optionText, open: false });
    return { opened: false, selected: isSelected() };
  };

  const visibleOptions = () => page.findAll(own.documentElement(document), OPTIONS).filter(page.visible);

  /** How far up from a text an element is looked for that has no more text than that. */
  const WRAPPED = 3;

  /** The innermost visible elements with this text: not every list says what it is. */
  const reading = (/** @type {string} */ wanted) => {
    const text = fold(wanted);
    /** @type {Set<Element>} */
    const found = new Set();
    for (const tree of page.trees()) {
      const walker = own.createTreeWalker(document, tree, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const part = fold(/** @type {Text} */ (walker.currentNode).data);
        if (part === '' || !text.includes(part)) continue;
        let at = own.parentElement(walker.currentNode);
        for (let up = 0; at !== null && up < WRAPPED; up += 1) {
          if (fold(own.textContent(at)) === text) {
            if (page.visible(at)) found.add(at);
            break;
          }
          at = own.parentElement(at);
        }
      }
    }
    return [...found];
  };

  const nameOf = (/** @type {Element} */ option) => page.accessibleName(option) || page.textOf(option);

  page.commands.choose = ({ optionText }) => {
    if (opened === null) return missing([], optionText);
    const { trigger, before } = opened;
    page.touched.add(trigger);
    const list = own.matches(trigger, LISTS) ? trigger : controlled(trigger);
    const listed = new Set(page.findAll(list ?? trigger, OPTIONS));
    const options = visibleOptions().filter((option) => listed.has(option) || (list === null && !before.has(option)));
    const usable = options.filter((option) => !page.disabled(option));
    const option =
      byText(usable, nameOf, optionText) ??
      byText(options, nameOf, optionText) ??
      reading(optionText).find((found) => !before.has(found) && found !== trigger);
    if (!option) return missing(options.map(nameOf), optionText);
    if (page.disabled(option)) page.notActionable(option, 'is disabled');
    const isMenu = /^menuitem$/.test(page.role(option));
    const { shown: shownBefore } = opened;
    page.after = () => ({
      selected: isMenu || chosen(option, trigger, optionText, shownBefore),
      optionText: page.collapse(optionText),
      open: isOpen(trigger, option),
    });
    const several = own.closest(option, '[aria-multiselectable="true"]') !== null;
    // In a list of several choices a press takes back what is chosen already.
    if (!(several && isMarked(option))) page.press(touchable(option));
    return { selected: isMenu };
  };

  /** What takes the press that a text lets through. */
  const touchable = (/** @type {Element} */ option) => {
    for (let at = /** @type {Node | null} */ (option); at instanceof Element; at = page.parent(at)) {
      if (fold(own.textContent(at)) !== fold(own.textContent(option))) break;
      if (getComputedStyle(at).pointerEvents !== 'none') return at;
    }
    return option;
  };

  /**
   * Looks for an option as a person does who does not see it: by writing its text into the list's field, or by looking
   * through a list that shows only some of its options.
   */
  page.commands['search-option'] = async ({ optionText }) => {
    if (!opened) return { searched: false };
    const field = searchField(opened.trigger);
    if (!field) return { searched: await lookThrough(opened, optionText) };
    page.after = null;
    opened.searched = { field, held: field.value };
    page.takeFocus(field);
    page.setValue(field, optionText);
    return { searched: true };
  };

  /** A list is looked through for so many of its heights, and each of them is drawn within this time. */
  const [HEIGHTS_MAX, DRAWN_MS] = [500, 16];
  /** What scrolls a list is so many elements around its options. */
  const SCROLLER_LEVELS = 6;

  const lookThrough = async (
    /** @type {NonNullable<typeof opened>} */ { trigger, before },
    /** @type {string} */ wanted,
  ) => {
    const { order } = page;
    const found = () =>
      byText(
        visibleOptions().filter((option) => !before.has(option)),
        nameOf,
        wanted,
      ) ?? reading(wanted).find((option) => !before.has(option));
    const start = visibleOptions().find((option) => !before.has(option)) ?? named(trigger)[0];
    const list = start && scrollerAround(start);
    if (!list) return false;
    own.scrollBy(list, { top: -own.scrollHeight(list), behavior: 'instant' });
    for (let height = 0; height < HEIGHTS_MAX; height += 1) {
      // The browser sends no such events to a page that nobody sees.
      if (page.isHidden()) own.dispatchEvent(list, new Event('scroll'));
      await page.pause(order, DRAWN_MS);
      if (found()) return true;
      const at = own.scrollTop(list);
      own.scrollBy(list, { top: own.clientHeight(list) * 0.9, behavior: 'instant' });
      if (own.scrollTop(list) === at) return false;
    }
    return false;
  };

  const scrollerAround = (/** @type {Element} */ option) => {
    const scrolls = (/** @type {Element} */ at) =>
      own.clientHeight(at) > 0 &&
      own.scrollHeight(at) > 1.5 * own.clientHeight(at) &&
      getComputedStyle(at).overflowY !== 'visible';
    let at = /** @type {Node | null} */ (option);
    for (let up = 0; up < SCROLLER_LEVELS && at instanceof Element && !own.matches(at, 'html, body'); up += 1) {
      const scroller = page.findAll(at, '*').find(scrolls);
      if (scroller) return scroller;
      at = page.parent(at);
    }
    return null;
  };

  const activeBelow = (/** @type {Element} */ host) => {
    const shadow = own.shadowRoot(host);
    return shadow && own.activeElement(shadow);
  };

  const searchField = (/** @type {Element} */ trigger) => {
    let active = own.activeElement(document);
    for (let inner = active; inner; inner = activeBelow(inner)) active = inner;
    for (const field of [trigger, active]) {
      if (field instanceof HTMLInputElement && !field.readOnly && /^(text|search|tel|email|url)$/.test(field.type)) {
        return field;
      }
    }
    return null;
  };

  /** Closes a list that is open still, as a person does: with Escape, or by another press on what opened it. */
  page.commands['close-list'] = ({ optionText, by }) => {
    if (opened === null) return {};
    const { trigger, before, searched } = opened;
    if (optionText === null && searched) page.setValue(searched.field, searched.held);
    const isListed = visibleOptions().some((option) => !before.has(option));
    if (!own.isConnected(trigger) || own.matches(trigger, LISTS) || !(isListed || expanded(trigger))) return {};
    if (by === 'press') {
      page.press(pressable(trigger));
      return {};
    }
    const init = { key: 'Escape', code: 'Escape', keyCode: 27, bubbles: true, cancelable: true, composed: true };
    const active = own.activeElement(document);
    const on = active === null || active === own.body(document) ? trigger : active;
    own.dispatchEvent(on, new KeyboardEvent('keydown', init));
    own.dispatchEvent(on, new KeyboardEvent('keyup', init));
    return {};
  };

  /** Whether a trigger, or a part of it, says that its list is open. */
  const expanded = (/** @type {Element} */ trigger) => page.findAll(trigger, '[aria-expanded="true"]').length > 0;

  const isOpen = (/** @type {Element} */ trigger, /** @type {Element} */ option) =>
    !own.matches(trigger, LISTS) &&
    (expanded(trigger) || (own.isConnected(option) && page.visible(option) && own.closest(option, LISTS) !== null));

  /** What a combobox says it opens. @returns {Element[]} */
  const named = (/** @type {Element} */ trigger) => {
    const [at = trigger] = page.findAll(trigger, '[aria-controls], [aria-owns]');
    const ids = (own.getAttribute(at, 'aria-controls') ?? own.getAttribute(at, 'aria-owns') ?? '').trim().split(/\s+/);
    const root = /** @type {Document | ShadowRoot} */ (own.getRootNode(at));
    return ids.flatMap((id) => (id && own.getElementById(root, id)) || []);
  };

  /** The list that a combobox says it opens. */
  const controlled = (/** @type {Element} */ trigger) =>
    named(trigger).find((list) => page.findAll(list, OPTIONS).some(page.visible)) ?? null;

  const isMarked = (/** @type {Element} */ option) =>
    own.isConnected(option) &&
    (own.getAttribute(option, 'aria-selected') === 'true' || own.getAttribute(option, 'aria-checked') === 'true');

  /**
   * Whether an option is chosen, as far as the page shows it: the option is marked, its trigger reads as it does, or its
   * text stands in the widget where it did not before. That the list has closed proves nothing.
   */
  const chosen = (
    /** @type {Element} */ option,
    /** @type {Element} */ trigger,
    /** @type {string} */ wanted,
    /** @type {number} */ before,
  ) => {
    if (isMarked(option)) return true;
    if (!own.isConnected(trigger)) return false;
    const value = page.isField(trigger) ? /** @type {HTMLInputElement} */ (trigger).value : '';
    const held = fold(value) || fold(shownText(trigger, option));
    return held === fold(wanted) || shown(trigger, wanted, option) > before || originalHolds(trigger, wanted);
  };

  const widgetOf = (/** @type {Element} */ trigger) => {
    let widget = trigger;
    for (let up = 0; up < LEVELS; up += 1) {
      const parent = page.parent(widget);
      if (!(parent instanceof Element) || own.matches(parent, AROUND)) break;
      widget = parent;
    }
    return widget;
  };

  /** How often a widget shows a text, outside its list. */
  const shown = (/** @type {Element} */ trigger, /** @type {string} */ wanted, /** @type {Element | null} */ option) =>
    fold(shownText(widgetOf(trigger), option)).split(fold(wanted)).length - 1;

  /** The text that a part of the page shows, without options and announcements, with what its fields hold. */
  const shownText = (/** @type {Node} */ node, /** @type {Element | null} */ option) => {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element) || node === option || own.matches(node, OPTIONS) || own.matches(node, ANNOUNCED))
      return '';
    if (node instanceof HTMLSelectElement || own.matches(node, 'script, style, option') || !page.rendered(node))
      return '';
    if (node instanceof HTMLInputElement) return ` ${node.value} `;
    let text = '';
    for (const child of page.children(node)) text += shownText(child, option);
    return ` ${text} `;
  };

  /** Whether the select that the widget stands in front of holds the option. */
  const originalHolds = (/** @type {Element} */ trigger, /** @type {string} */ wanted) =>
    page
      .findAll(widgetOf(trigger), 'select')
      .some((select) =>
        [.../** @type {HTMLSelectElement} */ (select).selectedOptions].some(({ text }) => fold(text) === fold(wanted)),
      );
})();
