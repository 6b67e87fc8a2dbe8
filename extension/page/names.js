/**
 * The name of an element, as the browser computes it for assistive technology: what was given to it, its labels, or the
 * words in it, with what style sheets add to them and make of them.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** Roles whose name comes from their contents. */
  const NAMED_BY_CONTENT = new Set(
    `button cell checkbox columnheader comment gridcell heading link menuitem menuitemcheckbox menuitemradio option radio
    rowheader switch tab term tooltip treeitem doc-backlink doc-biblioref doc-glossref doc-noteref`.split(/\s+/),
  );
  page.namedByContent = (role) => NAMED_BY_CONTENT.has(role);

  /** Roles whose contents are no part of any name, neither their own nor that of what they are in. */
  const APART = new Set(
    `alert alertdialog application article banner complementary contentinfo dialog form grid img listbox log main marquee math
    menu menubar meter navigation note progressbar radiogroup region scrollbar search searchbox slider spinbutton status
    tablist tabpanel textbox timer toolbar tree treegrid video audio`.split(/\s+/),
  );

  const BUTTONS = /^(submit|reset|button|image)$/;

  // ---- Words ----

  /** The words of a text as they are shown. */
  const written = (/** @type {Text} */ text) => {
    const { data } = text;
    if (!page.recases() || !/\S/.test(data)) return data;
    const parent = page.parent(text);
    const cased = parent instanceof Element ? getComputedStyle(parent).textTransform : 'none';
    if (cased === 'uppercase') return data.toUpperCase();
    if (cased === 'lowercase') return data.toLowerCase();
    return cased === 'capitalize' ? data.replace(/(?<![\p{L}\p{N}'’])\p{L}/gu, (it) => it.toUpperCase()) : data;
  };

  /** The words that a style sheet puts before or after what an element says. */
  const added = (/** @type {Element} */ element, /** @type {'::before' | '::after'} */ where) => {
    if (!page.writes(element)) return '';
    const { content, display, visibility } = getComputedStyle(element, where);
    if (content === 'none' || content === 'normal' || display === 'none' || visibility !== 'visible') return '';
    // What stands behind a slash is what is to be read in its place.
    const [shown, instead] = parts(content);
    const edge = display === 'inline' ? '' : ' ';
    return instead === undefined ? edge + shown + edge : ` ${instead} `;
  };
  const parts = (/** @type {string} */ content) => {
    const found = [''];
    for (const [piece, string] of content.matchAll(
      /"((?:[^"\\]|\\.)*)"|\/|(?:open|close)-quote|[\w-]+\([^)]*\)|[\w-]+/g,
    )) {
      if (piece === '/') found.push('');
      else if (piece === 'open-quote') found[found.length - 1] += '“';
      else if (piece === 'close-quote') found[found.length - 1] += '”';
      else if (string !== undefined)
        found[found.length - 1] += string.replace(/\\([0-9a-f]{1,6}) ?|\\(.)/gi, (_, code, it) =>
          code ? String.fromCodePoint(Number.parseInt(code, 16)) : it,
        );
    }
    return found;
  };

  /** What stands for an element within a name, in place of its contents; undefined if those are read. @returns {string | undefined} */
  const standsFor = (/** @type {Element} */ element, /** @type {boolean} */ referenced) => {
    const label = own.getAttribute(element, 'aria-label')?.trim();
    const other = referenced ? '' : byId(element, 'aria-labelledby');
    if (other || label) return other || label;
    if (element instanceof HTMLImageElement) return own.getAttribute(element, 'alt') ?? titleOf(element);
    if (element instanceof SVGElement) {
      const title = titleIn(element);
      return title || (own.localName(element) === 'title' || own.localName(element) === 'desc' ? '' : undefined);
    }
    if (element instanceof HTMLInputElement) {
      if (BUTTONS.test(element.type)) return ofButton(element);
      return /^(checkbox|radio|hidden|file|color)$/.test(element.type) ? '' : (page.valueOf(element) ?? '');
    }
    if (element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement)
      return page.valueOf(element) ?? '';
    if (own.hasAttribute(element, 'role') || own.localName(element).length > 2) {
      const role = page.role(element);
      if (role === 'slider' || role === 'spinbutton') return page.valueOf(element) ?? '';
      if (role !== 'textbox' && APART.has(role) && !referenced) return '';
    }
    return undefined;
  };

  /** The text of a subtree as it is read aloud. */
  const spoken = (
    /** @type {Node} */ root,
    /** @type {{ hidden?: boolean, referenced?: boolean, except?: Element }} */ {
      hidden = false,
      referenced = false,
      except,
    },
  ) => {
    let text = '';
    /** Of each element that the walk is in, what stands around its text, and whether it is seen. @type {{ edge: string, seen: boolean }[]} */
    const around = [];
    const enter = (/** @type {Node} */ node) => {
      if (node instanceof Text && (around.at(-1)?.seen ?? true)) text += written(node);
      if (!(node instanceof Element) || node === except) return false;
      const tag = own.localName(node);
      if (tag === 'br') text += ' ';
      if (tag === 'br' || tag === 'script' || tag === 'style' || page.isSecret(node)) return false;
      if (!hidden && own.getAttribute(node, 'aria-hidden') === 'true') return false;
      const seen = hidden || page.rendered(node);
      // What is in an invisible element may be visible.
      if (!seen && !page.laidOut(node)) return false;
      if (seen && !(except && own.contains(node, except))) {
        const instead = standsFor(node, referenced);
        if (instead !== undefined) {
          text += ` ${instead} `;
          return false;
        }
      }
      const { display } = getComputedStyle(node);
      const edge = display === 'inline' || display === 'contents' ? '' : ' ';
      around.push({ edge, seen });
      text += edge + (seen ? added(node, '::before') : '');
      return true;
    };
    const leave = (/** @type {Node} */ node) => {
      const element = /** @type {Element} */ (node);
      const { edge, seen } = /** @type {NonNullable<ReturnType<typeof around.at>>} */ (around.pop());
      text += (seen ? added(element, '::after') : '') + edge;
    };
    page.walk(root, enter, leave);
    return text;
  };

  /** @param {Element} element @param {Parameters<typeof spoken>[1]} [how] */
  const contents = (element, how = {}) => {
    if (page.isSecret(element)) return '';
    let text = added(element, '::before');
    const only = own.firstChild(element);
    // Most elements that are named so hold one text.
    if (only instanceof Text && own.nextSibling(only) === null && own.shadowRoot(element) === null)
      text += written(only);
    else for (const child of page.children(element)) text += spoken(child, how);
    return page.collapse(text + added(element, '::after'));
  };

  // ---- What was given ----

  /** What is being named by what refers to it. @type {Set<Element>} */
  const naming = new Set();

  /** @returns {string} */
  const byId = (/** @type {Element} */ element, /** @type {string} */ attribute) => {
    const ids = own.getAttribute(element, attribute)?.trim();
    if (!ids) return '';
    const root = own.getRootNode(element);
    if (!(root instanceof Document || root instanceof ShadowRoot)) return '';
    const parts = ids.split(/\s+/).map((id) => {
      const other = own.getElementById(root, id);
      // Elements may name each other in a circle.
      if (!other || naming.has(other)) return '';
      naming.add(other);
      try {
        return referred(other);
      } finally {
        naming.delete(other);
      }
    });
    return page.collapse(parts.join(' '));
  };

  /** What an element says where another one refers to it; whether it is seen or not. @returns {string} */
  const referred = (/** @type {Element} */ element) =>
    own.getAttribute(element, 'aria-label')?.trim() ||
    (standsFor(element, true) ??
      (contents(element, { hidden: !page.rendered(element), referenced: true }) || givenName(element, true)));

  /** The name that was given to the element, as opposed to one that its contents make. */
  page.ownName = (element) => givenName(element, false);

  /** @returns {string} */
  const givenName = (/** @type {Element} */ element, /** @type {boolean} */ referenced) => {
    const given =
      (referenced ? '' : byId(element, 'aria-labelledby')) ||
      page.collapse(own.getAttribute(element, 'aria-label') ?? '');
    return given || native(element);
  };

  /** Parts of an element that name it. @type {Record<string, string>} */
  const NAMING = { fieldset: 'legend', table: 'caption' };

  /** The name that the language of the page has for it. */
  const native = (/** @type {Element} */ element) => {
    const tag = own.localName(element);
    if (tag === 'img' || tag === 'area')
      return page.collapse(own.getAttribute(element, 'alt') ?? '') || titleOf(element);
    if (element instanceof SVGElement) return titleIn(element);
    if (tag === 'optgroup') return page.collapse(own.getAttribute(element, 'label') ?? '');
    const labels = page
      .labelsOf(element)
      .map((label) => inLabel(label, element))
      .join(' ');
    if (page.collapse(labels)) return page.collapse(labels);
    if (element instanceof HTMLInputElement && BUTTONS.test(element.type)) return ofButton(element);
    if (element instanceof HTMLInputElement && element.type === 'file') return titleOf(element) || 'Choose File';
    const part = NAMING[tag];
    const inner = part && [...own.children(element)].find((child) => own.localName(child) === part);
    if (inner) return contents(inner, { hidden: !page.rendered(inner) });
    return tag === 'table' ? page.collapse(own.getAttribute(element, 'summary') ?? '') : '';
  };

  const inLabel = (/** @type {Element} */ label, /** @type {Element} */ field) => {
    const whole = () => spoken(label, { except: field });
    if (own.matches(label, '[aria-hidden], [aria-label], [aria-labelledby]') || page.writes(label)) return whole();
    let text = '';
    // Most labels hold a text beside their field, or nothing else.
    for (let node = own.firstChild(label); node; node = own.nextSibling(node)) {
      if (node instanceof Text) text += written(node);
      else if (node !== field) return whole();
    }
    return page.rendered(label) && !page.isSecret(label) ? text : '';
  };
  const ofButton = (/** @type {HTMLInputElement} */ button) => {
    const written = button.type === 'image' ? (own.getAttribute(button, 'alt') ?? '') : button.value;
    const otherwise = { submit: 'Submit', image: 'Submit', reset: 'Reset' }[button.type] ?? '';
    return page.collapse(written) || titleOf(button) || otherwise;
  };
  const titleIn = (/** @type {Element} */ drawing) => {
    for (const child of own.children(drawing)) {
      if (own.localName(child) === 'title') return page.collapse(own.textContent(child));
    }
    return '';
  };
  const titleOf = (/** @type {Element} */ element) => page.collapse(own.getAttribute(element, 'title') ?? '');

  const LABELABLE = new Set(['button', 'input', 'meter', 'output', 'progress', 'select', 'textarea']);
  /** @type {Element[]} */
  const NONE = [];

  /** The browser searches the whole page for the labels of each control, so all labels of a tree are collected at once. */
  page.labelsOf = (element) => {
    const tag = own.localName(element);
    // An element of the page's own may be a control too.
    if (!LABELABLE.has(tag) && !tag.includes('-')) return NONE;
    const root = /** @type {Document | ShadowRoot} */ (own.getRootNode(element));
    let known = page.labels.get(root);
    if (!known) {
      known = new Map();
      for (const label of /** @type {NodeListOf<HTMLLabelElement>} */ (own.querySelectorAll(root, 'label'))) {
        if (label.control) known.set(label.control, [...(known.get(label.control) ?? []), label]);
      }
      page.labels.set(root, known);
    }
    return known.get(element) ?? NONE;
  };

  // ---- The name ----

  page.accessibleName = (element) => {
    const given = page.ownName(element);
    if (given) return given;
    if (isNamedByContent(element)) {
      const text = contents(element);
      if (text) return text;
    }
    return (
      titleOf(element) ||
      page.collapse(own.getAttribute(element, 'placeholder') ?? own.getAttribute(element, 'aria-placeholder') ?? '')
    );
  };

  const isNamedByContent = (/** @type {Element} */ element) => {
    const role = page.role(element);
    if (NAMED_BY_CONTENT.has(role)) return true;
    if (role === 'row') return own.closest(element, '[role="grid"], [role="treegrid"]') !== null;
    // What can have the focus says what is in it, and so does what reacts without a role.
    const reacts = own.hasAttribute(element, 'tabindex') || (role === '' && page.clickable(element));
    return reacts && !APART.has(role) && role !== 'combobox' && role !== 'img';
  };
})();
