/** Reading what a page says: text, links, images, its source, the look of chosen elements. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** Entries of one answer. */
  const ENTRIES_MAX = 5_000;
  /** Characters of one answer: far more than an agent can use, far less than the limit of a message. */
  const SOURCE_MAX = 2_000_000;

  // ---- Text ----

  const drawnText = (/** @type {Element} */ element) => {
    if (!page.rendered(element)) return '';
    const hosts = page.findAll(element, '*').filter((found) => found.shadowRoot);
    // The browser's own layout of the text, which stops at shadow roots.
    if (hosts.length === 0) {
      return element instanceof HTMLElement ? element.innerText : page.collapse(element.textContent ?? '');
    }
    /** @type {Set<Node>} */
    const above = new Set();
    for (const host of hosts) {
      for (let at = /** @type {Node | null} */ (host); at && !above.has(at); at = page.parent(at)) above.add(at);
    }
    return joined(element, above);
  };

  const joined = (/** @type {Node} */ node, /** @type {Set<Node>} */ above) => {
    if (node instanceof Text) return node.data.replace(/\s+/g, ' ');
    if (!(node instanceof Element) || node.localName === 'script' || node.localName === 'style') return '';
    if (!page.rendered(node)) return '';
    if (node.localName === 'br') return '\n';
    let text = '';
    if (above.has(node) || node.localName === 'slot' || node.getRootNode() instanceof ShadowRoot) {
      for (const child of page.children(node)) text += joined(child, above);
    } else text = node instanceof HTMLElement ? node.innerText : (node.textContent ?? '');
    return /^(inline|contents)/.test(getComputedStyle(node).display) ? text : `\n${text}\n`;
  };

  page.commands.text = ({ selector }) => {
    const parts = page
      .scopes(selector)
      .map((scope) => drawnText(scope === document.documentElement ? (document.body ?? scope) : scope));
    const text = parts
      .join('\n')
      .replace(/[ \t]*\n[ \t]*/g, '\n')
      .replace(/\n{3,}/g, '\n\n');
    return { text: text.trim() };
  };

  // ---- Links and images ----

  page.commands.links = ({ selector, visibleOnly = false, limit = ENTRIES_MAX, hrefContains, offset = 0 }) => {
    const found = page
      .scopes(selector)
      .flatMap((scope) => page.findAll(scope, 'a[href], area[href]'))
      .filter((link) => {
        if (hrefContains !== undefined && !hrefOf(link).includes(hrefContains)) return false;
        return !visibleOnly || page.visible(link);
      });
    const target = page.namer();
    const numbers = page.numbers('ln');
    const links = found.slice(offset, offset + limit).map((link) => {
      const text = page.accessibleName(link);
      const n = numbers.of(link, text);
      return {
        text,
        href: hrefOf(link),
        target: target(link),
        ...given('title', link.getAttribute('title')),
        ...given('rel', link.getAttribute('rel')),
        visible: visibleOnly || page.visible(link),
        ...(n === undefined ? {} : { n }),
      };
    });
    const capped = numbers.capped() || (limit === ENTRIES_MAX && found.length > offset + limit);
    return { links, total: found.length, ...(capped ? { capped } : {}) };
  };

  const hrefOf = (/** @type {Element} */ link) => {
    const { href } = /** @type {HTMLAnchorElement | SVGAElement} */ (link);
    if (typeof href === 'string') return href;
    return URL.parse?.(href.baseVal, document.baseURI)?.href ?? href.baseVal;
  };
  const given = (/** @type {string} */ key, /** @type {string | null} */ value) => (value ? { [key]: value } : {});

  page.commands.images = ({ selector }) => {
    const found = page.scopes(selector).flatMap((scope) => page.findAll(scope, 'img'));
    const images = found.slice(0, ENTRIES_MAX).map((element) => {
      const image = /** @type {HTMLImageElement} */ (element);
      const { width, height } = image.getBoundingClientRect();
      return {
        src: image.currentSrc || image.src,
        alt: image.alt,
        width: image.naturalWidth || Math.round(width),
        height: image.naturalHeight || Math.round(height),
      };
    });
    return { images };
  };

  page.commands.present = ({ selector }) => {
    const matching = page.query(selector);
    return { present: matching.some(page.visible), matching: matching.length };
  };

  // ---- Source ----

  const LEFT_OUT = new Set(['script', 'style', 'noscript', 'template']);
  const VOID = new Set([
    'area',
    'base',
    'br',
    'col',
    'embed',
    'hr',
    'img',
    'input',
    'link',
    'meta',
    'source',
    'track',
    'wbr',
  ]);
  const escaped = (/** @type {string} */ text) =>
    text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

  page.commands.dom = ({ selector, depth = 50 }) => {
    let size = 0;
    const write = (/** @type {Node} */ node, /** @type {number} */ left) => {
      if (size > SOURCE_MAX) return '';
      if (node instanceof Text) return keep(escaped(node.data));
      if (!(node instanceof Element) || LEFT_OUT.has(node.localName)) return '';
      const secret = page.isSecret(node);
      const attributes = [...page.own.attributes(node)]
        .map(({ name, value }) => (secret && name === 'value' ? '' : ` ${name}="${escaped(value)}"`))
        .join('');
      let html = keep(`<${node.localName}${attributes}>`);
      if (VOID.has(node.localName)) return html;
      if (left <= 1) {
        if (node.hasChildNodes() || node.shadowRoot) html += keep('…');
      } else {
        if (node.shadowRoot) {
          html += keep('<template shadowrootmode="open">');
          for (const child of node.shadowRoot.childNodes) html += write(child, left - 1);
          html += keep('</template>');
        }
        for (const child of page.own.childNodes(node)) html += write(child, left - 1);
      }
      return html + keep(`</${node.localName}>`);
    };
    const keep = (/** @type {string} */ text) => {
      size += text.length;
      return text;
    };
    const html = page
      .scopes(selector)
      .map((scope) => write(scope, depth))
      .join('\n');
    return {
      html:
        size > SOURCE_MAX ? `${html}<!-- cut off: choose a smaller part with a selector or a smaller depth -->` : html,
    };
  };

  page.commands.inspect = ({ selector, target: within, properties = [], limit = 10 }) => {
    const everywhere = page.query(selector);
    const found = within === undefined ? everywhere : page.findAll(page.resolve(within), selector);
    if (found.length === 0 && within === undefined) {
      page.fail('ELEMENT_NOT_FOUND', `nothing on the page matches the selector ${selector}`);
    }
    const target = page.namer();
    const elements = found.slice(0, limit).map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const secret = page.isSecret(element);
      const attributes = [...page.own.attributes(element)].filter(({ name }) => !(secret && name === 'value'));
      return {
        ...target(element),
        tag: element.localName,
        role: page.role(element),
        label: page.accessibleName(element),
        text: page.shorten(page.collapse(page.own.textContent(element)), 200),
        attributes: Object.fromEntries(attributes.map(({ name, value }) => [name, page.shorten(value, 500)])),
        rect: { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) },
        visible: page.visible(element),
        enabled: !page.disabled(element),
        styles: Object.fromEntries(
          properties.map((/** @type {string} */ name) => [name, style.getPropertyValue(name)]),
        ),
        ...(element.matches('a[href], area[href]') ? { href: hrefOf(element) } : {}),
      };
    });
    return { elements, total: found.length };
  };
})();
