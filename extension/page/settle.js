/** Samples the page, to detect that it has settled after an act, and the outcome of the act. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  page.commands.settle = ({ actedIn }) => {
    const here = actedIn === page.document();
    const after = (here && page.after?.()) || null;
    if (here) page.readAgain();
    const { own } = page;
    const root = own.documentElement(document);
    const signature = JSON.stringify([
      location.href,
      own.readyState(document),
      own.title(document),
      own.getElementsByTagName(document, '*').length,
      root && own.scrollHeight(root),
      after,
    ]);
    return { signature, after };
  };
})();
