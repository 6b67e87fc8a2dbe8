/**
 * Fields whose contents no answer tells: passwords, one-time codes, cards, and what was filled as private. A field that
 * was one of these stays one: the page may show a password, or change the field's type, at any moment.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** What `autocomplete` calls such a field. */
  const KIND = /^(current-password|new-password|one-time-code|cc-(number|csc|exp|exp-month|exp-year))$/;
  const CANDIDATES = 'input[type="password" i], :is(input, textarea, select)[autocomplete]';

  /** What the field says by itself, without its style. @param {Element} element */
  const declared = (element) => {
    if (element instanceof HTMLInputElement && element.type === 'password') return true;
    const words = page.own.getAttribute(element, 'autocomplete')?.toLowerCase().trim().split(/\s+/) ?? [];
    return words.some((word) => KIND.test(word));
  };

  /** Whether its letters are drawn as dots. @param {Element} element */
  const masked = (element) => {
    const security = getComputedStyle(element).getPropertyValue('-webkit-text-security');
    return security !== '' && security !== 'none';
  };

  const holdsText = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || page.isEditingHost(element);

  page.keepSecret = (element) => void page.secrets.add(element);

  page.isSecret = (element) => {
    if (page.secrets.has(element)) return true;
    const is = declared(element) || (holdsText(element) && masked(element));
    if (is) page.secrets.add(element);
    return is;
  };

  page.rememberSecrets = () => {
    for (const field of document.querySelectorAll(CANDIDATES)) if (declared(field)) page.secrets.add(field);
  };
})();
