/**
 * The page as a tree of what it says: a node for each line of a snapshot. What says nothing by itself, such as an unnamed
 * group, has no node: what is in it stands where it stands. Which of the nodes are told is decided by `snapshot.js`.
 */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  /** A task of the page takes no longer, so that the page goes on beside it. */
  const SLICE_MS = 40;
  /** How many nodes of the document are looked at between two looks at the clock. */
  const STEP = 200;
  const OPTIONS_MAX = 20;
  const OPTION_MAX = 60;
  /** How long a row may be to be one line. Characters. */
  const ROW_MAX = 200;

  /** The text of these is in their name already: below them, only what can be acted on has a line. */
  const LEAVES = new Set(
    'button checkbox heading img link menuitem menuitemcheckbox menuitemradio option radio switch tab treeitem'.split(
      ' ',
    ),
  );
  /** What is in these is their value. */
  const VALUED = new Set(['combobox', 'listbox', 'slider', 'spinbutton', 'textbox', 'searchbox']);
  /** Words in these belong to the sentence around them. */
  const PHRASES = new Set(
    'caption code definition deletion emphasis insertion mark strong subscript superscript term time'.split(' '),
  );
  /** Unnamed, these never say anything by themselves. */
  const WRAPPERS = new Set('figure form group list paragraph rowgroup sectionfooter sectionheader'.split(' '));
  /** These say what a part of the page is for, named or not. */
  const PARTS = new Set(
    (
      'alert alertdialog banner complementary contentinfo dialog grid main math menu menubar navigation progressbar ' +
      'radiogroup region search separator status table tablist tabpanel toolbar tree treegrid'
    ).split(' '),
  );
  const CELLS = new Set(['cell', 'columnheader', 'gridcell', 'rowheader']);
  const LEFT_OUT = new Set(['script', 'style', 'noscript', 'template', 'head']);
  const RENDERED = { visibilityProperty: true };

  /** @type {(role: string, name?: string, element?: Element | null) => BproxyNode} */
  const made = (role, name = '', element = null) => ({
    role,
    name,
    element,
    acts: false,
    shown: null,
    states: [],
    value: '',
    below: [],
    lines: 0,
    slot: -1,
  });

  /**
   * A place in the walk. `node`: what lines go below; `all`: whether text has lines there; `next`: the next child, or
   * `list` where the flat tree has others than the document.
   * @typedef {{ element: Element, node: BproxyNode, own: boolean, all: boolean, dead: boolean, drawn: boolean, clear: boolean | null, display: string | null, next: Node | null, list: Node[] | null, at: number }} Place
   */

  /** @type {BproxyPage['tree']} */
  page.tree = function* (scopes, { interactiveOnly = false, hidden = false }) {
    const root = made('');
    /** @type {BproxySeen} */
    const seen = { elements: [], drawn: [], fields: [] };
    const texts = page.textsKept().length > 0;
    const framed = page.framed().slots.size > 0;
    const focused = own.activeElement(document);
    page.hosts();
    /** @type {Place[]} */
    const path = [];
    /** Words in bold or in a span belong to the sentence around them. */
    let sentence = '';
    /** Nobody sees it. */
    let unseen = false;

    const said = () => {
      const text = page.collapse(sentence);
      sentence = '';
      if (text === '') return;
      const line = made('text', text);
      if (unseen) line.states.push('hidden');
      (path.at(-1)?.node ?? root).below.push(line);
    };
    /** The edge of an element: a block ends what was said before, what stands in the line apart from it does not. */
    const edge = (/** @type {Place} */ place) => {
      place.display ??= getComputedStyle(place.element).display;
      if (place.display === 'inline' || place.display === 'contents') return;
      if (place.display.startsWith('inline')) sentence += ' ';
      else said();
    };
    const say = (/** @type {string} */ text, /** @type {boolean} */ isUnseen) => {
      if (isUnseen !== unseen) said();
      unseen = isUnseen;
      sentence += text;
    };

    const enter = (/** @type {Element} */ element) => {
      const around = path.at(-1);
      const tag = own.localName(element);
      if (tag === 'br') {
        sentence += ' ';
        return;
      }
      if (LEFT_OUT.has(tag)) return;
      const node = around ? around.node : root;
      const all = around ? around.all : !interactiveOnly;
      const slot = framed ? page.slotOf(element) : undefined;
      // One look at which attributes there are saves one for each.
      const names = own.getAttributeNames(element);
      let drawn = own.checkVisibility(element, RENDERED);
      seen.elements.push(element);
      seen.drawn.push(drawn);
      drawn ||= page.rendered(element);
      if (!hidden) {
        if (names.includes('aria-hidden') && own.getAttribute(element, 'aria-hidden') === 'true') return;
        // What is in an invisible element may be visible.
        if (!drawn && !page.laidOut(element)) return;
      }
      if (slot !== undefined) {
        if (!page.visible(element)) return;
        said();
        const frame = made('iframe', all ? page.accessibleName(element) : '', element);
        frame.slot = slot;
        node.below.push(frame);
        return;
      }
      const role = page.role(element);
      const acts = page.operable(element, role);
      const dead = (around?.dead ?? false) || isDead(element, names);
      const isField = FIELDS.has(tag);
      if (isField) seen.fields.push(element);
      const maySecret = texts || isField || names.includes('contenteditable') || names.includes('autocomplete');
      const secret = maySecret && page.isSecret(element);
      if ((!drawn && !hidden) || !(acts || (all && role !== '' && !PHRASES.has(role)))) {
        if (secret) return;
        const place = placeOf(element, node, false, all && !isToldLabel(element, tag), dead);
        place.drawn = drawn;
        // What was said before ends where a block begins.
        if (all && sentence !== '') edge(place);
        path.push(place);
        return;
      }
      said();
      const line = made(role || 'clickable', '', element);
      line.acts = acts;
      const leaf = LEAVES.has(role);
      // What reacts without being a control may hold much, which has lines of its own where all is told.
      if (leaf || page.isControl(role)) line.name = page.accessibleName(element);
      else line.name = all ? givenName(element, role) : page.calledAs(element, page.accessibleName(element));
      const stated = names.some((name) => name.startsWith('aria-'));
      if (acts || stated || role === 'heading' || line.name !== '') {
        describe(line, isQuiet(element, tag, names), dead, secret);
      }
      if (!drawn) {
        line.states.push('hidden');
        line.shown = null;
      }
      node.below.push(line);
      if (element instanceof HTMLSelectElement && !secret) line.below.push(...options(element));
      const closed = secret || role === 'textbox' || role === 'searchbox' || element instanceof HTMLSelectElement;
      const plain = leaf && own.childElementCount(element) === 0 && own.shadowRoot(element) === null && tag !== 'slot';
      if (closed || plain) finish(line, node);
      else path.push(placeOf(element, line, true, all && !leaf, dead));
    };

    /** @type {(element: Element, node: BproxyNode, isOwn: boolean, all: boolean, dead: boolean) => Place} */
    const placeOf = (element, node, isOwn, all, dead) => {
      const special = own.shadowRoot(element) !== null || own.localName(element) === 'slot';
      const list = special ? page.children(element) : null;
      const next = special ? null : own.firstChild(element);
      return {
        element,
        node,
        own: isOwn,
        all,
        dead,
        drawn: true,
        clear: null,
        display: isOwn ? 'block' : null,
        next,
        list,
        at: 0,
      };
    };

    const leave = (/** @type {Place} */ place) => {
      if (sentence !== '') edge(place);
      path.pop();
      if (!place.own) return;
      const { node } = place;
      const around = path.at(-1)?.node ?? root;
      finish(node, around);
    };

    const describe = (
      /** @type {BproxyNode} */ line,
      /** @type {boolean} */ quiet,
      /** @type {boolean} */ dead,
      /** @type {boolean} */ secret,
    ) => {
      const element = /** @type {Element} */ (line.element);
      const { role, name, acts } = line;
      const states = quiet ? [] : page.states(element);
      if (dead && !states.includes('disabled')) states.unshift('disabled');
      if (element === focused && element !== own.body(document) && !states.includes('focused')) states.push('focused');
      if (role === 'heading') states.unshift(`h${page.headingLevel(element)}`);
      const seen = name === '' || isPlain(element, name) ? null : page.contradiction(element, name);
      line.shown = seen;
      line.states = states;
      if (!acts || role === 'checkbox' || role === 'radio' || role === 'switch') return;
      line.value = role === 'link' ? (name === '' ? address(element) : '') : (page.valueOf(element, secret) ?? '');
    };

    /** Where nothing around a text hides anything, it need not be looked at. */
    const isSeen = (/** @type {Place} */ place, /** @type {Text} */ text) => {
      if (place.list !== null) return page.sees(text);
      place.clear ??= page.seesAllIn(place.element);
      return place.clear || page.sees(text);
    };

    const scan = function* () {
      let steps = 0;
      let until = performance.now() + SLICE_MS;
      for (const scope of scopes) {
        enter(scope);
        for (let place = path.at(-1); place; place = path.at(-1)) {
          const node = place.list === null ? place.next : (place.list[place.at++] ?? null);
          if (node === null) {
            leave(place);
            continue;
          }
          if (place.list === null) place.next = own.nextSibling(node);
          const type = own.nodeType(node);
          if (type === Node.ELEMENT_NODE) enter(/** @type {Element} */ (node));
          else if (type === Node.TEXT_NODE && place.all) {
            const text = /** @type {Text} */ (node);
            if (!/\S/.test(text.data)) {
              if (sentence !== '') sentence += ' ';
            } else if (place.drawn && isSeen(place, text)) say(text.data, false);
            else if (hidden) say(text.data, true);
          }
          steps += 1;
          if (steps % STEP === 0 && performance.now() > until) {
            yield;
            until = performance.now() + SLICE_MS;
          }
        }
        said();
      }
    };
    yield* scan();
    count(root);
    return { root, seen };
  };

  // ---- What a node becomes once all below it is known ----

  const isText = (/** @type {BproxyNode} */ node) => node.role === 'text';
  const isCell = (/** @type {BproxyNode} */ { role, below, acts, shown, states }) =>
    CELLS.has(role) && below.length === 0 && !acts && shown === null && states.length === 0;

  const finish = (/** @type {BproxyNode} */ node, /** @type {BproxyNode} */ around) => {
    const { role, below } = node;
    if (below.length === 1 && isText(below[0])) {
      const text = below[0].name;
      if (node.name === '' && VALUED.has(role)) {
        node.value ||= text;
      } else if (node.name === '') node.name = text;
      if (node.name === text || VALUED.has(role)) {
        if (below[0].states.length > 0 && !node.states.includes('hidden')) node.states.push('hidden');
        below.length = 0;
      }
    }
    // A legend or a caption is the name of what it stands in.
    if (below.length > 0 && isText(below[0]) && below[0].name === node.name) below.shift();
    if (role === 'row') {
      // Cells of nothing but words are said by the row itself, unless it has a name of its own.
      const isShort = below.filter(isCell).reduce((sum, { name }) => sum + name.length + 3, 0) <= ROW_MAX;
      const isWords = (/** @type {BproxyNode} */ cell) => isShort && node.name === '' && !node.acts && isCell(cell);
      const words = below.filter(isWords).map(({ name }) => name);
      node.below = below
        .filter((cell) => !isWords(cell))
        .flatMap((cell) => (CELLS.has(cell.role) && isNothing(cell) ? cell.below : [cell]));
      if (node.below.length > 0) node.name ||= words.filter((name) => name !== '').join(' | ');
      else node.name ||= words.join(' | ').trim();
    }
    // What a cell says counts where its row ends.
    const waits = CELLS.has(role) && around.role === 'row';
    if (waits || !isNothing(node)) return;
    around.below.pop();
    for (const it of node.below) around.below.push(it);
  };

  /** Whether a node says nothing by itself. */
  const isNothing = (/** @type {BproxyNode} */ { role, name, acts, shown, states, value, below, slot }) => {
    if (name !== '' || acts || shown !== null || states.length > 0 || value !== '' || slot >= 0) return false;
    if (WRAPPERS.has(role)) return true;
    return below.length < 2 && (below.length === 0 || !PARTS.has(role));
  };

  const count = (/** @type {BproxyNode} */ node) => {
    node.lines = 0;
    for (const below of node.below) node.lines += 1 + count(below);
    return node.lines;
  };

  // ---- Facts of elements ----

  /** Elements that have states without an attribute that says so, and attributes that give others some. */
  const STATED = new Set(['option', 'select', 'summary']);
  const STATING = /^(aria-.*|disabled|readonly|required|type)$/;
  const TYPES = new Set(['button', 'input', 'textarea']);
  /** Whether an element can be told at a look to have no state of its own. */
  const isQuiet = (/** @type {Element} */ element, /** @type {string} */ tag, /** @type {string[]} */ names) =>
    !STATED.has(tag) &&
    !names.some((name) => STATING.test(name) && !(name === 'type' && hasQuietType(element))) &&
    !(TYPES.has(tag) && own.matches(element, ':disabled'));
  const hasQuietType = (/** @type {Element} */ element) =>
    !/^(checkbox|radio)$/i.test(own.getAttribute(element, 'type') ?? '');
  const FIELDS = new Set(['input', 'select', 'textarea']);
  const isDead = (/** @type {Element} */ element, /** @type {string[]} */ names) =>
    names.includes('inert') ||
    (names.includes('aria-disabled') && own.getAttribute(element, 'aria-disabled') === 'true') ||
    (names.includes('disabled') && own.localName(element) !== 'fieldset' && own.matches(element, ':disabled'));

  /** Whether an element is the label of a control that has a line of its own, with its words as name. */
  const isToldLabel = (/** @type {Element} */ element, /** @type {string} */ tag) => {
    if (tag !== 'label') return false;
    const { control } = /** @type {HTMLLabelElement} */ (element);
    return (
      control !== null &&
      !own.hasAttribute(control, 'aria-label') &&
      !own.hasAttribute(control, 'aria-labelledby') &&
      page.rendered(control)
    );
  };

  /** A name that is not made of what the element holds: that has lines of its own. */
  const givenName = (/** @type {Element} */ element, /** @type {string} */ role) => {
    const name = page.ownName(element) || page.collapse(own.getAttribute(element, 'title') ?? '');
    return role === 'paragraph' && !own.hasAttribute(element, 'aria-label') ? '' : name;
  };

  /** Whether an element holds nothing but a text, all of which is seen, and that is its name. */
  const isPlain = (/** @type {Element} */ element, /** @type {string} */ name) => {
    const only = own.firstChild(element);
    return (
      only instanceof Text && own.nextSibling(only) === null && page.collapse(only.data) === name && page.sees(only)
    );
  };

  /** Where a link without a name leads. */
  const address = (/** @type {Element} */ link) => {
    const href = own.getAttribute(link, 'href') ?? '';
    return href.length > 100 ? '' : href;
  };

  const options = (/** @type {HTMLSelectElement} */ { options: all }) => {
    const texts = [...all]
      .slice(0, OPTIONS_MAX)
      .map((it) => JSON.stringify(page.shorten(page.collapse(it.text), OPTION_MAX)));
    if (all.length > OPTIONS_MAX) texts.push(`… ${all.length - OPTIONS_MAX} more`);
    return texts.length > 0 ? [made(`options ${texts.join(', ')}`)] : [];
  };
})();
