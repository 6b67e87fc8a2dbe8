/** What assistive technology reports of an element: its role, name, states and value. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

  /** @type {Record<string, string>} */
  const ROLES = {
    article: 'article',
    aside: 'complementary',
    button: 'button',
    datalist: 'listbox',
    details: 'group',
    dialog: 'dialog',
    fieldset: 'group',
    figure: 'figure',
    h1: 'heading',
    h2: 'heading',
    h3: 'heading',
    h4: 'heading',
    h5: 'heading',
    h6: 'heading',
    hr: 'separator',
    iframe: 'iframe',
    li: 'listitem',
    main: 'main',
    math: 'math',
    menu: 'list',
    meter: 'meter',
    nav: 'navigation',
    ol: 'list',
    optgroup: 'group',
    option: 'option',
    output: 'status',
    p: 'paragraph',
    progress: 'progressbar',
    search: 'search',
    summary: 'button',
    table: 'table',
    tbody: 'rowgroup',
    td: 'cell',
    textarea: 'textbox',
    tfoot: 'rowgroup',
    th: 'columnheader',
    thead: 'rowgroup',
    tr: 'row',
    ul: 'list',
    video: 'video',
    audio: 'audio',
    blockquote: 'blockquote',
    code: 'code',
  };
  /** @type {Record<string, string>} */
  const INPUT_ROLES = {
    button: 'button',
    checkbox: 'checkbox',
    image: 'button',
    number: 'spinbutton',
    radio: 'radio',
    range: 'slider',
    reset: 'button',
    search: 'searchbox',
    submit: 'button',
    hidden: '',
    color: 'color',
    date: 'date',
    'datetime-local': 'datetime',
    month: 'month',
    time: 'time',
    week: 'week',
    file: 'file',
  };
  /** Roles whose name comes from their contents. */
  const NAMED_BY_CONTENT = new Set([
    'button',
    'link',
    'heading',
    'option',
    'tab',
    'menuitem',
    'menuitemcheckbox',
    'menuitemradio',
    'checkbox',
    'radio',
    'switch',
    'treeitem',
    'cell',
    'columnheader',
    'rowheader',
    'gridcell',
    'tooltip',
  ]);

  page.role = (element) => {
    // What is no word is no role: the page must not write a line of the tree by it.
    const given = element.getAttribute('role')?.match(/(?<!\S)[a-z][a-z-]*(?!\S)/i)?.[0];
    if (given) return given === 'none' || given === 'presentation' ? '' : given;
    const tag = element.localName;
    if (tag === 'a' || tag === 'area') return element.hasAttribute('href') ? 'link' : '';
    if (tag === 'input') {
      const { type, list } = /** @type {HTMLInputElement} */ (element);
      if (list && (type === 'text' || type === 'search' || type === 'email' || type === 'url' || type === 'tel')) {
        return 'combobox';
      }
      return INPUT_ROLES[type] ?? 'textbox';
    }
    if (tag === 'select') {
      const { multiple, size } = /** @type {HTMLSelectElement} */ (element);
      return multiple || size > 1 ? 'listbox' : 'combobox';
    }
    if (tag === 'img') return element.getAttribute('alt') === '' ? '' : 'img';
    if (tag === 'svg') return page.ownName(element) ? 'img' : '';
    if (tag === 'header' || tag === 'footer') {
      const inner = element.closest('article, aside, main, nav, section');
      return inner ? '' : tag === 'header' ? 'banner' : 'contentinfo';
    }
    if (tag === 'section' || tag === 'form') return page.ownName(element) ? (tag === 'form' ? 'form' : 'region') : '';
    if (/** @type {HTMLElement} */ (element).isContentEditable && isEditingHost(element)) return 'textbox';
    return ROLES[tag] ?? '';
  };

  const isEditingHost = (/** @type {Element} */ element) => {
    const own = element.getAttribute('contenteditable');
    return own !== null && own !== 'false';
  };
  page.isEditingHost = isEditingHost;

  /** The text of a subtree as it is read aloud: images by their alternative, hidden parts not at all. */
  const spoken = (/** @type {Node} */ node, /** @type {boolean} */ hidden) => {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element)) return '';
    if (node instanceof HTMLImageElement) return ` ${node.alt} `;
    if (node.localName === 'script' || node.localName === 'style') return '';
    if (!hidden && (node.getAttribute('aria-hidden') === 'true' || !page.rendered(node))) return '';
    const label = node.getAttribute('aria-label')?.trim();
    if (label) return ` ${label} `;
    let text = '';
    for (const child of page.children(node)) text += spoken(child, hidden);
    const block = node.localName !== 'span' && getComputedStyle(node).display !== 'inline';
    return block ? ` ${text} ` : text;
  };
  const contents = (/** @type {Element} */ element, hidden = false) => {
    let text = '';
    for (const child of page.children(element)) text += spoken(child, hidden);
    return page.collapse(text);
  };

  const byId = (/** @type {Element} */ element, /** @type {string} */ attribute) => {
    const ids = element.getAttribute(attribute)?.trim();
    if (!ids) return '';
    const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
    const parts = ids.split(/\s+/).map((id) => {
      const other = root.getElementById?.(id);
      if (!other) return '';
      return other.getAttribute('aria-label')?.trim() || contents(other, !page.rendered(other));
    });
    return page.collapse(parts.join(' '));
  };

  /** The name that was given to the element, as opposed to one that its contents make. */
  page.ownName = (element) => {
    const given = byId(element, 'aria-labelledby') || page.collapse(element.getAttribute('aria-label') ?? '');
    if (given) return given;
    const tag = element.localName;
    if (tag === 'img' || tag === 'area') return page.collapse(element.getAttribute('alt') ?? '') || titleOf(element);
    if (tag === 'input') {
      const { type, value } = /** @type {HTMLInputElement} */ (element);
      if (type === 'image') return page.collapse(element.getAttribute('alt') ?? '') || titleOf(element) || 'Submit';
      if (type === 'submit' || type === 'reset' || type === 'button') {
        return page.collapse(value) || titleOf(element) || { submit: 'Submit', reset: 'Reset', button: '' }[type];
      }
    }
    const text = labelsOf(element)
      .map((label) => labelText(label, element))
      .join(' ');
    if (page.collapse(text)) return page.collapse(text);
    const part = { fieldset: 'legend', table: 'caption', figure: 'figcaption', svg: 'title' }[tag];
    const inner = part && [...element.children].find((child) => child.localName === part);
    if (inner) return part === 'title' ? page.collapse(inner.textContent ?? '') : contents(inner);
    return '';
  };

  const LABELABLE = new Set(['button', 'input', 'meter', 'output', 'progress', 'select', 'textarea']);
  /** @type {Element[]} */
  const NONE = [];

  /** The browser searches the whole page for the labels of each control, so all labels of a tree are collected at once. */
  const labelsOf = (/** @type {Element} */ element) => {
    if (!LABELABLE.has(element.localName)) return NONE;
    const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
    let known = page.labels.get(root);
    if (!known) {
      known = new Map();
      for (const label of root.querySelectorAll('label')) {
        if (label.control) known.set(label.control, [...(known.get(label.control) ?? []), label]);
      }
      page.labels.set(root, known);
    }
    return known.get(element) ?? NONE;
  };

  /** A label without the field it wraps: what is typed into it is not its name. */
  const labelText = (/** @type {Element} */ label, /** @type {Element} */ field) => {
    if (!label.contains(field)) return contents(label, !page.rendered(label));
    const text = (/** @type {Node} */ node) => {
      if (node === field || (node instanceof Element && node.matches('select, textarea, input'))) return '';
      if (!(node instanceof Element) || !node.contains(field)) return spoken(node, false);
      let inner = '';
      for (const child of page.children(node)) inner += text(child);
      return inner;
    };
    return [...label.childNodes].map(text).join('');
  };

  const titleOf = (/** @type {Element} */ element) => page.collapse(element.getAttribute('title') ?? '');

  page.accessibleName = (element) => {
    const own = page.ownName(element);
    if (own) return own;
    if (NAMED_BY_CONTENT.has(page.role(element))) {
      const text = contents(element);
      if (text) return text;
    }
    return (
      titleOf(element) ||
      page.collapse(element.getAttribute('placeholder') ?? element.getAttribute('aria-placeholder') ?? '')
    );
  };

  /** What a control holds; never what a private field holds. Undefined if it holds nothing of the kind. */
  page.valueOf = (element) => {
    if (page.isSecret(element)) return undefined;
    if (element instanceof HTMLInputElement) {
      if (['submit', 'button', 'reset', 'image'].includes(element.type)) return undefined;
      if (element.type === 'checkbox' || element.type === 'radio') return String(element.checked);
      return element.type === 'file' ? [...(element.files ?? [])].map((file) => file.name).join(', ') : element.value;
    }
    if (element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLSelectElement) {
      return [...element.selectedOptions].map((option) => page.collapse(option.text)).join(', ');
    }
    if (page.isEditingHost(element)) return page.collapse(/** @type {HTMLElement} */ (element).innerText ?? '');
    const role = element.getAttribute('role');
    if (role === 'checkbox' || role === 'radio' || role === 'switch') {
      return element.getAttribute('aria-checked') ?? 'false';
    }
    return element.getAttribute('aria-valuetext') ?? element.getAttribute('aria-valuenow') ?? undefined;
  };

  page.disabled = (element) =>
    element.matches(':disabled') ||
    element.closest('[aria-disabled="true"]') !== null ||
    element.closest('[inert]') !== null;

  page.states = (element) => {
    /** @type {string[]} */
    const states = [];
    const aria = (/** @type {string} */ name) => element.getAttribute(`aria-${name}`);
    if (page.disabled(element)) states.push('disabled');
    const checked =
      element instanceof HTMLInputElement && /^(checkbox|radio)$/.test(element.type)
        ? String(element.checked)
        : aria('checked');
    if (checked === 'true' || checked === 'mixed') states.push(checked === 'true' ? 'checked' : 'mixed');
    if (aria('selected') === 'true' || (element instanceof HTMLOptionElement && element.selected)) {
      states.push('selected');
    }
    const expanded =
      element.localName === 'summary'
        ? String(/** @type {HTMLDetailsElement} */ (element.parentElement)?.open)
        : aria('expanded');
    if (expanded === 'true') states.push('expanded');
    if (expanded === 'false') states.push('collapsed');
    if (aria('pressed') === 'true') states.push('pressed');
    if (aria('current') && aria('current') !== 'false') states.push('current');
    if (/** @type {HTMLInputElement} */ (element).required === true || aria('required') === 'true') {
      states.push('required');
    }
    if (/** @type {HTMLInputElement} */ (element).readOnly === true || aria('readonly') === 'true') {
      states.push('readonly');
    }
    if (aria('invalid') && aria('invalid') !== 'false') states.push('invalid');
    if (element === document.activeElement && element !== document.body) states.push('focused');
    return states;
  };
})();
