/** What a drag may do and is to do: the effects of its `DataTransfer`, which live in the page's own world. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** What each word of `effectAllowed` allows, the browser's choice first. @type {Record<string, string[]>} */
  const ALLOWS = {
    none: [],
    copy: ['copy'],
    move: ['move'],
    link: ['link'],
    copyMove: ['move', 'copy'],
    copyLink: ['copy', 'link'],
    linkMove: ['move', 'link'],
    all: ['copy', 'move', 'link'],
    uninitialized: ['copy', 'move', 'link'],
  };

  page.transfer = (name, dataTransfer) => {
    let allowed = 'uninitialized';
    let effect = 'none';
    const tell = (/** @type {string} */ detail) => own.dispatchEvent(document, new CustomEvent(name, { detail }));
    const set = (/** @type {string} */ effectAllowed, /** @type {string} */ dropEffect, open = '') =>
      tell(JSON.stringify({ effectAllowed, dropEffect, open }));
    /** What the page has set. */
    const ask = () => {
      let said = { effectAllowed: allowed, dropEffect: 'none', looked: false };
      const hear = (/** @type {Event} */ event) => {
        event.stopImmediatePropagation();
        said = JSON.parse(String(/** @type {CustomEvent} */ (event).detail));
      };
      own.addEventListener(document, `${name}-is`, hear, true);
      tell('ask');
      own.removeEventListener(document, `${name}-is`, hear, true);
      return said;
    };
    /** What what it is over is told. */
    const shown = () => (allowed === 'uninitialized' ? 'all' : allowed);

    const lend = (/** @type {DataTransfer} */ data) =>
      own.dispatchEvent(document, new DragEvent(name, { dataTransfer: data }));
    lend(dataTransfer);
    return {
      lend,
      get looked() {
        return ask().looked;
      },
      starts(send) {
        set(allowed, 'none', 'effectAllowed');
        const goesOn = send();
        allowed = ask().effectAllowed;
        return goesOn;
      },
      source(send) {
        set(allowed, 'none');
        send();
      },
      over(send) {
        set(shown(), ALLOWS[allowed]?.[0] ?? 'none', 'dropEffect');
        const takes = send();
        const { dropEffect } = ask();
        effect = takes && ALLOWS[allowed]?.includes(dropEffect) ? dropEffect : 'none';
        return takes;
      },
      leaves(send) {
        set(shown(), 'none');
        send();
      },
      get effect() {
        return effect;
      },
      set effect(word) {
        effect = word;
      },
      drops(send) {
        set(shown(), effect);
        return send();
      },
      ends(send) {
        set(allowed, effect);
        send();
      },
    };
  };

  page.endTransfer = (name) => {
    own.dispatchEvent(document, new CustomEvent(name, { detail: 'end' }));
  };
})();
