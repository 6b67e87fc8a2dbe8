/**
 * A keyboard: the events of a key, in the browser's order, and after each what the browser does in response, if the page
 * has not prevented it. The browser itself does nothing for events of a script.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** What gets the events of a key now. */
  const receiver = () => page.focused() ?? own.body(document) ?? own.documentElement(document);

  /** The modifiers that are down, as events say it. @param {Iterable<string>} held */
  const modifiers = (held) => {
    const down = new Set(held);
    return {
      altKey: down.has('Alt'),
      ctrlKey: down.has('Control'),
      metaKey: down.has('Meta'),
      shiftKey: down.has('Shift'),
    };
  };

  /**
   * Sends one event of a key to what has the focus. Tells where, or null if the page prevented the reaction.
   * @param {'keydown' | 'keypress' | 'keyup'} type @param {PageKey} key @param {ReturnType<typeof modifiers>} down
   */
  const send = (type, { key, code, keyCode, location, text }, down) => {
    const on = receiver();
    if (on === null) return null;
    const code16 = type === 'keypress' ? (text.codePointAt(0) ?? 0) : keyCode;
    const init = { key, code, location, ...down, bubbles: true, cancelable: true, composed: true, view: window };
    const event = new KeyboardEvent(type, {
      ...init,
      keyCode: code16,
      ...(type === 'keypress' ? { charCode: code16 } : {}),
    });
    const goes = own.dispatchEvent(on, event);
    page.tellFocus();
    return goes ? on : null;
  };

  page.strike = async (stroke, order) => {
    page.tellFocus();
    page.tellWindow();
    /** @type {string[]} */
    const held = [];
    for (const modifier of stroke.held) {
      held.push(modifier.key);
      send('keydown', modifier, modifiers(held));
      await page.breathe(order);
    }
    const down = modifiers(held);
    const on = send('keydown', stroke, down);
    // What the reaction leads away from the page may end this script: nothing is waited for after it.
    if (on !== null && !page.reactToKeydown(on, stroke, down)) await print(stroke, down, order);
    page.tellFocus();
  };

  page.release = async (stroke, order) => {
    await page.breathe(order);
    const held = stroke.held.map(({ key }) => key);
    page.reactToKeyup(send('keyup', stroke, modifiers(held)), stroke);
    page.tellFocus();
    for (const modifier of [...stroke.held].reverse()) {
      held.pop();
      await page.breathe(order);
      send('keyup', modifier, modifiers(held));
    }
    await page.breathe(order);
  };

  /** The second half of a key that makes a text. @param {PageStroke} stroke @param {ReturnType<typeof modifiers>} down @param {PageOrder} order */
  const print = async (stroke, down, order) => {
    if (stroke.text === '' || down.ctrlKey || down.metaKey || down.altKey) return;
    await page.breathe(order);
    const on = send('keypress', stroke, down);
    if (on !== null) page.reactToKeypress(on, stroke, down);
  };

  page.elsewhere = (firm) => {
    const frame = page.focusedFrame();
    if (frame !== undefined) return { inside: frame };
    return firm && page.focused() === null ? { lost: true } : undefined;
  };

  page.commands.press = async ({ key, target, clipboard, typing = false, firm = false }) => {
    const { order } = page;
    const stroke = page.stroke(key);
    const elsewhere = target ? undefined : page.elsewhere(firm);
    if (elsewhere) return elsewhere;
    if (target) page.focusTarget(target);
    page.passed = undefined;
    if (!typing) {
      page.acted = page.focused();
      page.after = () => ({});
    }
    page.clipboard = clipboard;
    await page.strike(stroke, order);
    const { clipboard: copied, passed } = page;
    return { ...(copied === undefined ? {} : { clipboard: copied }), ...(passed === undefined ? {} : { passed }) };
  };

  page.commands.release = async ({ key, firm = false }) => {
    const elsewhere = page.elsewhere(firm);
    if (elsewhere) return elsewhere;
    await page.release(page.stroke(key), page.order);
    return {};
  };

  /** The one button that a custom element is made of. */
  const onlyButton = (/** @type {Element} */ element) => {
    if (!own.shadowRoot(element)) return undefined;
    const all = page.findAll(element, 'button, a[href], [tabindex="0"]').filter(page.rendered);
    return all.length === 1 ? all[0] : undefined;
  };

  /** Focuses what a target names: itself, the one field that it is made of, what its label is for. */
  page.focusTarget = (target) => {
    const named = page.resolve(target);
    if (!page.rendered(named) && page.editor(named) === undefined) page.notActionable(named, 'is not visible');
    const element = named instanceof HTMLLabelElement && named.control ? named.control : page.fieldOf(named);
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    if (page.focused() === element) return element;
    page.mindScrollersOf(element);
    own.scrollIntoView(element, { block: 'nearest', inline: 'nearest', behavior: 'instant' });
    const host = page.hostOfEditing(element);
    page.takeFocus(host ?? element);
    const only = page.focused() === null ? onlyButton(element) : undefined;
    if (only) page.takeFocus(only);
    const now = page.focused();
    if (now === null || !(now === (host ?? element) || page.isWithin(now, element))) {
      page.notActionable(element, 'takes no focus: name a field, a button, a link or another element that does');
    }
    return element;
  };
})();
