/** The page's controls, and its outline of landmarks and headings. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const FIELDS =
    'input:not([type="hidden"]), textarea, select, button, [contenteditable]:not([contenteditable="false"])';
  const ROLES = [
    'button',
    'checkbox',
    'combobox',
    'listbox',
    'menuitem',
    'menuitemcheckbox',
    'menuitemradio',
    'option',
    'radio',
    'searchbox',
    'slider',
    'spinbutton',
    'switch',
    'tab',
    'textbox',
    'treeitem',
  ];
  const CONTROLS = [FIELDS, 'summary', ...ROLES.map((role) => `[role~="${role}" i]`)].join(', ');
  const ENTRIES_MAX = 5_000;
  const OPTIONS_MAX = 200;
  const VALUE_MAX = 2_000;

  /** The selector of each editor's root element. @type {[string, string][]} */
  const EDITORS = [
    ['quill', '.ql-editor, .ql-container'],
    ['lexical', '[data-lexical-editor="true"]'],
    ['slate', '[data-slate-editor="true"]'],
    ['prosemirror', '.ProseMirror'],
    ['codemirror', '.cm-editor, .CodeMirror'],
    ['monaco', '.monaco-editor'],
    ['ace', '.ace_editor'],
    ['draft', '.DraftEditor-root'],
    ['trix', 'trix-editor'],
    ['ckeditor', '.ck-editor__editable'],
    ['tinymce', '.tox-tinymce, .mce-content-body'],
    ['editorjs', '.codex-editor'],
  ];

  page.editorOf = (element) => {
    for (const [, selector] of EDITORS) {
      const found = own.closest(element, selector) ?? own.querySelector(element, selector);
      if (found) return found;
    }
    return null;
  };

  /** The rich editor that an element belongs to, or undefined. */
  page.editor = (element) => EDITORS.find(([, selector]) => own.closest(element, selector) !== null)?.[0];

  /** Monaco and others take their input in a hidden field: it counts as a control all the same. */
  const usable = (/** @type {Element} */ element) => page.rendered(element) || page.editor(element) !== undefined;

  const given = (/** @type {Record<string, unknown>} */ fields) =>
    Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== false),
    );

  page.commands.elements = ({
    form = false,
    contains: wanted,
    role,
    limit = ENTRIES_MAX,
    offset = 0,
    targets = true,
    hidden = false,
  }) => {
    const root = own.documentElement(document);
    let found = root ? page.findAll(root, page.orFrames(form ? FIELDS : CONTROLS)) : [];
    const more = root && !form ? page.clickables() : [];
    if (root && more.length > 0) {
      const chosen = new Set([...found, ...more]);
      found = page.findAll(root, '*').filter((element) => chosen.has(element));
    }
    const matches = page.matcher(wanted);
    const isListed = (/** @type {Element} */ element) =>
      (hidden || usable(element)) &&
      (role === undefined || page.toldRole(element) === role.trim().toLowerCase()) &&
      (wanted === undefined ||
        matches(
          page.calledAs(element, page.nameAndText(element)),
          page.valueOf(element),
          own.getAttribute(element, 'placeholder'),
        ));
    const all = page.withFrames(
      'elements',
      found.filter((element) => page.slotOf(element) !== undefined || isListed(element)),
    );
    const target = page.namer();
    const numbers = page.numbers('el');
    // Where there are frames, what is skipped is counted over all of them, and so is what has a handle.
    const framed = page.isFramed();
    const elements = all.slice(framed ? 0 : offset, offset + limit).map((element) => {
      const name = page.accessibleName(element);
      const n = numbers.of(element, name);
      return {
        ...(targets || framed || n === undefined ? target(element) : {}),
        tag: own.localName(element),
        ...describe(element, name),
        ...(hidden && !page.visible(element) ? { visible: false } : {}),
        ...(n === undefined ? {} : { n }),
      };
    });
    const capped = numbers.capped() || (limit === ENTRIES_MAX && all.length > offset + limit);
    return { elements, total: all.length, ...(capped ? { capped } : {}) };
  };

  const describe = (/** @type {Element} */ element, /** @type {string} */ name) => {
    const control = /** @type {HTMLInputElement} */ (element);
    const typed = own.localName(element) === 'input' || own.localName(element) === 'button';
    const value = page.valueOf(element);
    return {
      ...given({
        type: typed ? control.type : undefined,
        label: page.calledAs(element, page.nameAndText(element, name)),
      }),
      // That a field is empty is worth knowing: an empty value is kept.
      ...(value === undefined ? {} : { value: page.shorten(value, VALUE_MAX) }),
      ...given({
        placeholder: own.getAttribute(element, 'placeholder') ?? undefined,
        required: own.matches(element, ':required') || own.getAttribute(element, 'aria-required') === 'true',
        disabled: page.disabled(element),
        options: element instanceof HTMLSelectElement ? optionTexts(element) : undefined,
        role: page.toldRole(element),
        hasShadowRoot: own.shadowRoot(element) !== null,
        runtimeHandle: page.editor(element),
      }),
    };
  };

  const optionTexts = (/** @type {HTMLSelectElement} */ { options }) => {
    const texts = [...options].slice(0, OPTIONS_MAX).map((option) => page.collapse(option.text));
    return options.length > OPTIONS_MAX ? [...texts, `… ${options.length - OPTIONS_MAX} more`] : texts;
  };

  const LANDMARKS = new Set([
    'banner',
    'complementary',
    'contentinfo',
    'form',
    'main',
    'navigation',
    'region',
    'search',
  ]);

  /** A form without a name is no part of the page that anybody looks for. */
  const isLandmark = (/** @type {Element} */ element) => {
    const role = page.role(element);
    return LANDMARKS.has(role) && (role !== 'form' || page.ownName(element) !== '');
  };
  const OUTLINED = 'header, footer, main, nav, aside, section, form, search, [role], h1, h2, h3, h4, h5, h6';

  page.commands.outline = () => {
    const root = own.documentElement(document);
    const all = root ? page.findAll(root, page.orFrames(OUTLINED)).filter(page.rendered) : [];
    const frameOr = (/** @type {(element: Element) => boolean} */ fits) =>
      all.filter((element) => page.slotOf(element) !== undefined || fits(element));
    const landmarks = page.withFrames('landmarks', frameOr(isLandmark)).map((element) => ({
      tag: own.localName(element),
      role: page.role(element),
      ...given({ label: page.ownName(element) }),
    }));
    const headings = page
      .withFrames(
        'headings',
        frameOr((element) => page.role(element) === 'heading'),
      )
      .map((element) => ({ level: level(element), text: page.nameAndText(element) }));
    return { landmarks, headings };
  };

  const level = (/** @type {Element} */ heading) => {
    const stated = Number(own.getAttribute(heading, 'aria-level'));
    if (Number.isSafeInteger(stated) && stated > 0) return stated;
    return Number(/^h([1-6])$/.exec(own.localName(heading))?.[1]) || 2;
  };
  page.headingLevel = level;
})();
