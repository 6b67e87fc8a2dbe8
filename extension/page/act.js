/**
 * Acting as a pointer would: only on what a person could see, reach and use. Each act leaves
 * `page.after` behind, which tells later what became of it.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** One element that can be acted on, scrolled into view. */
  const actionable = (/** @type {BproxyTarget} */ target, /** @type {boolean} */ covered) => {
    awake(covered);
    const element = page.resolve(target);
    if (!page.visible(element)) unfit(element, 'is not visible');
    if (page.disabled(element)) unfit(element, 'is disabled');
    return element;
  };
  const awake = (/** @type {boolean} */ covered) => {
    if (document.visibilityState !== 'visible' && !covered) {
      page.fail(
        'TAB_NOT_VISIBLE',
        'the tab is in the background: bring it to the front with tab activate, then try again',
      );
    }
  };
  const unfit = (/** @type {Element} */ element, /** @type {string} */ why) =>
    page.fail('ELEMENT_NOT_ACTIONABLE', `${page.describe(element)} ${why}`);
  page.actionable = actionable;
  page.awake = awake;
  page.unfit = unfit;

  /** Where the element can be hit, and what is hit there: itself, something in it, or its label. */
  const hitPoint = (/** @type {Element} */ element) => {
    let { at, hit, cover } = probe(element);
    if (!at || !within(element)) {
      // Outside the window, or scrolled out of sight in a list of its own.
      element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
      ({ at, hit, cover } = probe(element));
    }
    if (at && hit) return { at, hit };
    if (getComputedStyle(element).pointerEvents === 'none') unfit(element, 'takes no clicks (pointer-events: none)');
    return unfit(element, cover ? `is covered by ${page.describe(cover)}` : 'cannot be scrolled into view');
  };

  /** @returns {{ at?: { clientX: number, clientY: number }, hit?: Element, cover?: Element | null }} */
  const probe = (/** @type {Element} */ element) => {
    let cover = null;
    for (const rect of element.getClientRects()) {
      const left = Math.max(rect.left, 0);
      const top = Math.max(rect.top, 0);
      const right = Math.min(rect.right, innerWidth);
      const bottom = Math.min(rect.bottom, innerHeight);
      if (right - left <= 0 || bottom - top <= 0) continue;
      const at = { clientX: (left + right) / 2, clientY: (top + bottom) / 2 };
      const hit = deepest(at.clientX, at.clientY);
      if (hit && reaches(element, hit)) return { at, hit };
      cover ??= hit;
    }
    return { cover };
  };

  const within = (/** @type {Element} */ element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  };

  const deepest = (/** @type {number} */ x, /** @type {number} */ y) => {
    let hit = document.elementFromPoint(x, y);
    for (;;) {
      const inner = hit?.shadowRoot?.elementFromPoint(x, y);
      if (!inner || inner === hit) return hit;
      hit = inner;
    }
  };

  const reaches = (/** @type {Element} */ element, /** @type {Element} */ hit) => {
    for (let at = /** @type {Node | null} */ (hit); at; at = page.parent(at)) {
      if (at === element) return true;
      if (at instanceof HTMLLabelElement && at.control === element) return true;
    }
    return false;
  };

  const mouse = (/** @type {Element} */ on, /** @type {string} */ type, /** @type {MouseEventInit} */ init) => {
    const pointer = type.startsWith('pointer');
    const bubbles = !/(enter|leave)$/.test(type);
    const all = { bubbles, cancelable: bubbles, composed: true, view: window, ...init };
    const event = pointer
      ? new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', isPrimary: true, ...all })
      : new MouseEvent(type, all);
    return on.dispatchEvent(event);
  };

  const moveOnto = (/** @type {Element} */ hit, /** @type {MouseEventInit} */ at) => {
    for (const type of ['pointerover', 'pointerenter', 'mouseover', 'mouseenter', 'pointermove', 'mousemove'])
      mouse(hit, type, at);
  };

  const FOCUSABLE =
    'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]:not([contenteditable="false"])';

  const press = (/** @type {Element} */ element) => {
    const { at, hit } = hitPoint(element);
    const down = { ...at, button: 0, buttons: 1, detail: 1 };
    const up = { ...at, button: 0, buttons: 0, detail: 1 };
    moveOnto(hit, at);
    mouse(hit, 'pointerdown', down);
    if (mouse(hit, 'mousedown', down))
      /** @type {HTMLElement | null} */ (hit.closest(FOCUSABLE))?.focus({ preventScroll: true });
    mouse(hit, 'pointerup', up);
    mouse(hit, 'mouseup', up);
    mouse(hit, 'click', up);
  };
  page.press = press;

  /** Whether the browser follows the link in another tab; one that leads nowhere is only there to be listened to. */
  const opensTab = (/** @type {HTMLAnchorElement} */ link) => {
    if (
      !/^https?:$/.test(link.protocol) ||
      link.hasAttribute('download') ||
      /^\s*#/.test(link.getAttribute('href') ?? '')
    )
      return false;
    const target = link.getAttribute('target') ?? document.querySelector('base[target]')?.getAttribute('target') ?? '';
    if (/^(_self|_parent|_top)?$/i.test(target)) return false;
    return page.query('iframe[name], frame[name]').every((frame) => frame.getAttribute('name') !== target);
  };

  page.commands.click = ({ target, covered = false }) => {
    const element = actionable(target, covered);
    const link = /** @type {HTMLAnchorElement | null} */ (element.closest('a[href], area[href]'));
    const address = link?.getAttribute('href') ?? '';
    // The browser runs no such address for an extension; one that does nothing is only there to be listened to.
    if (/^\s*javascript:/i.test(address) && !/^\s*javascript:\s*(void\b[^a-z]*)?;?\s*$/i.test(address)) {
      unfit(
        element,
        'leads to a script in its address (javascript:), which an extension cannot start: ask for a person',
      );
    }
    if (link && opensTab(link)) {
      unfit(
        element,
        `opens a tab of its own, which would come to the front and belong to no session: use navigate or tab open with ${link.href}`,
      );
    }
    page.after = () => ({ disappeared: !element.isConnected || !page.visible(element) });
    press(element);
    return {};
  };

  page.commands.hover = ({ target, covered = false }) => {
    const { at, hit } = hitPoint(actionable(target, covered));
    page.after = null;
    moveOnto(hit, at);
    return {};
  };

  // ---- Scrolling ----

  const scrollerOf = (/** @type {Element} */ element) => {
    for (let at = /** @type {Node | null} */ (element); at instanceof Element; at = page.parent(at)) {
      const canScroll = at.scrollHeight > at.clientHeight && /auto|scroll|overlay/.test(getComputedStyle(at).overflowY);
      if (canScroll && at !== document.body) return at;
    }
    return null;
  };

  page.commands.scroll = ({ target, by, direction, covered = false }) => {
    awake(covered);
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

  // ---- Choosing ----

  const same = (/** @type {string} */ a, /** @type {string} */ b) =>
    page.collapse(a).toLowerCase() === page.collapse(b).toLowerCase();
  /** The one that reads exactly so, else the one that differs in case only. */
  const byText = (
    /** @type {Element[]} */ options,
    /** @type {(option: Element) => string} */ textOf,
    /** @type {string} */ wanted,
  ) =>
    options.find((option) => page.collapse(textOf(option)) === page.collapse(wanted)) ??
    options.find((option) => same(textOf(option), wanted));
  const missing = (/** @type {string[]} */ texts, /** @type {string} */ wanted) =>
    page.fail(
      'ELEMENT_NOT_FOUND',
      `no option reads ${JSON.stringify(wanted)}; there are: ${page.shorten(texts.map((text) => JSON.stringify(text)).join(', '), 500) || 'none'}`,
    );

  page.commands.select = ({ trigger, optionText, covered = false }) => {
    const element = actionable(trigger, covered);
    if (!(element instanceof HTMLSelectElement)) {
      page.after = null;
      page.trigger = element;
      if (element.getAttribute('aria-expanded') !== 'true') press(element);
      return { opened: true };
    }
    const options = [...element.options].filter((option) => !option.disabled);
    const option = /** @type {HTMLOptionElement | undefined} */ (
      byText(options, (found) => /** @type {HTMLOptionElement} */ (found).text, optionText)
    );
    if (!option)
      return missing(
        options.map((found) => page.collapse(found.text)),
        optionText,
      );
    element.focus({ preventScroll: true });
    if (!element.multiple) element.value = option.value;
    option.selected = true;
    element.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    element.dispatchEvent(new Event('change', { bubbles: true }));
    page.after = () => ({ selected: option.selected, optionText: page.collapse(option.text) });
    return { opened: false };
  };

  const OPTIONS =
    '[role="option"], [role="menuitem"], [role="menuitemradio"], [role="menuitemcheckbox"], [role="treeitem"]';

  page.commands.choose = ({ optionText, covered = false }) => {
    awake(covered);
    const trigger = page.trigger;
    const list = trigger && controlled(trigger);
    const options = page
      .findAll(list ?? document.documentElement, OPTIONS)
      .filter((option) => page.visible(option) && !page.disabled(option));
    const option = byText(options, (found) => page.accessibleName(found), optionText);
    if (!option)
      return missing(
        options.map((found) => page.accessibleName(found)),
        optionText,
      );
    page.after = () => ({ selected: chosen(option, trigger, optionText), optionText: page.collapse(optionText) });
    press(option);
    return {};
  };

  /** The list that a combobox says it opens. */
  const controlled = (/** @type {Element} */ trigger) => {
    const ids = (trigger.getAttribute('aria-controls') ?? trigger.getAttribute('aria-owns') ?? '').trim().split(/\s+/);
    const root = /** @type {Document | ShadowRoot} */ (trigger.getRootNode());
    return (
      ids.map((id) => id && root.getElementById(id)).find((list) => list && page.findAll(list, OPTIONS).length > 0) ||
      null
    );
  };

  const chosen = (
    /** @type {Element} */ option,
    /** @type {Element | null} */ trigger,
    /** @type {string} */ wanted,
  ) => {
    if (
      option.isConnected &&
      (option.getAttribute('aria-selected') === 'true' || option.getAttribute('aria-checked') === 'true')
    )
      return true;
    const shown = trigger?.isConnected
      ? `${trigger.textContent} ${/** @type {HTMLInputElement} */ (trigger).value ?? ''}`
      : '';
    return (
      page.collapse(shown).toLowerCase().includes(page.collapse(wanted).toLowerCase()) ||
      !option.isConnected ||
      !page.visible(option)
    );
  };

  // ---- Afterwards ----

  page.commands.settle = () => {
    const after = page.after?.() ?? null;
    const root = document.documentElement;
    const signature = JSON.stringify([
      location.href,
      document.readyState,
      document.title,
      document.getElementsByTagName('*').length,
      root?.scrollHeight,
      after,
    ]);
    return { signature, after };
  };
})();
