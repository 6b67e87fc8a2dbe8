/**
 * The effects of a drag, in the page's own world. A `DataTransfer` that a script makes is that of a clipboard, and takes
 * none: for a drag they are put on it here, where the page reads and sets them. It is sent as text, so it uses nothing
 * from outside itself.
 *
 * @param {string} name drawn for this one drag: the name of the events by which the extension's world hands over the
 *   `DataTransfer`, says what its effects are, asks for them and whether the page has looked into the last one, and ends it
 */
export function lendEffects(name) {
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { apply } = Reflect;
  const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;
  const { CustomEvent: Notice } = window;
  const { parse, stringify } = JSON;

  /** What the page may set is `open`. @type {{ effectAllowed: string, dropEffect: string, open: string }} */
  let state = { effectAllowed: 'uninitialized', dropEffect: 'none', open: '' };
  /** @type {Record<string, Record<string, true>>} */
  const words = {
    dropEffect: { none: true, copy: true, move: true, link: true },
    effectAllowed: {
      none: true,
      copy: true,
      copyLink: true,
      copyMove: true,
      link: true,
      linkMove: true,
      move: true,
      all: true,
      uninitialized: true,
    },
  };

  /** Whether the page has looked for what it is given. */
  let looked = false;

  /** @param {DataTransfer} data @param {'files' | 'items'} what */
  const mind = (data, what) => {
    const get = getOwnPropertyDescriptor(getPrototypeOf(data), what)?.get;
    if (!get) return;
    defineProperty(data, what, {
      configurable: true,
      get: () => {
        looked = true;
        return apply(get, data, []);
      },
    });
  };

  /** @param {DataTransfer} data @param {'effectAllowed' | 'dropEffect'} effect */
  const lend = (data, effect) =>
    defineProperty(data, effect, {
      configurable: true,
      get: () => state[effect],
      set: (word) => {
        if (state.open === effect && words[effect][`${word}`] === true) state = { ...state, [effect]: `${word}` };
      },
    });

  const hear = (/** @type {any} */ event) => {
    event.stopImmediatePropagation();
    const { dataTransfer, detail } = event;
    if (dataTransfer) {
      lend(dataTransfer, 'effectAllowed');
      lend(dataTransfer, 'dropEffect');
      mind(dataTransfer, 'files');
      mind(dataTransfer, 'items');
      looked = false;
    } else if (detail === 'ask') {
      apply(dispatchEvent, document, [new Notice(`${name}-is`, { detail: stringify({ ...state, looked }) })]);
    } else if (detail === 'end') apply(removeEventListener, window, [name, hear, true]);
    else state = parse(detail);
  };
  apply(addEventListener, window, [name, hear, true]);
}
