/** The page's controls, and its outline of landmarks and headings. */
(() => {
  'use strict';
  const page = globalThis.bproxy;

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
  const CONTROLS = [
    FIELDS,
    'summary',
    '[onclick]',
    '[tabindex]:not([tabindex="-1"]):not(a)',
    ...ROLES.map((role) => `[role="${role}"]`),
  ].join(', ');
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

  /** The rich editor that an element belongs to, or undefined. */
  page.editor = (element) => EDITORS.find(([, selector]) => element.closest(selector) !== null)?.[0];

  /** Monaco and others take their input in a hidden field: it counts as a control all the same. */
  const usable = (/** @type {Element} */ element) => page.rendered(element) || page.editor(element) !== undefined;

  const given = (/** @type {Record<string, unknown>} */ fields) =>
    Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined && value !== '' && value !== false),
    );

  page.commands.elements = ({ form = false }) => {
    const root = document.documentElement;
    if (!root) return { elements: [] };
    const target = page.namer();
    const found = page
      .findAll(root, form ? FIELDS : CONTROLS)
      .filter(usable)
      .slice(0, ENTRIES_MAX);
    const numbers = page.numbers('el');
    const elements = found.map((element) => {
      const label = page.accessibleName(element);
      const n = numbers.of(element, label);
      return {
        ...target(element),
        tag: element.localName,
        ...describe(element, label),
        ...(n === undefined ? {} : { n }),
      };
    });
    return { elements, ...(numbers.capped() ? { capped: true } : {}) };
  };

  const describe = (/** @type {Element} */ element, /** @type {string} */ label) => {
    const control = /** @type {HTMLInputElement} */ (element);
    const typed = element.localName === 'input' || element.localName === 'button';
    const value = page.valueOf(element);
    return {
      ...given({ type: typed ? control.type : undefined, label }),
      // That a field is empty is worth knowing: an empty value is kept.
      ...(value === undefined ? {} : { value: page.shorten(value, VALUE_MAX) }),
      ...given({
        placeholder: element.getAttribute('placeholder') ?? undefined,
        required: control.required === true || element.getAttribute('aria-required') === 'true',
        disabled: page.disabled(element),
        options:
          element instanceof HTMLSelectElement
            ? [...element.options].slice(0, OPTIONS_MAX).map((option) => page.collapse(option.text))
            : undefined,
        role: page.role(element),
        hasShadowRoot: element.shadowRoot !== null,
        runtimeHandle: page.editor(element),
      }),
    };
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

  page.commands.outline = () => {
    const root = document.documentElement;
    const all = root
      ? page
          .findAll(root, 'header, footer, main, nav, aside, section, form, search, [role], h1, h2, h3, h4, h5, h6')
          .filter(page.rendered)
      : [];
    const landmarks = all
      .filter((element) => LANDMARKS.has(page.role(element)))
      .map((element) => ({
        tag: element.localName,
        role: page.role(element),
        ...given({ label: page.ownName(element) }),
      }));
    const headings = all
      .filter((element) => page.role(element) === 'heading')
      .map((element) => ({ level: level(element), text: page.accessibleName(element) }));
    return { landmarks, headings };
  };

  const level = (/** @type {Element} */ heading) => {
    const stated = Number(heading.getAttribute('aria-level'));
    if (Number.isSafeInteger(stated) && stated > 0) return stated;
    return Number(/^h([1-6])$/.exec(heading.localName)?.[1]) || 2;
  };
  page.headingLevel = level;
})();
