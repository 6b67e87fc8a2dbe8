/** What tells whether the page has come to rest after an act, and what became of the act. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

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
