/** The page scripts over a document of jsdom, as they run in a tab: all of them, in one world. */

import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';
import { PAGE_SCRIPTS } from '../../../extension/page-driver.js';

const sources = PAGE_SCRIPTS.map((file) =>
  readFileSync(new URL(`../../../extension/${file}`, import.meta.url), 'utf8'),
);

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
