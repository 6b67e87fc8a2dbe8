/**
 * Tabs that an act opens. A click from a script on a link that leads to another tab would bring that to the front; a click
 * with Control held does not, so the act makes one in its place, on a link that is in no document. A window that the page
 * opens is made here, where the browser allows it, and then handed to the page by its name; so is what a form's script sends.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Whether a name is that of a tab or window of its own, rather than of a frame of this page. */
  const isElsewhere = (/** @type {string} */ name) =>
    !/^(_self|_parent|_top)?$/i.test(name) &&
    page.query('iframe[name], frame[name]').every((frame) => own.getAttribute(frame, 'name') !== name);

  /** Whether the click makes the browser follow the link in another tab, which comes to the front. */
  const opensTab = (
    /** @type {HTMLAnchorElement} */ link,
    /** @type {MouseEvent} */ { button, shiftKey, ctrlKey, metaKey },
  ) => {
    if (!/^https?:$/.test(link.protocol) || own.hasAttribute(link, 'download')) return false;
    if (ctrlKey || metaKey) return false;
    if (button === 1 || shiftKey) return true;
    const base = own.querySelector(document, 'base[target]');
    return isElsewhere(own.getAttribute(link, 'target') ?? (base && own.getAttribute(base, 'target')) ?? '');
  };

  const clicked = (/** @type {MouseEvent} */ event) => {
    if (event.isTrusted || event.defaultPrevented || event.button > 1) return;
    const link = event
      .composedPath()
      .find((at) => (at instanceof HTMLAnchorElement || at instanceof HTMLAreaElement) && own.hasAttribute(at, 'href'));
    if (link === undefined || !opensTab(/** @type {HTMLAnchorElement} */ (link), event)) return;
    event.preventDefault();
    follow(/** @type {HTMLAnchorElement} */ (link));
  };

  /** Follows a link in a tab behind this one. */
  const follow = (
    /** @type {Pick<HTMLAnchorElement, 'href' | 'rel' | 'referrerPolicy'>} */ { href, rel, referrerPolicy },
  ) => {
    const stand = /** @type {HTMLAnchorElement} */ (own.createElement(document, 'a'));
    Object.assign(stand, { href, rel, referrerPolicy });
    own.dispatchEvent(stand, new MouseEvent('click', { cancelable: true, ctrlKey: true, metaKey: true, view: window }));
  };

  page.requests.open = (_at, rest) => {
    const { url, name, features } = JSON.parse(rest);
    if (/\bno(opener|referrer)\b(?!=(0|no|false))/i.test(features)) {
      let href = '';
      try {
        ({ href } = new URL(url, own.baseURI(document)));
      } catch {
        return false;
      }
      if (!/^https?:/.test(href)) return false;
      follow({ href, rel: features.includes('noreferrer') ? 'noreferrer' : 'noopener', referrerPolicy: '' });
      return true;
    }
    return isElsewhere(name) && open('', name) !== null;
  };

  page.requests.form = (form, how) => {
    if (!(form instanceof HTMLFormElement) || !isElsewhere(own.getAttribute(form, 'target') ?? '')) return false;
    if (how === 'submit') own.submit(form);
    else own.requestSubmit(form);
    return true;
  };

  page.mindLinks = (minds) => {
    const change = minds ? own.addEventListener : own.removeEventListener;
    for (const type of ['click', 'auxclick']) change(window, type, /** @type {EventListener} */ (clicked));
  };
})();
