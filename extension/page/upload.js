/**
 * Uploading: what takes the files is found first, and checked, then they are asked for. A field gets them as from a
 * chooser; on anything else they are dropped, or it is pressed, and the field that it asks for files by gets them.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const PRESSED =
    'button, a[href], summary, label, input[type="button" i], input[type="submit" i], input[type="image" i], [role="button"], [role="link"], [role="menuitem"]';
  /** How long what is pressed may take to ask for files; the timers of a page that nobody sees run once a second. */
  const [ASK_MS, HIDDEN_ASK_MS] = [1_000, 2_500];
  const LOOK_MS = 20;
  /** How often a zone may be told that files are over it, before it says that it takes them. */
  const OVERS = 4;

  page.commands.upload = async ({ target, drop, files, token, transfer }) => {
    const { order } = page;
    const element = page.resolve(target);
    page.acted = element;
    page.after = null;
    asked = null;
    /** @type {Promise<File[]> | null} */
    let got = null;
    const get = () => {
      got ??= fetched(token);
      return page.within(order, got);
    };
    const field = drop === true ? null : page.fileFieldOf(element);
    try {
      if (field) return await fill(field, files, get);
      const isPressed = own.matches(element, PRESSED);
      if (drop !== false && !(isPressed && drop !== true)) {
        const dropped = await dropOn(element, files, get, transfer);
        if (dropped) return dropped;
        if (drop === true) page.notActionable(element, 'does not take files that are dropped on it');
      }
      return await press(element, target, files, get);
    } finally {
      choosing = false;
    }
  };

  /** The files themselves, which the worker has. @returns {Promise<File[]>} */
  const fetched = async (/** @type {string} */ token) => {
    const files = await chrome.runtime.sendMessage({ files: token });
    return files ?? page.fail('SCRIPT_ERROR', 'the files could not be fetched, so the page got none: try again');
  };

  const fill = async (
    /** @type {HTMLInputElement} */ field,
    /** @type {PageFile[]} */ files,
    /** @type {() => Promise<File[]>} */ get,
  ) => {
    page.takesFiles(field, files);
    const isHere = page.isHere(field);
    const given = await get();
    // The page may have changed it meanwhile.
    if (!page.isHere(field) && (isHere || own.isConnected(field)))
      page.notActionable(field, 'was taken out of the page, which got no files');
    if (!page.isFileField(field)) page.notActionable(field, 'takes no files any more, and got none');
    page.takesFiles(field, files);
    return page.giveFiles(field, given);
  };

  // ---- Fields that a press asks for ----

  /** Whether the field that is asked for gets files. */
  let choosing = false;
  /** The field that the page wants a chooser for. @type {HTMLInputElement | null} */
  let asked = null;

  page.requests.choose = (at) => {
    if (!(at instanceof HTMLInputElement)) return false;
    if (choosing) asked ??= at;
    else page.wasBlocked('a chooser of files, which opens for a person alone: use upload');
    return true;
  };

  /** In the document its event tells. */
  const chooser = (/** @type {Event} */ event) => {
    const [at] = event.composedPath();
    if (event.isTrusted || event.defaultPrevented || !(at instanceof Element) || !page.isFileField(at)) return;
    if (page.requests.choose(at, '')) event.preventDefault();
  };

  page.mindChoosers = (minds) => {
    own.removeEventListener(window, 'click', chooser, true);
    if (minds) own.addEventListener(window, 'click', chooser, true);
  };

  const press = async (
    /** @type {Element} */ element,
    /** @type {BproxyTarget} */ target,
    /** @type {PageFile[]} */ files,
    /** @type {() => Promise<File[]>} */ get,
  ) => {
    const { order } = page;
    const pressed = page.pressable(target);
    choosing = true;
    page.press(pressed);
    const until = performance.now() + (page.isHidden() ? HIDDEN_ASK_MS : ASK_MS);
    while (asked === null && performance.now() < until) await page.pause(order, LOOK_MS);
    choosing = false;
    if (asked === null) {
      page.notActionable(
        element,
        'was pressed, and asked for no files; nor does it take any that are dropped on it: read the page to see what the press did',
      );
    }
    return fill(/** @type {HTMLInputElement} */ (asked), files, get);
  };

  // ---- Drop zones ----

  const dropOn = async (
    /** @type {Element} */ element,
    /** @type {PageFile[]} */ files,
    /** @type {() => Promise<File[]>} */ get,
    /** @type {string} */ name,
  ) => {
    const { order } = page;
    const inside = page
      .findAll(element, 'input[type="file" i]')
      .filter((it) => !own.hasAttribute(it, 'webkitdirectory'));
    if (inside.length === 1) page.takesFiles(/** @type {HTMLInputElement} */ (inside[0]), files);
    if (!page.hasBox(element)) page.notActionable(element, 'is not visible');
    if (page.disabled(element)) page.notActionable(element, 'is disabled');
    // As long as they are only over it, the page is shown no more of the files than their types.
    let dataTransfer = holding(files.map(({ type }) => new File([], '', { type })));
    const { at, hit } = page.hitPoint(element);
    const mouse = page.mouse();
    const effects = page.transfer(name, dataTransfer);
    const send = (/** @type {Element} */ on, /** @type {string} */ type) => {
      if (!page.isHere(on)) return false;
      const all = { bubbles: true, cancelable: type !== 'dragleave', ...mouse.init(at), buttons: 1, button: 0 };
      return !own.dispatchEvent(on, new DragEvent(type, { ...all, dataTransfer }));
    };
    let on = hit;
    /** Whether what is there now takes them. */
    const hover = async () => {
      for (let over = 0; over < OVERS; over += 1) {
        await page.breathe(order);
        // Many pages show their zone only while something is dragged.
        const now = page.hitAt(at) ?? on;
        if (now !== on) {
          const before = on;
          on = now;
          effects.over(() => send(on, 'dragenter'));
          effects.leaves(() => void send(before, 'dragleave'));
          continue;
        }
        const takes = effects.over(() => send(on, 'dragover'));
        if (takes && effects.effect !== 'none' && over > 0) break;
      }
      if (effects.effect !== 'none') return true;
      effects.leaves(() => void send(on, 'dragleave'));
      return false;
    };
    effects.over(() => send(on, 'dragenter'));
    if (!(await hover())) return null;
    const given = await get();
    // The page may have changed meanwhile.
    if (!(await hover())) page.notActionable(element, 'takes no files any more, and got none');
    dataTransfer = holding(given);
    effects.lend(dataTransfer);
    const dropped = given.map(({ name: called, size }) => ({ name: called, bytes: size }));
    const before = page.showing(dropped);
    effects.drops(() => send(on, 'drop'));
    // Pages also take drops to keep the browser from opening the files.
    const { looked } = effects;
    page.after = () => ({ uploaded: page.keptOf(dropped, before, looked) });
    return { uploaded: looked ? dropped : [] };
  };

  const holding = (/** @type {File[]} */ files) => {
    const dataTransfer = new DataTransfer();
    for (const file of files) dataTransfer.items.add(file);
    return dataTransfer;
  };
})();
