/** Scrolling the page, or what scrolls around an element. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** The nearest element, this one included, that scrolls vertically. */
  const scrollerOf = (/** @type {Element} */ element) => {
    for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
      const canScroll =
        own.scrollHeight(at) > own.clientHeight(at) && /auto|scroll|overlay/.test(getComputedStyle(at).overflowY);
      if (canScroll && at !== own.body(document)) return at;
    }
    return null;
  };

  page.commands.scroll = ({ target, by, direction }) => {
    const element = target && page.resolve(target);
    const scroller =
      (element && scrollerOf(element)) ?? own.scrollingElement(document) ?? own.documentElement(document);
    const before = own.scrollTop(scroller);
    page.mindScroller(scroller);
    if (element) page.mindScrollersOf(element);
    page.after = () => ({
      position: own.scrollTop(scroller),
      scrollHeight: own.scrollHeight(scroller),
      clientHeight: own.clientHeight(scroller),
    });
    // An element alone is to be brought into view; with a distance it, or what scrolls around it, is moved.
    if (element && by === undefined && direction === undefined) {
      own.scrollIntoView(element, { block: 'center', inline: 'nearest', behavior: 'instant' });
    } else {
      const way = direction === 'up' ? -1 : 1;
      own.scrollBy(scroller, { top: way * distance(by ?? 'viewport', scroller), behavior: 'instant' });
    }
    return { target: scroller === own.scrollingElement(document) ? 'viewport' : 'element', before };
  };

  const distance = (/** @type {string} */ by, /** @type {Element} */ scroller) => {
    if (by === 'viewport') return own.clientHeight(scroller);
    if (by === 'half') return own.clientHeight(scroller) / 2;
    return by === 'end' ? own.scrollHeight(scroller) : Number.parseInt(by, 10);
  };
})();
