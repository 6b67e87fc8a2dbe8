/** The role of an element, as the browser tells it to assistive technology, in the words of ARIA. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** @type {Record<string, string>} */
  const ROLES = {
    address: 'group',
    article: 'article',
    audio: 'audio',
    blockquote: 'blockquote',
    button: 'button',
    caption: 'caption',
    code: 'code',
    datalist: 'listbox',
    dd: 'definition',
    del: 'deletion',
    details: 'group',
    dfn: 'term',
    dialog: 'dialog',
    dt: 'term',
    em: 'emphasis',
    fieldset: 'group',
    figure: 'figure',
    form: 'form',
    frame: 'iframe',
    h1: 'heading',
    h2: 'heading',
    h3: 'heading',
    h4: 'heading',
    h5: 'heading',
    h6: 'heading',
    hgroup: 'group',
    hr: 'separator',
    iframe: 'iframe',
    ins: 'insertion',
    li: 'listitem',
    main: 'main',
    mark: 'mark',
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
    s: 'deletion',
    search: 'search',
    strong: 'strong',
    sub: 'subscript',
    sup: 'superscript',
    textarea: 'textbox',
    time: 'time',
    ul: 'list',
    video: 'video',
  };
  /** Fields for which ARIA has no role are called by what they take. @type {Record<string, string>} */
  const INPUT_ROLES = {
    button: 'button',
    checkbox: 'checkbox',
    color: 'color',
    date: 'date',
    'datetime-local': 'datetime',
    file: 'button',
    hidden: '',
    image: 'button',
    month: 'month',
    number: 'spinbutton',
    radio: 'radio',
    range: 'slider',
    reset: 'button',
    search: 'searchbox',
    submit: 'button',
    time: 'time',
    week: 'week',
  };
  /** What the attribute `role` can say. What is no word of these is no role: the page writes no line of a tree by it. */
  const GIVEN = new Set(
    `alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox
    comment complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic
    graphics-document graphics-object graphics-symbol grid gridcell group heading image img insertion link list listbox
    listitem log main mark marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter navigation none note
    option paragraph presentation progressbar radio radiogroup region row rowgroup rowheader scrollbar search searchbox
    sectionfooter sectionheader separator slider spinbutton status strong subscript suggestion superscript switch tab
    table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem`.split(/\s+/),
  );
  /** Other names of roles. @type {Record<string, string>} */
  const SAME = { image: 'img', presentation: 'none', generic: '', directory: 'list' };
  /** Attributes by which an element is more than decoration. */
  const TELLING =
    '[aria-atomic], [aria-busy], [aria-controls], [aria-current], [aria-describedby], [aria-details], [aria-dropeffect], [aria-flowto], [aria-grabbed], [aria-keyshortcuts], [aria-label], [aria-labelledby], [aria-live], [aria-owns], [aria-relevant], [aria-roledescription]';
  const FOCUSABLE =
    'a[href], area[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, iframe, [tabindex], [contenteditable]:not([contenteditable="false"])';
  const SECTIONS =
    'article, aside, nav, section, [role="article"], [role="complementary"], [role="navigation"], [role="region"]';
  const MAIN = 'main, [role="main"]';

  page.focusable = (element) => own.matches(element, FOCUSABLE);

  /** The first word of the attribute that is a role; null if the element's own counts. */
  const given = (/** @type {Element} */ element) => {
    const words = own.getAttribute(element, 'role');
    if (!words) return null;
    for (const word of words.toLowerCase().split(/\s+/)) {
      if (!GIVEN.has(word) && !/^doc-[a-z]+$/.test(word)) continue;
      const role = SAME[word] ?? word;
      if (role === 'none' && (own.matches(element, TELLING) || page.focusable(element))) return null;
      // Without a name these two are nothing that anybody looks for.
      if (
        (role === 'region' || role === 'form') &&
        page.ownName(element) === '' &&
        own.getAttribute(element, 'title') === null
      )
        continue;
      return role;
    }
    return null;
  };

  page.role = (element) => {
    const said = given(element);
    if (said !== null) return said === 'none' ? '' : said;
    const tag = own.localName(element);
    switch (tag) {
      case 'a':
      case 'area':
        return own.hasAttribute(element, 'href') ? 'link' : '';
      case 'input': {
        const { type, list } = /** @type {HTMLInputElement} */ (element);
        if (list && /^(text|search|email|url|tel)$/.test(type)) return 'combobox';
        return INPUT_ROLES[type] ?? 'textbox';
      }
      case 'select': {
        const { multiple, size } = /** @type {HTMLSelectElement} */ (element);
        return multiple || size > 1 ? 'listbox' : 'combobox';
      }
      case 'img':
        return own.getAttribute(element, 'alt') === '' && !own.matches(element, TELLING) ? '' : 'img';
      case 'svg':
        // A drawing with words in it is read word by word.
        return page.ownName(element) || !own.querySelector(element, 'text, foreignObject') ? 'img' : '';
      case 'summary':
        return own.localName(own.parentElement(element) ?? element) === 'details' ? 'button' : '';
      case 'aside':
        return own.closest(/** @type {Element} */ (own.parentElement(element) ?? element), SECTIONS) &&
          !page.ownName(element)
          ? ''
          : 'complementary';
      case 'header':
      case 'footer': {
        const inner = own.closest(element, `${SECTIONS}, ${MAIN}`);
        if (inner) return tag === 'header' ? 'sectionheader' : 'sectionfooter';
        return tag === 'header' ? 'banner' : 'contentinfo';
      }
      case 'section':
        return page.ownName(element) ? 'region' : '';
      case 'li':
        return isPlain(own.parentElement(element)) ? '' : 'listitem';
      case 'table':
        return isLayout(/** @type {HTMLTableElement} */ (element)) ? '' : 'table';
      case 'thead':
      case 'tfoot':
      case 'tr':
      case 'td':
      case 'th':
        return partOfTable(element, tag);
      case 'p':
        return own.hasChildNodes(element) ? 'paragraph' : '';
    }
    // Most elements have no such attribute, and to ask for what comes of it takes longer.
    if (page.isEditingHost(element) && element instanceof HTMLElement && own.isContentEditable(element))
      return 'textbox';
    return ROLES[tag] ?? '';
  };

  page.isEditingHost = (element) => {
    const editable = own.getAttribute(element, 'contenteditable');
    return editable !== null && editable !== 'false';
  };

  const isPlain = (/** @type {Element | null} */ list) =>
    list !== null && /^(none|presentation)$/.test(own.getAttribute(list, 'role') ?? '') && given(list) === 'none';

  // ---- Tables ----

  const partOfTable = (/** @type {Element} */ element, /** @type {string} */ tag) => {
    const table = /** @type {HTMLTableElement | null} */ (own.closest(element, 'table'));
    if (table === null) return '';
    const kind = given(table);
    if (kind === null ? isLayout(table) : !/^(table|grid|treegrid)$/.test(kind)) return '';
    // The body of a table is nothing to the browser.
    if (tag === 'thead' || tag === 'tfoot') return 'rowgroup';
    if (tag === 'tr') return 'row';
    if (tag === 'th') return headerOf(element);
    return kind === 'grid' || kind === 'treegrid' ? 'gridcell' : 'cell';
  };

  const headerOf = (/** @type {Element} */ cell) => {
    const scope = own.getAttribute(cell, 'scope')?.toLowerCase();
    if (scope === 'row' || scope === 'rowgroup') return 'rowheader';
    if (scope === 'col' || scope === 'colgroup') return 'columnheader';
    const beside = [own.previousElementSibling(cell), own.nextElementSibling(cell)];
    return beside.some((it) => it && own.localName(it) === 'td') ? 'rowheader' : 'columnheader';
  };

  /** Which tables only lay things out, as the browser thinks: known as long as the labels are. */
  const layouts = {
    of: /** @type {object | null} */ (null),
    /** @type {Map<Element, boolean>} */
    known: new Map(),
  };
  const isLayout = (/** @type {HTMLTableElement} */ table) => {
    if (layouts.of !== page.labels) Object.assign(layouts, { of: page.labels, known: new Map() });
    const known = layouts.known.get(table) ?? !isData(table);
    layouts.known.set(table, known);
    return known;
  };

  /** Longer tables are of data, whatever they look like. */
  const DATA_ROWS = 20;
  const isData = (/** @type {HTMLTableElement} */ table) => {
    if (own.matches(table, `[summary]:not([summary=""]), [rules], ${TELLING}, [aria-rowcount], [aria-colcount]`))
      return true;
    if (page.isEditingHost(table) || own.isContentEditable(table)) return true;
    const { caption, tHead, tFoot, rows } = table;
    if (caption || tHead || tFoot) return true;
    if ([...own.children(table)].some((it) => /^col(group)?$/.test(own.localName(it)))) return true;
    if (rows.length === 0) return false;
    const cells = [...rows].slice(0, DATA_ROWS).flatMap((row) => [...row.cells]);
    const isMarked = (/** @type {Element} */ cell) => own.matches(cell, 'th, [headers], [abbr], [axis], [scope]');
    if (cells.some(isMarked)) return true;
    if (cells.length === 1) return false;
    if (rows.length >= DATA_ROWS) return true;
    const outer = getComputedStyle(table);
    const sides = ['Top', 'Right', 'Bottom', 'Left'].map(
      (side) => /** @type {'borderTopWidth'} */ (`border${side}Width`),
    );
    const bordered = sides.map(() => 0);
    let shaded = 0;
    for (const cell of cells) {
      const style = getComputedStyle(cell);
      for (const [index, side] of sides.entries()) if (Number.parseFloat(style[side]) > 0) bordered[index] += 1;
      if (style.backgroundColor !== outer.backgroundColor && style.backgroundColor !== 'rgba(0, 0, 0, 0)') shaded += 1;
    }
    return Math.max(...bordered, shaded) >= Math.max(1, cells.length / 2);
  };
})();
