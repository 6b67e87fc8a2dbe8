/** Clicks and hovers: what a press does by itself, in the page and in the browser, and what cannot be clicked. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const BUTTON = { left: 0, middle: 1, right: 2 };
  /** Where the context menu opens when the button comes up; elsewhere it opens when it goes down. */
  const MENU_ON_UP = /win/i.test(navigator.platform);

  page.pressOf = (element, { button = 'left', modifiers, at: place } = {}) => {
    const which = BUTTON[button];
    const { at, hit: first } = pointOf(element, place);
    page.refuseFrame(first);
    const mouse = page.mouse(modifiers);
    /** A page may redraw what is pressed, or take it away, at any event: none goes to another element. */
    const hit = () => {
      const now = page.hitAt(at);
      return [now, first, element].find((it) => it && page.isHere(it) && page.reaches(element, it)) ?? null;
    };
    mouse.move(first, at);
    /** @type {BproxyNativeDrag | null} */
    let native = null;
    /** @type {ReturnType<BproxyPage['dismissing']> | null} */
    let dismiss = null;
    return {
      down(detail) {
        const on = hit();
        if (!on) return page.notActionable(element, 'was taken out of the page before it was pressed');
        dismiss = which === 0 ? page.dismissing(on, at) : null;
        const reacts = mouse.down(on, at, which, detail);
        if (reacts) {
          const now = hit() ?? element;
          const was = page.focused();
          native = which === 0 ? page.nativeDrag(now, at, modifiers) : null;
          if (native?.actsFirst) native.begin(at);
          if (native?.focuses ?? true) page.focusFromPointer(now);
          if (!native?.actsFirst) native?.begin(at);
          // Where text is edited only what is selected there already is extended.
          const edited = page.isText(now) ? now : page.hostOfEditing(now);
          const extend = (modifiers?.includes('Shift') ?? false) && (edited === null || edited === was);
          if (!native) page.caretFromPointer(now, at, { button: which, count: which === 0 ? detail : 1, extend });
        }
        page.tellFocus();
        if (which === 2 && !MENU_ON_UP) mouse.menu(hit() ?? element, at);
      },
      up(detail) {
        const on = hit();
        const clicked =
          on &&
          mouse.up(on, at, native?.countsNot || on instanceof HTMLSelectElement ? 0 : detail, () => native?.end());
        page.tellFocus();
        if (on) dismiss?.(on, at);
        if (which === 2 && MENU_ON_UP && on) mouse.menu(on, at);
        if (!page.isHere(element)) return false;
        const receives = clicked && page.isHere(clicked) && page.reaches(element, clicked) ? clicked : hit();
        if (!receives) return false;
        mouse.activate(receives, at, detail);
        return true;
      },
    };
  };

  /** Where to press; what only CSS `:hover` would let a mouse reach gets the events all the same. */
  const pointOf = (/** @type {Element} */ element, /** @type {BproxySpot | undefined} */ place) => {
    try {
      return page.hitPoint(element, place);
    } catch (error) {
      if (!page.waitsForHover(element)) throw error;
      page.wasBlocked(
        `CSS :hover, which no script can set: only that shows ${page.describe(element)}, so the events went straight to it`,
      );
      return { at: page.pointIn(element, place ?? { x: 0.5, y: 0.5 }), hit: element };
    }
  };

  page.press = (element) => {
    const press = page.pressOf(element);
    press.down(1);
    return press.up(1);
  };

  /** What only a person's mouse can work, and what does the same. @type {[string, string, string?][]} */
  const NATIVE = [
    [
      ':is(select, select *):not([multiple], [multiple] *, [size]:not([size="1"]), [size]:not([size="1"]) *)',
      'opens a list that a click from a script does not open: use select',
    ],
    ['input[type="color"]', 'opens a dialog that a click from a script does not open: use fill'],
    ['input[type="file"]', 'takes files: use upload', 'bproxy upload --help'],
  ];

  /** A left click does here what no script can. */
  const refuseNative = (/** @type {Element} */ element) => {
    const native = NATIVE.find(([selector]) => own.matches(element, selector));
    if (native) page.notActionable(element, native[1], native[2]);
    const labelled = /** @type {HTMLLabelElement | null} */ (own.closest(element, 'label'))?.control;
    if (labelled instanceof HTMLInputElement && labelled.type === 'file') {
      page.notActionable(
        element,
        'opens a dialog for files, which a click from a script does not open: use upload',
        'bproxy upload --help',
      );
    }
    const link = /** @type {HTMLAnchorElement | null} */ (own.closest(element, 'a[href], area[href]'));
    const address = (link && own.getAttribute(link, 'href')) ?? '';
    // The browser does not run such an address for an extension; an empty one only has click listeners.
    if (/^\s*javascript:/i.test(address) && !/^\s*javascript:\s*(void\b[^a-z]*)?;?\s*$/i.test(address)) {
      page.notActionable(
        element,
        'leads to a script in its address (javascript:), which an extension cannot start: ask for a person',
      );
    }
  };

  page.commands.click = async ({ target, button = 'left', count = 1, modifiers, at, hold = 0 }) => {
    const { order } = page;
    if (order.until !== undefined && Date.now() + hold * count >= order.until) {
      page.fail('TIMEOUT', 'the command ends before the button is released: give it a longer timeout');
    }
    const named = page.pressable(target);
    if (button === 'left') refuseNative(named);
    await page.bringIntoView(named, at);
    const element = page.pressable(target);
    if (button === 'left') refuseNative(element);
    page.acted = element;
    const wasSeen = page.hasBox(element);
    page.after = () => ({ disappeared: !own.isConnected(element) || (wasSeen && !page.hasBox(element)) });
    const press = page.pressOf(element, { button, modifiers, at });
    for (let detail = 1; detail <= count; detail += 1) {
      press.down(detail);
      if (hold > 0) await page.pause(order, hold);
      if (press.up(detail)) continue;
      // A double click whose first click made the element go away has done what it can.
      if (detail > 1) break;
      page.notActionable(
        element,
        'went away as soon as it was pressed, so that no click came of it: read the page to see what the press did',
      );
    }
    return {};
  };

  page.commands.hover = async ({ target, at: place }) => {
    await page.bringIntoView(page.actionable(target), place);
    const { at, hit } = page.hitPoint(page.actionable(target), place);
    const hidden = page.hiddenUntilHover(hit);
    page.after = () => {
      const found = hidden();
      if (found) {
        const how = found.guessed ? 'a style sheet of another origin may show by it' : 'only that shows';
        page.wasBlocked(`CSS :hover, which no script can set: ${how} ${page.describe(found.element)}`);
      }
      return {};
    };
    page.mouse().move(hit, at);
    return {};
  };
})();
