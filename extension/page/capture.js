/**
 * Capture of the act's pointer. No hand moves it, so the browser does not know it: the guard of the act passes on here
 * what a page asks of the browser, and the events go to the element that has captured it.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** The pointer of every act, as that of a mouse. */
  const POINTER = '1';

  /** Who is to have it from the next event on, and who has it. @type {Element | null} */
  let pending = null;
  /** @type {Element | null} */
  let captor = null;
  /** Who had it when the button came up: it gets the click. @type {Element | null} */
  let clicked = null;
  /** Whether a button is down: only then a pointer can be captured. */
  let down = false;

  page.requests.capture = (at, id) => {
    if (id !== POINTER || !(at instanceof Element) || !own.isConnected(at)) return false;
    if (down) pending = at;
    return true;
  };
  page.requests.release = (at, id) => {
    if (id !== POINTER) return false;
    if (pending === at) pending = null;
    return true;
  };
  page.requests.captured = (at, id) => id === POINTER && pending !== null && pending === at;

  const tell = (/** @type {Element} */ element, /** @type {string} */ type, /** @type {PointerEventInit} */ init) => {
    // Of an element that is gone, its document is told.
    const at = own.isConnected(element) ? element : document;
    const mouse = { pointerId: 1, pointerType: 'mouse', isPrimary: true, composed: true, view: window };
    own.dispatchEvent(at, new PointerEvent(type, { ...mouse, ...init, bubbles: true }));
  };

  const process = (/** @type {PointerEventInit} */ init) => {
    if (pending !== null && !own.isConnected(pending)) pending = null;
    if (captor === pending) return;
    const before = captor;
    captor = pending;
    if (before !== null) tell(before, 'lostpointercapture', init);
    if (captor !== null) tell(captor, 'gotpointercapture', init);
  };

  page.pointed = (hit, type, init) => {
    if (type.endsWith('click')) return clicked ?? hit;
    // Entering and leaving are of what is under the pointer.
    if (!/(down|move|up)$/.test(type)) return hit;
    down = (init.buttons ?? 0) > 0;
    if (down) clicked = null;
    if (type.startsWith('pointer')) process(init);
    return captor ?? hit;
  };

  page.uncapture = (init) => {
    down = false;
    clicked = captor;
    pending = null;
    process(init);
  };
})();
