/**
 * Drags: a press, a way, and a release, or what the browser makes of that by itself: HTML drag and drop, sliders, corners
 * to resize, selected text.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const STEPS = 10;
  /** A page that is not drawn in this time goes on all the same. Milliseconds. */
  const FRAME_MS = 100;
  /** The moves of a hand are as far apart as frames are, drawn or not. Milliseconds. */
  const UNDRAWN_MS = 16;
  /** Before it is dropped, a thing is held still for so long: pages look at timers where it is. Milliseconds. */
  const DWELL_MS = 60;

  /** Lets the page do what an event has made it ask for, and draw it. */
  const drawn = async (/** @type {PageOrder} */ order) => {
    if (own.visibilityState(document) === 'visible') {
      await page.frame(order, FRAME_MS);
      await page.pause(order, 0);
    } else await page.pause(order, UNDRAWN_MS);
  };

  /** Lets timers of the page end that are due: in a page that nobody sees they run once a second, as this one does. */
  const timed = async (/** @type {PageOrder} */ order) => {
    await page.within(order, new Promise((resolve) => setTimeout(resolve, 0)));
  };

  page.commands.drag = async (params) => {
    try {
      await drag(params);
    } finally {
      page.endTransfer(params.transfer);
    }
    return {};
  };

  /** @param {PageParams<'drag'>} params */
  const drag = async ({ from, to, by, at: place, toAt, steps = STEPS, transfer: name }) => {
    const { order } = page;
    if ((to === undefined) === (by === undefined)) page.fail('SCRIPT_ERROR', 'a drag needs exactly one of `to`, `by`');
    const source = page.pressable(from);
    const target = to ? page.resolve(to) : null;
    if (target && !page.hasBox(target)) page.notActionable(target, 'is not visible');
    page.acted = source;
    page.after = () => ({});
    if (target) bringTogether(source, target);
    let { at: start, hit } = page.hitPoint(source, place);
    page.refuseFrame(hit);
    const mouse = page.mouse();
    mouse.move(hit, start);
    // A hand presses a moment after it has arrived: pages show handles below it, and measure how far it came before that.
    await drawn(order);
    const arrived = hit;
    ({ at: start, hit } = page.hitPoint(source, place));
    page.refuseFrame(hit);
    if (hit !== arrived) mouse.move(hit, start);
    if (target) requireReachable(target, source, toAt);
    /** Where it ends: pages move things out of the way of what is dragged, but a person goes where the target was. */
    let goal = target
      ? toAt
        ? page.pointIn(target, toAt)
        : middleOf(target)
      : { clientX: start.clientX + (by?.x ?? 0), clientY: start.clientY + (by?.y ?? 0) };

    const native = page.nativeDrag(hit, start);
    const reacts = mouse.down(hit, start, 0, 1);
    /** @type {ReturnType<BproxyPage['caretFromPointer']>} */
    let caret = null;
    if (reacts && page.isHere(hit)) {
      if (native?.focuses ?? true) page.focusFromPointer(hit);
      native?.begin(start);
      if (!native) caret = page.caretFromPointer(hit, start);
    }
    const transfer = reacts && !native && page.isHere(hit) ? page.draggable(hit) : null;
    await drawn(order);

    /** @type {BproxyDrop | null} */
    let drop = null;
    let last = start;
    let over = hit;
    for (let step = 1; step <= steps; step += 1) {
      if (target && step > 1 && !inWindow(goal)) {
        own.scrollIntoView(target, { block: 'center', inline: 'center', behavior: 'instant' });
        goal = toAt ? page.pointIn(target, toAt) : middleOf(target);
      }
      const part = step / steps;
      last = {
        clientX: start.clientX + (goal.clientX - start.clientX) * part,
        clientY: start.clientY + (goal.clientY - start.clientY) * part,
      };
      const now = page.hitAt(last);
      // Outside the window the pointer stays with what it was on.
      over = now ?? (page.isHere(over) ? over : /** @type {Element} */ (own.documentElement(document)));
      if (drop) drop.over(now, last);
      else {
        const moves = mouse.move(over, last);
        if (step === 1 && transfer && page.isHere(transfer)) {
          drop = page.startDrop(transfer, start, mouse, name);
          if (drop) {
            // The browser takes the move that starts a drag for its first one.
            await timed(order);
            await drawn(order);
            drop.over(page.hitAt(last), last);
          }
        } else if (native && reacts) native.move(last);
        else if (moves && caret) extendTo(caret, over, last);
      }
      await drawn(order);
    }
    await page.pause(order, DWELL_MS);
    await timed(order);
    const now = page.hitAt(goal);
    if (drop) {
      drop.over(now, goal);
      await drawn(order);
      drop.end(page.hitAt(goal), goal);
    } else {
      over = now ?? (page.isHere(over) ? over : /** @type {Element} */ (own.documentElement(document)));
      if (goal.clientX !== last.clientX || goal.clientY !== last.clientY) mouse.move(over, goal);
      const clicked = mouse.up(over, goal, 1, () => reacts && native?.end());
      page.tellFocus();
      if (clicked && page.isHere(clicked)) mouse.activate(clicked, goal, 1);
    }
    page.tellFocus();
    // Libraries swallow the click that ends a drag until a task later: the next one is not for them.
    await drawn(order);
  };

  /** Scrolls so that both can be seen at the same time, if they can. */
  const bringTogether = (/** @type {Element} */ source, /** @type {Element} */ target) => {
    for (const element of [target, source]) {
      const { left, top, right, bottom } = page.box(element);
      if (left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight) continue;
      own.scrollIntoView(element, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    }
  };

  /** What lies over the target is refused, unless it is a part of what is dragged. */
  const requireReachable = (
    /** @type {Element} */ target,
    /** @type {Element} */ source,
    /** @type {BproxySpot | undefined} */ place,
  ) => {
    const at = place ? page.pointIn(target, place) : middleOf(target);
    if (!inWindow(at) || getComputedStyle(target).pointerEvents === 'none') return;
    const hit = page.hitAt(at);
    if (hit) page.refuseFrame(hit);
    if (!hit || page.reaches(target, hit) || page.reaches(source, hit) || page.reaches(hit, target)) return;
    page.notActionable(target, `is covered by ${page.describe(hit)}`);
  };

  const middleOf = (/** @type {Element} */ target) => page.probe(target).at ?? page.pointIn(target, { x: 0.5, y: 0.5 });

  const inWindow = (/** @type {PagePoint} */ { clientX, clientY }) =>
    clientX >= 0 && clientY >= 0 && clientX < innerWidth && clientY < innerHeight;

  const extendTo = (
    /** @type {NonNullable<ReturnType<BproxyPage['caretFromPointer']>>} */ { node, offset },
    /** @type {Element} */ hit,
    /** @type {PagePoint} */ at,
  ) => {
    const now = page.caretAt(at, hit);
    if (!now || !own.isConnected(node)) return;
    if (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) {
      if (now.node !== node) return;
      const [from, till] = [Math.min(offset, now.offset), Math.max(offset, now.offset)];
      node.setSelectionRange(from, till, now.offset < offset ? 'backward' : 'forward');
    } else getSelection()?.setBaseAndExtent(node, offset, now.node, now.offset);
  };
})();
