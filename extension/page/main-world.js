/**
 * Runs in the page's own world: writes into a rich editor through the editor's interface, which only that world can
 * reach. It is sent as text, so it uses nothing from outside itself, and it leaves nothing
 * behind.
 *
 * It waits for the element, which the isolated world hands over by an event, once it has found that this is still the
 * element and the document that are meant. Writing happens within that event, so that no other document can come
 * between. The events have names that are drawn for this one use, so that a page cannot listen for them.
 *
 * The page can replace anything that is used here, built-in prototypes included, so capturing members as `own.js` does
 * would protect nothing: the outcome is only as true as the page. What an element is and whether its contents are secret
 * is therefore decided in the isolated world alone.
 *
 * @param {string} event the name of the event by which the element comes
 * @param {string} answer the name of the event by which the outcome goes back: `{ value }`, what the editor holds now, or
 *   `{ problem }`, as JSON
 * @param {string | null} value the new content of the editor; null only reads
 * @param {number} until nothing is written from then on (unix ms)
 */
export function awaitEditor(event, answer, value, until) {
  /** @type {Element | undefined} */
  let element;

  /** Editors are kept in a property of their element or in a variable of the page. @param {(candidate: any) => boolean} is */
  const global = (is) => {
    for (const key of Object.keys(window)) {
      try {
        const candidate = /** @type {any} */ (window)[key];
        if (typeof candidate === 'object' && candidate !== null && candidate !== window && is(candidate)) {
          return candidate;
        }
      } catch {
        // A property whose getter throws is not the editor.
      }
    }
    return null;
  };
  /** @param {string} selector @returns {any} the element around or inside that the editor marks */
  const near = (selector) => element?.closest(selector) ?? element?.querySelector(selector);
  const lines = (value ?? '').split('\n');
  /** The lines as paragraphs of HTML, which keeps each of several spaces only if it does not break. */
  const paragraphs = () => {
    const p = document.createElement('p');
    return lines
      .map((line) => {
        p.textContent = line.replace(/ (?= )|^ | $/g, '\u00a0');
        return p.outerHTML;
      })
      .join('');
  };

  const quill = () => {
    const container = near('.ql-container');
    if (!container) return null;
    const page = /** @type {any} */ (window);
    const editor =
      container.__quill ??
      page.Quill?.find?.(container) ??
      global((it) => it.container === container && typeof it.setText === 'function');
    if (!editor) return { problem: 'quill' };
    if (value !== null) editor.setText(value, 'user');
    return { value: editor.getText().replace(/\n$/, '') };
  };

  const lexical = () => {
    const root = near('[data-lexical-editor="true"]');
    if (!root) return null;
    const editor = root.__lexicalEditor;
    if (!editor) return { problem: 'lexical' };
    if (value !== null) {
      const block = { direction: null, format: '', indent: 0, version: 1 };
      const paragraphs = lines.map((text) => ({
        ...block,
        type: 'paragraph',
        children:
          text === '' ? [] : [{ type: 'text', text, detail: 0, format: 0, mode: 'normal', style: '', version: 1 }],
      }));
      editor.setEditorState(editor.parseEditorState({ root: { ...block, type: 'root', children: paragraphs } }));
    }
    /** @param {any} node @returns {string} */
    const textOf = (node) =>
      node.text ??
      (node.type === 'linebreak' ? '\n' : (node.children ?? []).map(textOf).join(node.type === 'root' ? '\n' : ''));
    return { value: textOf((editor._pendingEditorState ?? editor.getEditorState()).toJSON().root) };
  };

  const slate = () => {
    const root = near('[data-slate-editor="true"]');
    if (!root) return null;
    const key = Object.keys(root).find((name) => name.startsWith('__reactFiber$'));
    let fiber = key && root[key];
    while (fiber && typeof fiber.memoizedProps?.editor?.apply !== 'function') fiber = fiber.return;
    const editor = fiber?.memoizedProps.editor;
    if (!editor) return { problem: 'slate' };
    if (value !== null) {
      const { children: _children, ...kind } = editor.children[0] ?? {};
      const old = editor.children.length;
      for (const [index, text] of lines.entries()) {
        editor.apply({ type: 'insert_node', path: [index], node: { ...kind, children: [{ text }] } });
      }
      for (let left = old; left > 0; left -= 1) {
        const path = [lines.length];
        editor.apply({ type: 'remove_node', path, node: editor.children[lines.length] });
      }
    }
    /** @param {any} node @returns {string} */
    const textOf = (node) => node.text ?? node.children.map(textOf).join('');
    return { value: editor.children.map(textOf).join('\n') };
  };

  const prosemirror = () => {
    const root = near('.ProseMirror');
    if (!root) return null;
    const view =
      root.editor?.view ??
      root.pmViewDesc?.view ??
      global((it) => it.dom === root && typeof it.dispatch === 'function');
    if (!view) return { problem: 'prosemirror' };
    if (value !== null) {
      const { state } = view;
      const { schema } = state;
      const type = schema.nodes.paragraph ?? state.doc.type.contentMatch.defaultType;
      const blocks = lines.map((text) => type.create(null, text === '' ? null : schema.text(text)));
      view.dispatch(state.tr.replaceWith(0, state.doc.content.size, blocks));
    }
    return { value: view.state.doc.textBetween(0, view.state.doc.content.size, '\n', '\n') };
  };

  const codemirror = () => {
    const root = near('.cm-editor, .CodeMirror');
    if (!root) return null;
    if (root.CodeMirror) {
      if (value !== null) root.CodeMirror.setValue(value);
      return { value: root.CodeMirror.getValue() };
    }
    const content = root.querySelector('.cm-content');
    const view =
      content?.cmTile?.view ??
      content?.cmTile?.root?.view ??
      content?.cmView?.view ??
      content?.cmView?.rootView?.view ??
      global((it) => it.contentDOM === content);
    if (!view) return { problem: 'codemirror' };
    if (value !== null) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value }, userEvent: 'input.paste' });
    }
    return { value: view.state.doc.toString() };
  };

  const monaco = () => {
    const root = near('.monaco-editor');
    if (!root) return null;
    /** @param {any} it */
    const holds = (it) => it.getDomNode?.()?.contains(root);
    const page = /** @type {any} */ (window);
    const editor =
      page.monaco?.editor?.getEditors?.().find(holds) ?? global((it) => typeof it.getModel === 'function' && holds(it));
    const model = editor?.getModel();
    if (!model) return { problem: 'monaco' };
    if (value !== null) {
      editor.pushUndoStop();
      editor.executeEdits('paste', [{ range: model.getFullModelRange(), text: value, forceMoveMarkers: true }]);
      editor.pushUndoStop();
    }
    return { value: model.getValue() };
  };

  const ace = () => {
    const root = near('.ace_editor');
    if (!root) return null;
    const editor = root.env?.editor;
    if (!editor) return { problem: 'ace' };
    if (value !== null) editor.setValue(value, 1);
    return { value: editor.getValue() };
  };

  const draft = () => {
    const root = near('.DraftEditor-root');
    if (!root) return null;
    const key = Object.keys(root).find((name) => /^__react(Fiber|InternalInstance)\$/.test(name));
    let fiber = key && root[key];
    while (fiber && !(fiber.stateNode?.props?.editorState && fiber.stateNode.props.onChange)) fiber = fiber.return;
    if (!fiber) return { problem: 'draft' };
    const { editorState, onChange } = fiber.stateNode.props;
    const content = editorState.getCurrentContent();
    if (value === null) return { value: content.getPlainText('\n') };
    onChange(
      editorState.constructor.push(editorState, content.constructor.createFromText(value, '\n'), 'insert-fragment'),
    );
    return { value };
  };

  const trix = () => {
    const editor = near('trix-editor')?.editor;
    if (!editor) return null;
    if (value !== null) {
      editor.setSelectedRange([0, editor.getDocument().getLength()]);
      editor.insertString(value);
    }
    return { value: editor.getDocument().toString().replace(/\n$/, '') };
  };

  const ckeditor = () => {
    const editable = near('.ck-editor__editable');
    if (!editable) return null;
    const editor = editable.ckeditorInstance;
    if (!editor) return { problem: 'ckeditor' };
    const root = editor.model.document.getRoot();
    if (value !== null) {
      editor.model.change((/** @type {any} */ writer) => {
        writer.remove(writer.createRangeIn(root));
        for (const line of lines) {
          const paragraph = writer.createElement('paragraph');
          writer.insertText(line, paragraph);
          writer.append(paragraph, root);
        }
      });
    }
    /** @param {any} node @returns {string} */
    const textOf = (node) =>
      node.data ?? (node.name === 'softBreak' ? '\n' : [...(node.getChildren?.() ?? [])].map(textOf).join(''));
    return { value: [...root.getChildren()].map(textOf).join('\n') };
  };

  const tinymce = () => {
    const all = /** @type {any} */ (window).tinymce?.get?.() ?? [];
    const editor = all.find(
      (/** @type {any} */ it) =>
        it.getContainer()?.contains(element) || it.getElement() === element || it.getBody()?.contains(element),
    );
    if (!editor) return near('.tox-tinymce, .mce-content-body') ? { problem: 'tinymce' } : null;
    if (value !== null) editor.setContent(paragraphs());
    return { value: [...editor.getBody().children].map((block) => block.textContent).join('\n') };
  };

  const write = () => {
    const outcome =
      quill() ??
      lexical() ??
      slate() ??
      prosemirror() ??
      codemirror() ??
      monaco() ??
      ace() ??
      draft() ??
      trix() ??
      ckeditor() ??
      tinymce();
    if (outcome === null) {
      return { problem: 'there is no editor with an interface here: fill it with method paste, world isolated' };
    }
    if ('value' in outcome) return outcome;
    return {
      problem: `the page keeps its ${outcome.problem} editor out of reach: fill it with method paste, world isolated`,
    };
  };

  /** @param {Event} handed */
  const take = (handed) => {
    if (Date.now() >= until) return;
    element = /** @type {Element} */ (handed.composedPath()[0]);
    let outcome;
    try {
      outcome = write();
    } catch (error) {
      outcome = { problem: `the editor’s own interface failed: ${error}` };
    }
    element.dispatchEvent(new CustomEvent(answer, { detail: JSON.stringify(outcome) }));
  };
  addEventListener(event, take, { capture: true, once: true });
}
