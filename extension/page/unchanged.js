/**
 * Whether the page is still as it was when it was read: a read that would tell the same again costs nothing then. Of what
 * changes without a change of the document, it is looked at what is drawn, what fields hold, where the focus and the mouse
 * are, the window, style sheets and animations.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const RENDERED = { visibilityProperty: true };

  /**
   * The last read, and those that found nothing new after it. `data`: what it told, but for the tree; `around`: what else it depends on, in words.
   * @type {{ readings: Set<string>, seen: BproxySeen & { focused: Element | null, pointed: Element | null }, held: string[], around: string, changes: MutationObserver, data: PageData<'snapshot'> } | null}
   */
  let last = null;

  const trees = () => [document, ...page.hosts().map((host) => /** @type {ShadowRoot} */ (own.shadowRoot(host)))];

  /** What a field holds, as far as it is told. */
  const held = (/** @type {Element} */ field) => {
    const { value, checked, indeterminate, selectedIndex } = /** @type {any} */ (field);
    return page.isSecret(field) ? '' : JSON.stringify([value, checked, indeterminate, selectedIndex]);
  };

  const around = () => {
    const sheets = [...own.styleSheets(document), ...own.adoptedStyleSheets(document)].map((sheet) => {
      try {
        return sheet.disabled ? -1 : sheet.cssRules.length;
      } catch {
        // A sheet of another site.
        return 0;
      }
    });
    return JSON.stringify([innerWidth, innerHeight, devicePixelRatio, page.isDark(), sheets]);
  };
  const focused = () => own.activeElement(document);
  const pointed = () => [...own.querySelectorAll(document, ':hover')].at(-1) ?? null;

  const forget = () => {
    last?.changes.disconnect();
    last = null;
  };

  page.remember = (seen, data) => {
    forget();
    const { reading } = page.order;
    if (reading === undefined || page.isFramed() || own.getAnimations(document).length > 0) return;
    // The first change makes it worthless.
    const changes = new MutationObserver(forget);
    for (const tree of trees()) {
      changes.observe(tree, { subtree: true, childList: true, attributes: true, characterData: true });
    }
    const places = { focused: focused(), pointed: pointed() };
    last = {
      readings: new Set([reading]),
      seen: { ...seen, ...places },
      held: seen.fields.map(held),
      around: around(),
      changes,
      data,
    };
  };

  page.unchanged = (reading) => {
    if (last === null || !last.readings.has(reading) || last.changes.takeRecords().length > 0) {
      forget();
      return null;
    }
    const { seen, data } = last;
    const { elements, drawn, fields } = seen;
    const isSame =
      seen.focused === focused() &&
      seen.pointed === pointed() &&
      last.around === around() &&
      own.getAnimations(document).length === 0 &&
      fields.every((field, at) => held(field) === last?.held[at]) &&
      elements.every((element, at) => own.checkVisibility(element, RENDERED) === drawn[at]);
    if (!isSame) {
      forget();
      return null;
    }
    if (page.order.reading !== undefined) last.readings.add(page.order.reading);
    return data;
  };
})();
