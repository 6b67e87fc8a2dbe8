/** Fields for files: what one takes, giving it files, and which of them the page holds afterwards. */
(() => {
  'use strict';
  const page = globalThis.bproxy;
  const { own } = page;

  const FIELD = 'input[type="file" i]';

  page.isFileField = (element) => element instanceof HTMLInputElement && element.type === 'file';

  page.fileFieldOf = (element) => {
    if (page.isFileField(element)) return /** @type {HTMLInputElement} */ (element);
    const labelled = /** @type {HTMLLabelElement | null} */ (own.closest(element, 'label'))?.control;
    if (labelled && page.isFileField(labelled)) return /** @type {HTMLInputElement} */ (labelled);
    // One for whole folders stands beside the one for files.
    const inside = page.findAll(element, FIELD).filter((it) => !own.hasAttribute(it, 'webkitdirectory'));
    if (inside.length > 1) {
      page.notActionable(element, `has ${inside.length} fields for files in it: name the one that is meant`);
    }
    return /** @type {HTMLInputElement | undefined} */ (inside[0]) ?? null;
  };

  /** Types that pages name by other words than the browser. @type {Record<string, string>} */
  const ALIASES = {
    'image/jpg': 'image/jpeg',
    'application/x-zip-compressed': 'application/zip',
    'text/x-csv': 'text/csv',
  };

  const accepted = (/** @type {string} */ accept, /** @type {PageFile} */ { name, type }) => {
    const kinds = accept
      .split(',')
      .map((kind) => kind.trim().toLowerCase())
      .filter((kind) => kind !== '');
    return (
      kinds.length === 0 ||
      kinds.some((kind) => {
        if (kind.startsWith('.')) return name.toLowerCase().endsWith(kind);
        if (kind === '*' || kind === '*/*') return true;
        if (kind.endsWith('/*')) return type.startsWith(kind.slice(0, -1));
        return type === (ALIASES[kind] ?? kind);
      })
    );
  };

  page.takesFiles = (field, files) => {
    if (page.disabled(field)) page.notActionable(field, 'is disabled');
    if (files.length > 1 && !field.multiple) page.notActionable(field, `takes one file, not ${files.length}`);
    const accept = own.getAttribute(field, 'accept') ?? '';
    const other = files.find((file) => !accepted(accept, file));
    if (other) {
      const kind = other.type === '' ? '' : ` (${other.type})`;
      page.notActionable(field, `takes ${accept}, and ${JSON.stringify(other.name)}${kind} is none of these`);
    }
  };

  const described = (/** @type {Iterable<File>} */ files) =>
    [...files].map(({ name, size }) => ({ name, bytes: size }));

  /** Attributes in which widgets write a name in full that they show shortened. */
  const NAMING = ['title', 'aria-label', 'alt'];

  page.showing = (files) => {
    let text = '';
    page.walk(document, (node) => {
      if (node instanceof Text) text += node.data;
      else if (node instanceof Element) {
        for (const name of NAMING) text += `\n${own.getAttribute(node, name) ?? ''}`;
        text += '\n';
      }
      return true;
    });
    return new Map(files.map(({ name }) => [name, text.split(name).length - 1]));
  };

  // A name that stood there before shows nothing.
  page.keptOf = (given, before, isTaken) => {
    const now = page.showing(given);
    const shown = given.filter(({ name }) => Number(now.get(name)) > Number(before.get(name)));
    return shown.length > 0 || !isTaken ? shown : given;
  };

  page.giveFiles = (field, files) => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    field.files = transfer.files;
    const given = described(field.files ?? []);
    const wasConnected = own.isConnected(field);
    const before = page.showing(given);
    page.after = () => {
      const held = own.isConnected(field) || !wasConnected ? described(field.files ?? []) : [];
      // A page that has taken the files often empties its field, or puts another one in its place.
      return { uploaded: held.length > 0 ? held : page.keptOf(given, before, page.began?.sends ?? false) };
    };
    own.dispatchEvent(field, new Event('input', { bubbles: true, composed: true }));
    own.dispatchEvent(field, new Event('change', { bubbles: true }));
    return { uploaded: given };
  };
})();
