/**
 * The base of the other page scripts: the namespace in the isolated world, and how a command runs, succeeds and fails.
 * They are classic scripts, injected on demand; the page itself cannot see any of it.
 */
(() => {
  'use strict';

  // The rest of it is added by the scripts that follow.
  const page = /** @type {BproxyPage} */ ({
    version: chrome.runtime.getManifest().version,
    commands: {},
    after: null,
    deferredInterstitial: null,
  });
  globalThis.bproxy = page;

  /**
   * Commands that only read the page's state: they work in a PDF, and despite a deferred interstitial.
   * @type {ReadonlySet<PageCommandName>}
   */
  const STATE_COMMANDS = new Set(['info', 'settle', 'sign-in-interstitial']);

  page.invoke = (command, params) => {
    page.labels = new Map();
    page.sight = null;
    page.rememberSecrets();
    const aboutState = STATE_COMMANDS.has(command);
    try {
      if ('until' in params && params.until !== undefined && Date.now() >= params.until) {
        page.fail('TIMEOUT', 'the page was busy until after the deadline, so nothing was done');
      }
      if (page.own.contentType(document) === 'application/pdf' && !aboutState) {
        page.fail(
          'SCRIPT_ERROR',
          'the tab shows a PDF, which no extension can look into: take a screenshot, or navigate to a web page',
        );
      }
      const interstitial = page.interstitial() ?? (aboutState ? null : page.deferredInterstitial);
      if (interstitial !== null) {
        page.deferredInterstitial = null;
        page.fail('HUMAN_REQUIRED', interstitial);
      }
      const data = page.commands[command](params);
      return data instanceof Promise ? data.then(succeeded, failed) : succeeded(data);
    } catch (error) {
      return failed(error);
    }
  };

  /** @template Data @param {Data} data */
  const succeeded = (data) => ({ data, page: page.info() });

  /** @param {unknown} error @returns {PageError} */
  const failed = (error) => {
    const { bproxyCode, message, details } = /** @type {Failure} */ (error);
    return { error: { code: bproxyCode ?? 'SCRIPT_ERROR', message, details } };
  };

  /** @typedef {Error & { bproxyCode?: import('../protocol.js').ErrorCode, details?: Record<string, unknown> }} Failure */

  page.fail = (code, message, details) => {
    throw Object.assign(new Error(message), { bproxyCode: code, details });
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
    const busy = page.own.querySelector(document, ':is(body, main, [role="main"])[aria-busy="true"]') !== null;
    return { url: location.href, title: title(), state: ready ? 'ready' : 'loading', busy };
  };

  page.commands.info = () => {
    const [entry] = performance.getEntriesByType('navigation');
    return { status: /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.responseStatus || undefined };
  };
})();
