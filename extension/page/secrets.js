/**
 * Fields whose contents no answer tells: passwords, one-time codes, cards, what the page itself shows as dots,
 * and what was filled as private. A field that was one of them when any command ran stays one, whatever the page makes of
 * it.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const KINDS = [
    'input[type="password" i]',
    '[autocomplete~="current-password" i]',
    '[autocomplete~="new-password" i]',
    '[autocomplete~="one-time-code" i]',
    '[autocomplete^="cc-" i]',
    '[autocomplete*=" cc-" i]',
  ].join(', ');

  page.keepSecret = (element) => void page.secrets.add(element);

  page.isSecret = (element) => {
    if (page.secrets.has(element)) return true;
    if (!isField(element)) return false;
    const secret = own.matches(element, KINDS) || masked(element);
    if (secret) page.secrets.add(element);
    return secret;
  };
  const isField = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement ||
    own.hasAttribute(element, 'contenteditable');
  const masked = (/** @type {Element} */ field) =>
    /^(disc|circle|square)$/.test(getComputedStyle(field).webkitTextSecurity);

  page.rememberSecrets = () => {
    for (const field of own.querySelectorAll(document, KINDS)) page.secrets.add(field);
  };

  page.attributesOf = (element) => {
    const attributes = [...own.attributes(element)];
    if (!page.isSecret(element)) return attributes;
    const held =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
        ? element.value
        : own.textContent(element);
    // Pages copy what a field holds into other attributes.
    return attributes.filter(({ name, value }) => name !== 'value' && (held === '' || !value.includes(held)));
  };
})();
