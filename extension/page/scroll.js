/** Scrolling the page, or what scrolls around an element. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** The nearest element, this one included, that scrolls vertically. */
  const scrollerOf = (/** @type {Element} */ element) => {
    for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
      const canScroll = at.scrollHeight > at.clientHeight && /auto|scroll|overlay/.test(getComputedStyle(at).overflowY);
      if (canScroll && at !== document.body) return at;
    }
    return null;
  };

  page.commands.scroll = ({ target, by, direction, covered = false }) => {
    page.requireVisibleTab(covered);
    const element = target && page.resolve(target);
    const scroller = (element && scrollerOf(element)) ?? document.scrollingElement ?? document.documentElement;
    const before = scroller.scrollTop;
    page.after = () => ({
      position: scroller.scrollTop,
      scrollHeight: scroller.scrollHeight,
      clientHeight: scroller.clientHeight,
    });
    // An element alone is to be brought into view; with a distance it, or what scrolls around it, is moved.
    if (element && by === undefined && direction === undefined) {
      element.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' });
    } else {
      const way = direction === 'up' ? -1 : 1;
      scroller.scrollBy({ top: way * distance(by ?? 'viewport', scroller), behavior: 'instant' });
    }
    return { target: scroller === document.scrollingElement ? 'viewport' : 'element', before };
  };

  const distance = (/** @type {string} */ by, /** @type {Element} */ scroller) => {
    if (by === 'viewport') return scroller.clientHeight;
    if (by === 'half') return scroller.clientHeight / 2;
    return by === 'end' ? scroller.scrollHeight : Number.parseInt(by, 10);
  };
})();
