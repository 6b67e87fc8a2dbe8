/**
 * What an act has caused in its document, as far as the document shows it: compared with how it was when the act began.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  page.begin = (act) => {
    if (act === undefined || page.began?.act === act) return;
    page.began = {
      act,
      url: location.href,
      focused: page.focused(),
      scrollers: new Map(),
      blocked: new Set(),
      asked: new Set(),
      sends: false,
      animations: new Set(page.isHidden() ? own.getAnimations(document) : []),
    };
    const scroller = own.scrollingElement(document);
    if (scroller) page.mindScroller(scroller);
  };

  page.mindScroller = (scroller) => {
    const known = page.began?.scrollers;
    if (known && !known.has(scroller)) known.set(scroller, [own.scrollTop(scroller), own.scrollLeft(scroller)]);
  };

  page.mindScrollersOf = (element) => {
    for (let at = page.parent(element); at; at = page.parent(at)) {
      if (at instanceof Element && scrolls(at)) page.mindScroller(at);
    }
  };

  const scrolls = (/** @type {Element} */ element) =>
    own.scrollHeight(element) > own.clientHeight(element) || own.scrollWidth(element) > own.clientWidth(element);

  page.scrolledBy = () =>
    Math.max(
      ...[...(page.began?.scrollers ?? [])].map(([scroller, [top, left]]) =>
        Math.hypot(own.scrollTop(scroller) - top, own.scrollLeft(scroller) - left),
      ),
      0,
    );

  page.wasBlocked = (what) => void page.began?.blocked.add(what);

  page.seen = () => {
    const { began } = page;
    const hidden = page.isHidden();
    if (!began) return { hidden };
    const focus = page.focused();
    const scrolled = page.scrolledBy();
    return {
      hidden,
      moved: location.href !== began.url,
      ...(focus && focus !== began.focused ? { focus: told(focus) } : {}),
      ...(scrolled > 0 ? { scrolled: Math.round(scrolled * 100) / 100 } : {}),
      ...(began.blocked.size > 0 ? { blocked: [...began.blocked] } : {}),
      ...(began.asked.size > 0 ? { asked: [...began.asked] } : {}),
      ...(hidden && waitsToBeDrawn() ? { waits: true } : {}),
    };
  };

  const NAME_MAX = 200;

  const told = (/** @type {Element} */ element) => {
    const name = page.accessibleName(element);
    const n = page.numbers('el').of(element, name);
    const inside = page.slotOf(element);
    return {
      role: page.role(element),
      name: page.shorten(name, NAME_MAX),
      ...(n === undefined ? {} : { n }),
      ...(inside === undefined ? {} : { inside }),
    };
  };

  /** Whether something stands still that would move, were the page drawn: what the act has started, and ends by itself. */
  const waitsToBeDrawn = () =>
    page.waitsForFrames() ||
    page
      .trees()
      .flatMap((tree) => own.getAnimations(tree))
      .some((animation) => {
        const ends = Number(animation.effect?.getComputedTiming().endTime) < Infinity;
        return ends && animation.playState === 'running' && !page.began?.animations.has(animation);
      });
})();
