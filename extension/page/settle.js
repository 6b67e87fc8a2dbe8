/** Samples the page, to detect that it has settled after an act, and the outcome of the act. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** An animation that ends within this time is part of what an act has caused, such as a list that closes. Milliseconds. */
  const ANIMATION_MS = 400;

  page.isMoving = () => !page.isHidden() && moving().length > 0;

  /** How far the animations have come that end soon. */
  const moving = () =>
    page
      .trees()
      .flatMap((tree) => own.getAnimations(tree))
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
      const shadow = from instanceof Element ? own.shadowRoot(from) : null;
      if (shadow) {
        found.push(shadow);
        visit(shadow);
      }
      for (const element of own.querySelectorAll(from, '*')) if (own.shadowRoot(element)) visit(element);
    };
    if (page.acted && own.isConnected(page.acted)) visit(page.acted);
    return found;
  };

  page.commands.settle = async ({ actedIn }) => {
    const { order } = page;
    const rested = await page.rest(order);
    page.order = order;
    const here = actedIn === page.document();
    const after = (here && page.after?.()) || null;
    if (here) page.readAgain();
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
    return {
      signature,
      rested,
      leaving: page.isLeaving(),
      after,
      seen: here ? page.seen() : { hidden: page.isHidden() },
    };
  };
})();
