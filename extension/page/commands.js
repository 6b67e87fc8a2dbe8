/**
 * The base of the other page scripts: the namespace in the isolated world, the mark by which its document is known, and
 * how a command runs, succeeds and fails. They are classic scripts, injected on demand; the page itself cannot see any
 * of it.
 */
(() => {
  'use strict';

  // The rest of it is added by the scripts that follow.
  // What is known of the document outlives a second injection, as by an update of the extension.
  const {
    marks = new WeakMap(),
    sessions = new Map(),
    secrets = new WeakSet(),
    secretTexts = [],
  } = globalThis.bproxy ?? {};
  const page = /** @type {BproxyPage} */ (
    /** @type {unknown} */ ({
      version: chrome.runtime.getManifest().version,
      isWhole: false,
      marks,
      sessions,
      secrets,
      secretTexts,
      hostList: null,
      commands: {},
      order: {},
      touched: new Set(),
      waitedSince: 0,
      after: null,
      acted: null,
      deferredInterstitial: null,
      began: null,
      framing: null,
      slots: [],
      listed: null,
    })
  );
  globalThis.bproxy = page;

  // ---- The document ----

  // `crypto.randomUUID` is there in secure contexts alone.
  page.drawn = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((it) => it.toString(16).padStart(2, '0')).join('');

  // The initial empty document of a tab may share its global scope with its successor: a mark belongs to one document.
  page.document = () => {
    const known = listens() ? page.marks.get(document) : undefined;
    if (known !== undefined) return known;
    const mark = page.drawn();
    page.marks.set(document, mark);
    return mark;
  };

  // A document that comes back from the browser's cache is a new page to the client, and the acts that were under way in
  // it have ended. The page must not be able to end them by an event of its own.
  const leave = (/** @type {Event} */ event) => {
    if (!event.isTrusted) return;
    page.marks.delete(document);
    for (const end of [...waiting]) end();
  };

  /** What waits in the document: in the browser's cache its timers and messages stand still. @type {Set<() => void>} */
  const waiting = new Set();
  class Left extends Error {}

  page.within = async (order, event) => {
    /** @type {() => void} */
    let end = () => {};
    const left = new Promise((_, reject) => {
      end = () => reject(new Left());
    });
    waiting.add(end);
    try {
      const value = await Promise.race([event, left]);
      page.still(order);
      return value;
    } finally {
      waiting.delete(end);
    }
  };

  /** An event whose name no page can listen for. */
  const pulse = page.drawn();
  let beats = 0;
  const beat = () => {
    beats += 1;
  };
  const listen = () => {
    addEventListener('pagehide', leave);
    addEventListener(pulse, beat);
  };
  listen();

  /** `document.open()` takes all listeners away, these too: what is written then is another page. */
  const listens = () => {
    const before = beats;
    page.own.dispatchEvent(window, new Event(pulse));
    if (beats > before) return true;
    listen();
    return false;
  };

  page.still = (order) => {
    if (order.until !== undefined && Date.now() >= order.until) {
      page.fail('TIMEOUT', 'the page was busy until after the deadline, so nothing was done from then on');
    }
    const mark = page.document();
    if (order.document !== undefined && order.document !== mark) {
      const details = { page: { url: location.href, title: title(), document: mark } };
      page.fail('PAGE_CHANGED', 'the tab shows another page now, so nothing was done in it: read it first', details);
    }
  };

  page.pause = async (order, ms) => {
    const until = performance.now() + ms;
    // The timers of a page that nobody sees run once a second; its messages come at once.
    do await page.within(order, page.isHidden() ? message() : new Promise((resolve) => setTimeout(resolve, ms)));
    while (performance.now() < until);
    page.hostList = null;
  };

  page.breathe = (order) => page.within(order, message());

  page.frame = (order, ms) => {
    const frame = new Promise((resolve) => {
      const late = setTimeout(resolve, ms);
      requestAnimationFrame(() => {
        clearTimeout(late);
        resolve(undefined);
      });
    });
    return page.within(order, frame);
  };

  page.inSlices = (begin, finish) => {
    const work = begin();
    const first = work.next();
    return first.done ? finish(first.value) : goOn(work, begin, finish);
  };

  /**
   * Goes on in tasks of their own, as long as the document stays as it is: else it begins again, in one. Between them other
   * commands may run.
   * @template Value, Data
   * @param {Generator<void, Value>} work @param {() => Generator<void, Value>} begin @param {(value: Value) => Data} finish
   */
  const goOn = async (work, begin, finish) => {
    const { order, labels, sight, framing, hostList } = page;
    let changed = false;
    const changes = new MutationObserver(() => {
      changed = true;
    });
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    for (const tree of [document, ...page.hosts().map(page.own.shadowRoot)]) if (tree) changes.observe(tree, all);
    try {
      for (;;) {
        await page.breathe(order);
        changed ||= changes.takeRecords().length > 0;
        Object.assign(page, { order, labels, sight, framing, hostList });
        if (changed) {
          Object.assign(page, { labels: new Map(), sight: null, framing: null, hostList: null });
          const again = begin();
          for (;;) {
            const step = again.next();
            if (step.done) return finish(step.value);
          }
        }
        const step = work.next();
        if (step.done) return finish(step.value);
      }
    } finally {
      changes.disconnect();
    }
  };

  page.isHidden = () => page.own.visibilityState(document) !== 'visible';

  /** Ends in a task of its own. */
  const message = () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve(undefined);
      };
      port2.postMessage(null);
    });

  // ---- Commands ----

  /**
   * Commands that only concern the page as a whole: they work in a PDF, and despite a deferred interstitial.
   * @type {ReadonlySet<PageCommandName>}
   */
  const STATE_COMMANDS = new Set(['info', 'go', 'settle', 'sign-in-interstitial']);

  page.invoke = (command, params, order = {}) => {
    page.labels = new Map();
    page.sight = null;
    page.framing = null;
    page.hostList = null;
    // Whichever document this is, the command does not go on in another one.
    page.order = { ...order, document: order.document ?? page.document() };
    if (command !== 'settle') {
      page.touched = new Set();
      page.waitedSince = 0;
    }
    const aboutState = STATE_COMMANDS.has(command);
    try {
      if (page.own.contentType(document) === 'application/pdf' && !aboutState) {
        page.fail(
          'SCRIPT_ERROR',
          'the tab shows a PDF, which no extension can look into: take a screenshot, or navigate to a web page',
          undefined,
          'bproxy screenshot --activate',
        );
      }
      // A frame may be a widget of such a page; the page around it tells.
      const interstitial = page.isFrame()
        ? null
        : (page.interstitial() ?? (aboutState ? null : page.deferredInterstitial));
      if (interstitial !== null) {
        page.deferredInterstitial = null;
        page.fail('HUMAN_REQUIRED', interstitial);
      }
      page.still(page.order);
      page.beginNumbers(command);
      if (!aboutState) {
        page.rememberSecrets();
        page.begin(page.order.act);
        page.listen(page.order.act);
      }
      const data = page.commands[command](params);
      return data instanceof Promise ? data.then(succeeded, failed) : succeeded(data);
    } catch (error) {
      return failed(error);
    }
  };

  /** @template Data @param {Data} data */
  const succeeded = (data) => ({ data, page: page.info(), ...page.framingTold(), ...numbered() });

  const numbered = () => (page.hasUntold() ? { numbered: /** @type {const} */ (true) } : {});

  /** @param {unknown} error @returns {PageError | { left: true }} */
  const failed = (error) => {
    if (error instanceof Left) return { left: true };
    const { bproxyCode, message, details, suggestedAction } = /** @type {Failure} */ (error);
    return { error: { code: bproxyCode ?? 'SCRIPT_ERROR', message, details, suggestedAction }, ...numbered() };
  };

  /** @typedef {Error & { bproxyCode?: import('../protocol.js').ErrorCode, details?: Record<string, unknown>, suggestedAction?: string }} Failure */

  page.fail = (code, message, details, suggestedAction) => {
    throw Object.assign(new Error(message), { bproxyCode: code, details, suggestedAction });
  };

  /** How long a title may be, in UTF-16 units, as the browser's own titles are: a page can give itself any. */
  const MAX_TITLE = 4096;

  /** Never ends within a character. */
  const title = () =>
    page.own
      .title(document)
      .slice(0, MAX_TITLE)
      .replace(/[\uD800-\uDBFF]$/, '');

  page.info = () => {
    const ready = page.own.readyState(document) === 'complete';
    // What few elements have is looked for first: this is asked of every page.
    const busy = [...page.own.querySelectorAll(document, '[aria-busy="true"]')].some((element) =>
      page.own.matches(element, 'body, main, [role="main"]'),
    );
    const state = ready ? 'ready' : 'loading';
    return { url: location.href, title: title(), state, busy, document: page.document() };
  };

  page.commands.info = () => {
    const [entry] = performance.getEntriesByType('navigation');
    const status = /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.responseStatus || undefined;
    return { status, hidden: page.isHidden() };
  };

  page.commands.go = ({ by }) => {
    // How many entries there are is known, but not which of them this is.
    const possible = history.length > 1;
    if (possible) history.go(by);
    return { possible };
  };
})();
