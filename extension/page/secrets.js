/**
 * Fields whose contents no answer tells: passwords, one-time codes, cards, what the page itself shows as dots,
 * and what was filled as private. A field that was one of them when any command ran stays one, whatever the page makes of
 * it; and so does all that is in it.
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
  const EDITABLE = '[contenteditable]:not([contenteditable="false"])';

  /** Attributes that tell what a control holds. */
  const HOLDING = /^(value|checked|selected|aria-(valuenow|valuetext|checked|selected|pressed))$/;

  const isField = (/** @type {Element} */ element) =>
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement;

  const keep = (/** @type {Element} */ element) => {
    if (page.secrets.has(element)) return;
    page.secrets.add(element);
    // What the others hold is no text of the page.
    if (!(element instanceof HTMLInputElement || element instanceof HTMLSelectElement)) {
      page.secretTexts.push(new WeakRef(element));
    }
  };

  // What is written into a part of an editor, or of an editable text, is anywhere in the whole of it.
  page.keepSecret = (element) => {
    keep(element);
    if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement) return;
    const whole = page.editorOf(element) ?? own.closest(element, EDITABLE);
    if (whole) keep(whole);
  };

  page.isSecret = (element) => {
    if (page.secrets.has(element) || inSecretText(element)) return true;
    if (!isField(element) && !own.hasAttribute(element, 'contenteditable')) return false;
    const secret = own.matches(element, KINDS) || masked(element);
    if (secret) keep(element);
    return secret;
  };
  const masked = (/** @type {Element} */ field) =>
    /^(disc|circle|square)$/.test(getComputedStyle(field).webkitTextSecurity);
  const inSecretText = (/** @type {Element} */ element) => {
    if (page.secretTexts.length === 0) return false;
    for (let at = page.parent(element); at; at = page.parent(at)) {
      if (at instanceof Element && page.secrets.has(at)) return true;
    }
    return false;
  };

  page.textsKept = () => {
    const kept = page.secretTexts.map((it) => it.deref()).filter((it) => it !== undefined);
    if (kept.length < page.secretTexts.length) page.secretTexts = kept.map((it) => new WeakRef(it));
    return kept;
  };

  page.textOf = (element) => {
    if (page.textsKept().length === 0) return own.textContent(element) ?? '';
    let text = '';
    page.walk(element, (node) => {
      if (node instanceof Text) text += node.data;
      return node instanceof Element && !page.isSecret(node);
    });
    return text;
  };

  page.rememberSecrets = () => {
    for (const tree of [document, ...page.hosts().map(own.shadowRoot)]) {
      // What few elements have is looked for first: this is done before every command.
      for (const field of own.querySelectorAll(/** @type {Document} */ (tree), 'input[type], [autocomplete]')) {
        if (own.matches(field, KINDS)) keep(field);
      }
    }
  };

  page.attributesOf = (element) => {
    const attributes = [...own.attributes(element)];
    if (!page.isSecret(element)) return attributes;
    const held =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
        ? element.value
        : own.textContent(element);
    // Pages copy what a field holds into other attributes.
    return attributes.filter(({ name, value }) => !HOLDING.test(name) && (held === '' || !value.includes(held)));
  };
})();
