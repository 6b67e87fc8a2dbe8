/** Reading what a page says: text, links, images, its source, the look of chosen elements. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Entries of one answer. */
  const ENTRIES_MAX = 5_000;
  /** Characters of one answer: far more than an agent can use, far less than the limit of a message. */
  const SOURCE_MAX = 2_000_000;

  // ---- Text ----

  const drawnText = (/** @type {Element} */ element) => {
    if (!page.rendered(element) || page.isSecret(element)) return '';
    /** @type {Set<Node>} what the browser's own layout of the text would leave out, or should have left out */
    const odd = new Set([...page.hosts(), ...page.textsKept()].filter((it) => page.holds(element, it)));
    for (const text of [...page.unseenIn(element), ...page.skippedIn(element)]) odd.add(text);
    if (odd.size === 0) {
      return element instanceof HTMLElement ? own.innerText(element) : page.collapse(own.textContent(element));
    }
    /** @type {Set<Node>} */
    const above = new Set();
    for (const found of odd) {
      for (let at = /** @type {Node | null} */ (found); at && !above.has(at); at = page.parent(at)) above.add(at);
    }
    return joined(element, above);
  };

  /** The text of an element: of what is `above` something odd part by part, of the rest by the browser's own layout. */
  const joined = (/** @type {Element} */ element, /** @type {Set<Node>} */ above) => {
    let text = '';
    /** What stands around each element that the walk is in, and where it began. @type {[edge: string, start: number][]} */
    const around = [];
    const enter = (/** @type {Node} */ node) => {
      if (node instanceof Text) {
        if (page.sees(node)) text += node.data.replace(/\s+/g, ' ');
        return false;
      }
      if (
        !(node instanceof Element) ||
        /^(script|style)$/.test(own.localName(node)) ||
        !page.laidOut(node) ||
        page.isSecret(node)
      )
        return false;
      if (own.localName(node) === 'br') {
        text += '\n';
        return false;
      }
      const edge = /^(inline|contents)/.test(getComputedStyle(node).display) ? '' : '\n';
      const start = text.length;
      text += edge;
      if (above.has(node) || own.localName(node) === 'slot' || own.getRootNode(node) instanceof ShadowRoot) {
        around.push([edge, start]);
        return true;
      }
      text += (node instanceof HTMLElement ? own.innerText(node) : own.textContent(node)) + edge;
      return false;
    };
    page.walk(element, enter, () => {
      const [edge, start] = /** @type {[string, number]} */ (around.pop());
      // What says nothing breaks no sentence.
      text = text.length === start + edge.length ? text.slice(0, start) : text + edge;
    });
    return text;
  };

  page.commands.text = ({ selector }) => {
    const parts = page
      .scopes(selector)
      .map((scope) => drawnText(scope === own.documentElement(document) ? (own.body(document) ?? scope) : scope));
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
      const name = page.accessibleName(link);
      const n = numbers.of(link, name);
      return {
        text: page.nameAndText(link, name),
        href: hrefOf(link),
        target: target(link),
        ...given('title', own.getAttribute(link, 'title')),
        ...given('rel', own.getAttribute(link, 'rel')),
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
    // Links in drawings have an object there, links in formulas nothing.
    const written = href?.baseVal ?? own.getAttribute(link, 'href') ?? '';
    return URL.parse?.(written, own.baseURI(document))?.href ?? written;
  };
  const given = (/** @type {string} */ key, /** @type {string | null} */ value) => (value ? { [key]: value } : {});

  page.commands.images = ({ selector }) => {
    const found = page.scopes(selector).flatMap((scope) => page.findAll(scope, 'img'));
    const images = found.slice(0, ENTRIES_MAX).map((element) => {
      const image = /** @type {HTMLImageElement} */ (element);
      const { width, height } = own.getBoundingClientRect(image);
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
      if (!(node instanceof Element)) return '';
      const tag = own.localName(node);
      if (LEFT_OUT.has(tag)) return '';
      const attributes = page
        .attributesOf(node)
        .map(({ name, value }) => ` ${name}="${escaped(value)}"`)
        .join('');
      let html = keep(`<${tag}${attributes}>`);
      if (VOID.has(tag)) return html;
      const shadow = own.shadowRoot(node);
      if (left <= 1 || page.isSecret(node)) {
        if (own.hasChildNodes(node) || shadow) html += keep('…');
      } else {
        if (shadow) {
          html += keep('<template shadowrootmode="open">');
          for (const child of own.childNodes(shadow)) html += write(child, left - 1);
          html += keep('</template>');
        }
        for (const child of own.childNodes(node)) html += write(child, left - 1);
      }
      return html + keep(`</${tag}>`);
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
      const { x, y, width, height } = own.getBoundingClientRect(element);
      const style = getComputedStyle(element);
      return {
        ...target(element),
        tag: own.localName(element),
        role: page.role(element),
        label: page.nameAndText(element),
        text: page.shorten(page.collapse(page.textOf(element)), 200),
        attributes: Object.fromEntries(
          page.attributesOf(element).map(({ name, value }) => [name, page.shorten(value, 500)]),
        ),
        rect: { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) },
        visible: page.visible(element),
        enabled: !page.disabled(element),
        styles: Object.fromEntries(
          properties.map((/** @type {string} */ name) => [name, style.getPropertyValue(name)]),
        ),
        ...(own.matches(element, 'a[href], area[href]') ? { href: hrefOf(element) } : {}),
      };
    });
    return { elements, total: found.length };
  };
})();
