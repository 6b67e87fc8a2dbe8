/** Samples the page, to detect that it has settled after an act, and the outcome of the act. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** An animation that ends within this time is part of what an act has caused, such as a list that closes. Milliseconds. */
  const ANIMATION_MS = 400;

  /** How far the animations have come that end soon. */
  const moving = () =>
    page
      .trees()
      .flatMap((tree) => tree.getAnimations())
      .filter(({ playState, currentTime, effect }) => {
        const left = Number(effect?.getComputedTiming().endTime) - Number(currentTime);
        return playState === 'running' && left > 0 && left <= ANIMATION_MS;
      })
      .map(({ currentTime }) => currentTime);

  /** The document, and the shadow trees of the widget that the last act was on. */
  page.trees = () => {
    /** @type {(Document | ShadowRoot)[]} */
    const found = [document];
    const visit = (/** @type {Element | ShadowRoot} */ from) => {
      if (from instanceof Element && from.shadowRoot) {
        found.push(from.shadowRoot);
        visit(from.shadowRoot);
      }
      for (const element of from.querySelectorAll('*')) if (element.shadowRoot) visit(element);
    };
    if (page.acted?.isConnected) visit(page.acted);
    return found;
  };

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
      moving(),
      after,
    ]);
    return { signature, after };
  };
})();
