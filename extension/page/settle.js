/** Samples the page, to detect that it has settled after an act, and the outcome of the act. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  page.commands.settle = ({ actedIn }) => {
    const here = actedIn === page.document();
    const after = (here && page.after?.()) || null;
    if (here) page.readAgain();
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
