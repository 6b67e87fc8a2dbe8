/** What assistive technology reports of an element: its role, name, states and value. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

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
    frame: 'iframe',
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
    const given = own.getAttribute(element, 'role')?.match(/(?<!\S)[a-z][a-z-]*(?!\S)/i)?.[0];
    if (given) return given === 'none' || given === 'presentation' ? '' : given;
    const tag = own.localName(element);
    if (tag === 'a' || tag === 'area') return own.hasAttribute(element, 'href') ? 'link' : '';
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
    if (tag === 'img') return own.getAttribute(element, 'alt') === '' ? '' : 'img';
    if (tag === 'svg') return page.ownName(element) ? 'img' : '';
    if (tag === 'header' || tag === 'footer') {
      const inner = own.closest(element, 'article, aside, main, nav, section');
      return inner ? '' : tag === 'header' ? 'banner' : 'contentinfo';
    }
    if (tag === 'section' || tag === 'form') return page.ownName(element) ? (tag === 'form' ? 'form' : 'region') : '';
    if (element instanceof HTMLElement && own.isContentEditable(element) && isEditingHost(element)) return 'textbox';
    return ROLES[tag] ?? '';
  };

  const isEditingHost = (/** @type {Element} */ element) => {
    const editable = own.getAttribute(element, 'contenteditable');
    return editable !== null && editable !== 'false';
  };
  page.isEditingHost = isEditingHost;

  /** The text of a subtree as it is read aloud: images by their alternative, hidden parts not at all. */
  const spoken = (/** @type {Node} */ root, /** @type {boolean} */ hidden) => {
    let text = '';
    /** Of each element that the walk is in, what stands around its text. @type {string[]} */
    const around = [];
    const enter = (/** @type {Node} */ node) => {
      if (node instanceof Text) text += node.data;
      if (!(node instanceof Element)) return false;
      if (node instanceof HTMLImageElement) {
        text += ` ${node.alt} `;
        return false;
      }
      const tag = own.localName(node);
      if (tag === 'script' || tag === 'style' || page.isSecret(node)) return false;
      if (!hidden && (own.getAttribute(node, 'aria-hidden') === 'true' || !page.rendered(node))) return false;
      const label = own.getAttribute(node, 'aria-label')?.trim();
      if (label) {
        text += ` ${label} `;
        return false;
      }
      around.push(tag !== 'span' && getComputedStyle(node).display !== 'inline' ? ' ' : '');
      text += around.at(-1);
      return true;
    };
    page.walk(root, enter, () => {
      text += around.pop();
    });
    return text;
  };
  const contents = (/** @type {Element} */ element, hidden = false) => {
    let text = '';
    if (page.isSecret(element)) return text;
    // Most elements that are named so hold one text.
    const only = own.firstChild(element);
    if (only instanceof Text && own.nextSibling(only) === null && own.shadowRoot(element) === null) {
      return page.collapse(only.data);
    }
    for (const child of page.children(element)) text += spoken(child, hidden);
    return page.collapse(text);
  };

  const byId = (/** @type {Element} */ element, /** @type {string} */ attribute) => {
    const ids = own.getAttribute(element, attribute)?.trim();
    if (!ids) return '';
    const root = own.getRootNode(element);
    if (!(root instanceof Document || root instanceof ShadowRoot)) return '';
    const parts = ids.split(/\s+/).map((id) => {
      const other = own.getElementById(root, id);
      if (!other) return '';
      return own.getAttribute(other, 'aria-label')?.trim() || contents(other, !page.rendered(other));
    });
    return page.collapse(parts.join(' '));
  };

  /** The name that was given to the element, as opposed to one that its contents make. */
  page.ownName = (element) => {
    const given = byId(element, 'aria-labelledby') || page.collapse(own.getAttribute(element, 'aria-label') ?? '');
    if (given) return given;
    const tag = own.localName(element);
    if (tag === 'img' || tag === 'area')
      return page.collapse(own.getAttribute(element, 'alt') ?? '') || titleOf(element);
    if (tag === 'input') {
      const { type, value } = /** @type {HTMLInputElement} */ (element);
      if (type === 'image')
        return page.collapse(own.getAttribute(element, 'alt') ?? '') || titleOf(element) || 'Submit';
      if (type === 'submit' || type === 'reset' || type === 'button') {
        return page.collapse(value) || titleOf(element) || { submit: 'Submit', reset: 'Reset', button: '' }[type];
      }
    }
    const text = page
      .labelsOf(element)
      .map((label) => labelText(label, element))
      .join(' ');
    if (page.collapse(text)) return page.collapse(text);
    const part = { fieldset: 'legend', table: 'caption', figure: 'figcaption', svg: 'title' }[tag];
    const inner = part && [...own.children(element)].find((child) => own.localName(child) === part);
    if (inner) return part === 'title' ? page.collapse(own.textContent(inner)) : contents(inner);
    return '';
  };

  const LABELABLE = new Set(['button', 'input', 'meter', 'output', 'progress', 'select', 'textarea']);
  /** @type {Element[]} */
  const NONE = [];

  /** The browser searches the whole page for the labels of each control, so all labels of a tree are collected at once. */
  page.labelsOf = (element) => {
    if (!LABELABLE.has(own.localName(element))) return NONE;
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

  /** A label without the field it wraps: what is typed into it is not its name. */
  const labelText = (/** @type {Element} */ label, /** @type {Element} */ field) => {
    if (!own.contains(label, field)) return contents(label, !page.rendered(label));
    let text = '';
    page.walk(label, (node) => {
      if (node === field || (node instanceof Element && own.matches(node, 'select, textarea, input'))) return false;
      if (node instanceof Element && own.contains(node, field)) return true;
      text += spoken(node, false);
      return false;
    });
    return text;
  };

  const titleOf = (/** @type {Element} */ element) => page.collapse(own.getAttribute(element, 'title') ?? '');

  page.accessibleName = (element) => {
    const given = page.ownName(element);
    if (given) return given;
    if (NAMED_BY_CONTENT.has(page.role(element))) {
      const text = contents(element);
      if (text) return text;
    }
    return (
      titleOf(element) ||
      page.collapse(own.getAttribute(element, 'placeholder') ?? own.getAttribute(element, 'aria-placeholder') ?? '')
    );
  };

  /** Roles whose contents are what they say, and nothing to act on. */
  const SAYING = new Set(['heading', 'cell', 'columnheader', 'rowheader', 'gridcell', 'tooltip']);

  page.contradiction = (element, name) => {
    if (element instanceof HTMLInputElement && /^(submit|reset|button)$/.test(element.type)) {
      return says(name, element.value) ? null : page.collapse(element.value);
    }
    const written = page.collapse(page.textOf(element));
    if (written === '') return null;
    const role = page.role(element);
    const saying = SAYING.has(role);
    const whole = written === name;
    if (!saying && (whole ? !page.hidesIn(element) : !NAMED_BY_CONTENT.has(role))) return null;
    const shown = seen(element);
    // A sign without words has a name that nobody sees.
    if (shown === '') return saying && name !== '' ? shown : null;
    if (whole) return bare(shown) === bare(name) ? null : shown;
    return says(name, shown) ? null : shown;
  };
  const says = (/** @type {string} */ name, /** @type {string} */ shown) => bare(name).includes(bare(shown));
  const bare = (/** @type {string} */ text) => text.replace(/\s+/g, '').toLowerCase();

  page.shownText = (element) => seen(element);

  /** The text in an element that a person sees. */
  const seen = (/** @type {Element} */ element) => {
    let text = '';
    page.walk(element, (node) => {
      if (node instanceof Text) {
        if (/\S/.test(node.data) && page.sees(node)) text += node.data;
        return false;
      }
      if (
        !(node instanceof Element) ||
        /^(script|style|select|textarea)$/.test(own.localName(node)) ||
        page.isSecret(node)
      )
        return false;
      text += ' ';
      return page.laidOut(node);
    });
    return page.collapse(text);
  };

  page.nameAndText = (element, name = page.accessibleName(element)) => {
    const shown = page.contradiction(element, name);
    return shown === null ? name : `${name} (shown: ${JSON.stringify(shown)})`;
  };

  /** What a control holds; never a secret. Undefined if it holds nothing of the kind. */
  page.valueOf = (element, isSecret = page.isSecret(element)) => {
    if (isSecret) return undefined;
    if (element instanceof HTMLInputElement) {
      if (['submit', 'button', 'reset', 'image'].includes(element.type)) return undefined;
      if (element.type === 'checkbox' || element.type === 'radio') return String(element.checked);
      return element.type === 'file' ? [...(element.files ?? [])].map((file) => file.name).join(', ') : element.value;
    }
    if (element instanceof HTMLTextAreaElement) return element.value;
    if (element instanceof HTMLSelectElement) {
      return [...element.selectedOptions].map((option) => page.collapse(option.text)).join(', ');
    }
    if (page.isEditingHost(element)) return page.collapse(own.innerText(/** @type {HTMLElement} */ (element)) ?? '');
    const role = own.getAttribute(element, 'role');
    if (role === 'checkbox' || role === 'radio' || role === 'switch') {
      return own.getAttribute(element, 'aria-checked') ?? 'false';
    }
    return own.getAttribute(element, 'aria-valuetext') ?? own.getAttribute(element, 'aria-valuenow') ?? undefined;
  };

  page.disabled = (element) =>
    own.matches(element, ':disabled') ||
    // Nor does a browser tell a disabled control, or what is in it, of the mouse.
    own.closest(element, ':disabled:not(fieldset)') !== null ||
    own.closest(element, '[aria-disabled="true"]') !== null ||
    own.closest(element, '[inert]') !== null;

  page.states = (element) => {
    /** @type {string[]} */
    const states = [];
    const aria = (/** @type {string} */ name) => own.getAttribute(element, `aria-${name}`);
    if (page.disabled(element)) states.push('disabled');
    const checked =
      element instanceof HTMLInputElement && /^(checkbox|radio)$/.test(element.type)
        ? String(element.checked)
        : aria('checked');
    // What is chosen is what a field holds.
    const isSecret = page.isSecret(element);
    if (!isSecret && (checked === 'true' || checked === 'mixed')) states.push(checked === 'true' ? 'checked' : 'mixed');
    if (!isSecret && (aria('selected') === 'true' || (element instanceof HTMLOptionElement && element.selected))) {
      states.push('selected');
    }
    const expanded =
      own.localName(element) === 'summary'
        ? String(/** @type {HTMLDetailsElement | null} */ (own.parentElement(element))?.open)
        : aria('expanded');
    if (expanded === 'true') states.push('expanded');
    if (expanded === 'false') states.push('collapsed');
    if (!isSecret && aria('pressed') === 'true') states.push('pressed');
    if (aria('current') && aria('current') !== 'false') states.push('current');
    if (own.matches(element, ':required') || aria('required') === 'true') {
      states.push('required');
    }
    if (own.matches(element, 'input[readonly], textarea[readonly]') || aria('readonly') === 'true') {
      states.push('readonly');
    }
    if (aria('invalid') && aria('invalid') !== 'false') states.push('invalid');
    if (element === own.activeElement(document) && element !== own.body(document)) states.push('focused');
    return states;
  };
})();
