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
    const parts = [...page.hosts(), ...page.framed().slots.keys(), ...page.textsKept()];
    /** @type {Set<Node>} what the browser's own layout of the text would leave out, or should have left out */
    const odd = new Set(parts.filter((it) => page.holds(element, it)));
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
      const slot = page.slotOf(node);
      if (slot !== undefined) {
        if (page.visible(node)) text += `\n${page.hole(slot)}\n`;
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

  /** The text of an element, whether it is seen or not. */
  const wholeText = (/** @type {Element} */ element) => {
    let text = '';
    /** What stands around each element that the walk is in. @type {string[]} */
    const edges = [];
    const enter = (/** @type {Node} */ node) => {
      if (node instanceof Text) text += node.data.replace(/\s+/g, ' ');
      if (!(node instanceof Element) || /^(script|style|template)$/.test(own.localName(node)) || page.isSecret(node))
        return false;
      const slot = page.slotOf(node);
      if (slot !== undefined) text += `\n${page.hole(slot)}\n`;
      if (own.localName(node) === 'br') text += '\n';
      if (slot !== undefined || own.localName(node) === 'br') return false;
      edges.push(/^(inline|contents)/.test(getComputedStyle(node).display) ? '' : '\n');
      text += edges.at(-1);
      return true;
    };
    page.walk(element, enter, () => {
      text += edges.pop();
    });
    return text;
  };

  page.shownPage = (selector, hidden = false) => {
    const read = hidden ? wholeText : drawnText;
    const parts = page
      .scopes(selector)
      .map((scope) => read(scope === own.documentElement(document) ? (own.body(document) ?? scope) : scope));
    const text = parts
      .join('\n')
      .replace(/[ \t]*\n[ \t]*/g, '\n')
      .replace(/\n{3,}/g, '\n\n');
    return text.trim();
  };

  page.commands.text = ({ selector, hidden }) => ({ text: page.shownPage(selector, hidden) });

  // ---- Links and images ----

  page.commands.links = ({
    selector,
    visibleOnly = false,
    limit = ENTRIES_MAX,
    hrefContains,
    contains: wanted,
    offset = 0,
    targets = true,
  }) => {
    const matches = page.matcher(wanted);
    const all = page
      .scopes(selector)
      .flatMap((scope) => page.findAll(scope, page.orFrames('a[href], area[href]')))
      .filter((link) => {
        if (page.slotOf(link) !== undefined) return true;
        if (hrefContains !== undefined && !hrefOf(link).includes(hrefContains)) return false;
        if (wanted !== undefined && !matches(page.nameAndText(link))) return false;
        return !visibleOnly || page.visible(link);
      });
    const found = page.withFrames('links', all, (frame) => !visibleOnly || page.visible(frame));
    const target = page.namer();
    const numbers = page.numbers('ln');
    // Where there are frames, what is skipped is counted over all of them, and so is what has a handle.
    const framed = page.isFramed();
    const links = found.slice(framed ? 0 : offset, offset + limit).map((link) => {
      const name = page.accessibleName(link);
      const n = numbers.of(link, name);
      return {
        text: page.nameAndText(link, name),
        href: hrefOf(link),
        ...(targets || framed || n === undefined ? { target: target(link) } : {}),
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
    const all = page.scopes(selector).flatMap((scope) => page.findAll(scope, page.orFrames('img')));
    const found = page.withFrames('images', all, () => true);
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
    return { images, total: found.length, ...(found.length > ENTRIES_MAX ? { capped: true } : {}) };
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
      const slot = page.slotOf(node);
      if (slot !== undefined && left > 1) return html + page.hole(slot) + keep(`</${tag}>`);
      const shadow = own.shadowRoot(node);
      if (left <= 1 || page.isSecret(node)) {
        if (own.hasChildNodes(node) || shadow) html += keep('…');
      } else {
        if (shadow) {
          html += keep(`<template shadowrootmode="${shadow.mode}">`);
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

  /** The frames of the document among what a selector matches, in document order. */
  const withHoles = (/** @type {Element[]} */ found) => {
    const frames = [...page.framed().slots.keys()];
    if (frames.length === 0) return found;
    const after = Node.DOCUMENT_POSITION_FOLLOWING;
    return [...new Set([...found, ...frames])].sort((a, b) => (own.compareDocumentPosition(a, b) & after ? -1 : 1));
  };

  page.commands.inspect = ({ selector, target: within, properties = [], limit = 10 }) => {
    const everywhere = page.query(selector);
    const all =
      within === undefined ? withHoles(everywhere) : page.findAll(page.resolve(within), page.orFrames(selector));
    const found = page.withFrames('elements', all, () => true);
    if (found.length === 0 && within === undefined) {
      page.missing(`nothing on the page matches the selector ${selector}`);
    }
    const target = page.namer();
    const elements = found.slice(0, limit).map((element) => {
      const { x, y, width, height } = page.box(element);
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
