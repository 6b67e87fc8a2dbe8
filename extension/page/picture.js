/**
 * What a picture of more than the window needs of the page: where its parts are, scrolling from one to the next, and the
 * page as it was afterwards. What sticks is held back by animations, which change no attribute and end without a trace.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** A page that hears nothing of its picture any more goes back to what it was. */
  const FORGOTTEN_MS = 5_000;
  /** How many windows high a picture may be. */
  const SCREENS_MAX = 40;
  /** A frame that does not come in this time is not waited for. */
  const FRAME_MS = 250;
  /** How long pictures in the page may take to load: those of a part, and those that load when they are come near. */
  const LOAD_MS = 1_000;
  const LAZY_MS = 3_000;
  const LOOK_MS = 50;
  /** A part of the page that scrolls is the page if it is so much of the window. */
  const MAIN = 0.5;
  const MARKS_MAX = 500;
  const MARKED =
    'a[href], area[href], button, input:not([type="hidden"]), select, textarea, summary, [contenteditable]:not([contenteditable="false"]), [onclick], [tabindex]:not([tabindex="-1"]), [role="button"], [role="checkbox"], [role="combobox"], [role="link"], [role="menuitem"], [role="option"], [role="radio"], [role="slider"], [role="switch"], [role="tab"], [role="textbox"], [role="treeitem"]';

  /** @typedef {{ x: number, y: number, width: number, height: number }} Area */
  /**
   * `view`: where the part of the page that scrolls is drawn; `area`: what of its contents is pictured; `around`: what is
   * around it is pictured, too; `held`: what is shown once, and in which part.
   * @typedef {{
   *   scroller: Element, view: Area, area: Area, around: boolean, steps: number,
   *   held: { element: Element, in: number, animation: Animation | null }[],
   * }} Plan
   */
  /** @type {Plan | null} */
  let plan = null;
  /** @type {Animation[]} */
  let unstuck = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let forgotten;

  const root = () => /** @type {Element} */ (own.scrollingElement(document) ?? own.documentElement(document));
  const isRoot = (/** @type {Element} */ element) => element === root();

  const scrolls = (/** @type {Element} */ element) =>
    own.scrollHeight(element) > own.clientHeight(element) + 1 &&
    (isRoot(element) || /auto|scroll|overlay/.test(getComputedStyle(element).overflowY));

  /** @param {Element} scroller @returns {Area} */
  const viewOf = (scroller) => {
    const [width, height] = [own.clientWidth(scroller), own.clientHeight(scroller)];
    if (isRoot(scroller)) {
      // In quirks mode the body scrolls, and has a size of its own.
      const box = own.documentElement(document);
      const quirks = own.compatMode(document) === 'BackCompat' || !box;
      return {
        x: 0,
        y: 0,
        width: quirks ? width : own.clientWidth(box),
        height: quirks ? height : own.clientHeight(box),
      };
    }
    const box = own.getBoundingClientRect(scroller);
    return { x: box.x + own.clientLeft(scroller), y: box.y + own.clientTop(scroller), width, height };
  };

  /** What the page scrolls: the window, or the largest part in it. */
  const mainScroller = () => {
    if (scrolls(root())) return root();
    let best = root();
    let most = innerWidth * innerHeight * MAIN;
    for (const element of page.findAll(/** @type {Element} */ (own.documentElement(document)), '*')) {
      const size = own.clientWidth(element) * own.clientHeight(element);
      if (size > most && scrolls(element) && page.visible(element)) [best, most] = [element, size];
    }
    return best;
  };
  const scrollerAround = (/** @type {Element} */ element) => {
    for (let at = page.parent(element); at instanceof Element; at = page.parent(at)) if (scrolls(at)) return at;
    return root();
  };

  const moveTo = (/** @type {Element} */ scroller, /** @type {number} */ top, left = own.scrollLeft(scroller)) =>
    own.scrollBy(scroller, {
      top: top - own.scrollTop(scroller),
      left: left - own.scrollLeft(scroller),
      behavior: 'instant',
    });

  // ---- Waiting ----

  /** Until what has changed is drawn. @param {PageOrder} order */
  const drawn = async (order) => {
    for (let count = 0; count < 2; count += 1) await page.frame(order, FRAME_MS);
  };

  /** @param {PageOrder} order @param {number} ms @param {(image: HTMLImageElement) => boolean} isMeant */
  const loaded = async (order, ms, isMeant) => {
    const all = /** @type {HTMLImageElement[]} */ (
      page.findAll(/** @type {Element} */ (own.documentElement(document)), 'img')
    );
    for (const end = performance.now() + ms; performance.now() < end; ) {
      if (!all.some((image) => !image.complete && page.rendered(image) && isMeant(image))) return;
      await page.pause(order, LOOK_MS);
    }
  };
  const isInWindow = (/** @type {Element} */ element) => {
    const { top, bottom } = own.getBoundingClientRect(element);
    return bottom > 0 && top < innerHeight;
  };

  // ---- What sticks ----

  /** Draws what is sticky where it would be without that, and finds what is fixed. @returns {Element[]} what is shown once */
  const unstick = (/** @type {Element | null} */ target) => {
    /** @type {Element[]} */
    const fixed = [];
    for (const element of page.findAll(/** @type {Element} */ (own.documentElement(document)), '*')) {
      const { position } = getComputedStyle(element);
      if (position !== 'fixed' && position !== 'sticky') continue;
      if (target && (page.holds(element, target) || page.holds(target, element))) continue;
      if (position === 'sticky') {
        const inFlow = { position: 'relative', top: 'auto', right: 'auto', bottom: 'auto', left: 'auto' };
        const animation = own.animate(element, [inFlow, inFlow], { duration: 1e9, fill: 'both' });
        animation.pause();
        unstuck.push(animation);
        if (getComputedStyle(element).position === 'relative') continue;
      }
      if (page.visible(element)) fixed.push(element);
    }
    return fixed;
  };

  const showOnly = (/** @type {number} */ step) => {
    for (const held of plan?.held ?? []) {
      const isHidden = held.in !== step;
      if (isHidden && held.animation === null) {
        const gone = { opacity: 0 };
        held.animation = own.animate(held.element, [gone, gone], { duration: 1e9, fill: 'both' });
        held.animation.pause();
      } else if (!isHidden) {
        held.animation?.cancel();
        held.animation = null;
      }
    }
  };

  // ---- The parts ----

  page.commands['picture-begin'] = async ({ target, fullPage = false }) => {
    release();
    const { order } = page;
    const element = target === undefined ? null : page.resolve(target);
    if (element && !page.visible(element))
      page.notActionable(element, 'is not visible, so there is nothing to picture');
    const whole = element && fullPage && scrolls(element);
    const scroller = whole ? element : element ? scrollerAround(element) : mainScroller();
    page.mindScroller(scroller);
    if (element) page.mindScrollersOf(element);
    keep();
    const isFrame = page.isFrame();
    // What is in a frame was brought into view on the way there, with all that is around it.
    if (element && !isFrame) own.scrollIntoView(element, { block: 'center', inline: 'center', behavior: 'instant' });
    if (element && (!whole || isFrame)) {
      await drawn(order);
      const box = page.box(element);
      const { x, y, width, height } = viewOf(scroller);
      const fits = box.height <= height + 1;
      if (fits || isFrame) {
        // What scrolls around it cuts it off.
        const clip = fits ? { x: 0, y: 0, width: innerWidth, height: innerHeight } : { x, y, width, height };
        const shown = cut(box, clip);
        plan = { scroller, view: shown, area: shown, around: false, steps: 1, held: [] };
        await loaded(order, LOAD_MS, isInWindow);
        return begun(!fits || shown.width < box.width - 1, shown);
      }
    }
    const view = viewOf(scroller);
    // What loads only when it is come near does so now.
    for (let top = 0, count = 0; count < SCREENS_MAX && top < own.scrollHeight(scroller); count += 1) {
      moveTo(scroller, top);
      await drawn(order);
      keep();
      top += view.height;
    }
    await loaded(order, LAZY_MS, () => true);
    const held = unstick(element);
    moveTo(scroller, 0, element ? undefined : 0);
    await drawn(order);
    let area = { x: 0, y: 0, width: view.width, height: own.scrollHeight(scroller) };
    if (element && !whole) {
      const box = page.box(element);
      area = cut(
        { x: box.x - view.x, y: box.y - view.y + own.scrollTop(scroller), width: box.width, height: box.height },
        area,
      );
    }
    const steps = Math.ceil(area.height / view.height);
    const isCut = steps > SCREENS_MAX;
    if (isCut) area.height = SCREENS_MAX * view.height;
    plan = { scroller, view, area, around: element === null, steps: Math.min(steps, SCREENS_MAX), held: [] };
    plan.held = held.map((it) => ({ element: it, in: placeOf(it), animation: null }));
    return begun(isCut, { ...area, height: area.height + (plan.around ? innerHeight - view.height : 0) });
  };

  /** What is fixed above the middle is shown above, else below; in a picture of an element it is in the way. */
  const placeOf = (/** @type {Element} */ element) => {
    const { around, steps } = /** @type {Plan} */ (plan);
    if (!around) return -1;
    const { top, bottom } = own.getBoundingClientRect(element);
    return top + bottom > innerHeight && top > 0 ? steps - 1 : 0;
  };

  /** @param {Area} of @param {Area} by @returns {Area} */
  const cut = (of, by) => {
    const [x, y] = [Math.max(of.x, by.x), Math.max(of.y, by.y)];
    const [right, bottom] = [Math.min(of.x + of.width, by.x + by.width), Math.min(of.y + of.height, by.y + by.height)];
    return { x, y, width: Math.max(right - x, 0), height: Math.max(bottom - y, 0) };
  };

  const begun = (/** @type {boolean} */ capped, /** @type {Area} */ { width, height }) => {
    const { around, steps } = /** @type {Plan} */ (plan);
    return { width: around ? innerWidth : width, height, steps, capped };
  };

  page.commands['picture-show'] = async ({ step }) => {
    if (plan === null)
      return page.fail('SCRIPT_ERROR', 'the page has gone back to what it was: ask for the picture again');
    const { order } = page;
    const { scroller, view, area, around, steps } = plan;
    keep();
    if (plan.view === plan.area) return { parts: [{ from: view, to: { x: 0, y: 0 } }], width: innerWidth };
    showOnly(step);
    moveTo(scroller, area.y + step * view.height);
    await drawn(order);
    await loaded(order, LOAD_MS, isInWindow);
    const top = own.scrollTop(scroller);
    // In the window: what of the area is to be seen now.
    const shown = cut({ x: view.x + area.x, y: view.y + area.y - top, width: area.width, height: area.height }, view);
    const to = { x: shown.x - view.x - area.x, y: shown.y - view.y + top - area.y };
    if (!around) return { parts: [{ from: shown, to }], width: innerWidth };
    const parts = [{ from: shown, to: { x: shown.x, y: view.y + to.y } }];
    const below = view.y + view.height;
    if (step === 0) {
      parts.unshift({
        from: { x: 0, y: 0, width: innerWidth, height: Math.min(below, innerHeight) },
        to: { x: 0, y: 0 },
      });
    }
    if (step === steps - 1 && below < innerHeight) {
      const from = { x: 0, y: below, width: innerWidth, height: innerHeight - below };
      parts.push({ from, to: { x: 0, y: view.y + area.height } });
    }
    return { parts, width: innerWidth };
  };

  page.commands['picture-window'] = () => ({ width: innerWidth });

  // ---- Marks ----

  page.commands.marks = () => {
    const top = /** @type {Element} */ (own.documentElement(document));
    const shown = (/** @type {Element} */ element) => page.visible(element) && isInWindow(element);
    const all = page.findAll(top, page.orFrames(MARKED));
    const found = page.withFrames('marks', all, shown).filter((element) => shown(element) && page.probe(element).at);
    const numbers = page.numbers('el');
    const marks = found.slice(0, MARKS_MAX).map((element) => {
      const { x, y, width, height } = page.box(element);
      const n = numbers.of(element);
      return { x, y, width, height, ...(n === undefined ? {} : { n }) };
    });
    return { marks, total: found.length };
  };

  // ---- As before ----

  /** Somebody still wants the picture. */
  const keep = () => {
    clearTimeout(forgotten);
    forgotten = setTimeout(page.endPicture, FORGOTTEN_MS);
  };

  const release = () => {
    clearTimeout(forgotten);
    for (const { animation } of plan?.held ?? []) animation?.cancel();
    for (const animation of unstuck) animation.cancel();
    unstuck = [];
    plan = null;
  };

  page.endPicture = () => {
    release();
    const { began } = page;
    if (!began?.act.startsWith('picture')) return;
    page.began = null;
    for (const [scroller, [top, left]] of began.scrollers) moveTo(scroller, top, left);
  };
})();
