/** The page scripts over a document of jsdom, as they run in a tab: all of them, in one world. */

import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';
import { PAGE_SCRIPTS } from '../../../extension/page-driver.js';

const sources = PAGE_SCRIPTS.map((file) =>
  readFileSync(new URL(`../../../extension/${file}`, import.meta.url), 'utf8'),
);

const BOX = { x: 0, y: 0, left: 0, top: 0, right: 100, bottom: 20, width: 100, height: 20 };

/** @param {string} html the body @param {string} doctype @param {string} url */
export function open(html, doctype = '<!doctype html>', url = 'http://page.test/') {
  const dom = new JSDOM(`${doctype}<html><head></head><body>${html}</body></html>`, {
    runScripts: 'outside-only',
    url,
  });
  const { window } = dom;
  window.chrome = { runtime: { getManifest: () => ({ version: 'test' }) } };
  // jsdom draws nothing: what is hidden by attribute or inline style counts as not drawn, the rest as drawn.
  window.Element.prototype.checkVisibility = function () {
    return this.closest('[hidden], [style*="display: none"], [style*="visibility: hidden"]') === null;
  };
  // Nor does it know these.
  const getter = (prototype, name, get) => Object.defineProperty(prototype, name, { get, configurable: true });
  getter(window.HTMLElement.prototype, 'innerText', function () {
    return this.textContent;
  });
  getter(window.HTMLElement.prototype, 'isContentEditable', function () {
    return this.closest('[contenteditable]:not([contenteditable="false"])') !== null;
  });
  getter(window.HTMLElement.prototype, 'contentEditable', function () {
    return this.getAttribute('contenteditable') ?? 'inherit';
  });
  getter(window.Document.prototype, 'scrollingElement', function () {
    return this.documentElement;
  });
  window.Element.prototype.animate = () => ({ cancel() {}, pause() {} });
  for (const name of ['scrollBy', 'scrollIntoView']) window.Element.prototype[name] = () => {};
  window.Document.prototype.elementFromPoint = () => null;
  window.Document.prototype.caretPositionFromPoint = () => null;
  window.Document.prototype.execCommand = () => false;
  window.Document.prototype.queryCommandEnabled = () => false;
  window.Document.prototype.getAnimations = () => [];
  getter(window.Document.prototype, 'adoptedStyleSheets', () => []);
  window.Range.prototype.getBoundingClientRect = () => BOX;
  window.Element.prototype.getBoundingClientRect = () => BOX;
  window.matchMedia = () => ({ matches: false });
  window.PerformanceObserver = class {
    observe() {}
  };
  window.CSS ??= {};
  window.CSS.escape = cssEscape;
  for (const source of sources) window.eval(source);
  return { window, document: window.document, page: window.bproxy };
}

/** Serialises an identifier as CSSOM describes it, for which jsdom has no function. */
function cssEscape(value) {
  return [...value]
    .map((char, index) => {
      const code = char.codePointAt(0);
      if (code === 0) return '\ufffd';
      const digit = /[0-9]/.test(char);
      if (code < 0x20 || code === 0x7f || (digit && (index === 0 || (index === 1 && value[0] === '-'))))
        return `\\${code.toString(16)} `;
      if (index === 0 && char === '-' && value.length === 1) return '\\-';
      return code >= 0x80 || /[-_a-zA-Z0-9]/.test(char) ? char : `\\${char}`;
    })
    .join('');
}
