import assert from 'node:assert/strict';
import test from 'node:test';
import { Earlier } from '../../extension/earlier.js';

const told = (earlier, tree, since, { page = { document: 'd' }, ...more } = {}) => {
  const asked = { tabId: 1, order: { session: 's', reading: 'r' }, how: {}, ...more };
  const before = earlier.known(since, asked);
  return earlier.compared({ ...asked, page, before }, { tree, nodeCount: 1, handles: [1] });
};

/** What is told of a tree after another one. */
function since(before, now) {
  const earlier = new Earlier();
  return told(earlier, now, told(earlier, before).mark).tree;
}

test('the first snapshot, and one after another document, session, tab or with other parameters, is whole', () => {
  const earlier = new Earlier();
  const { mark, full, tree } = told(earlier, '- text "a"');
  assert.deepEqual([full, tree], [true, '- text "a"']);
  assert.equal(told(earlier, '- text "a"', mark).full, false);
  for (const other of [
    { page: { document: 'e' } },
    { order: { session: 't' } },
    { tabId: 2 },
    { how: { interactiveOnly: true } },
  ]) {
    assert.equal(told(earlier, '- text "a"', mark, other).full, true);
  }
  assert.equal(told(earlier, '- text "a"', 'unknown').full, true);
});

test('of a page that did not change nothing is told, and its handles live on', () => {
  const earlier = new Earlier();
  const { mark } = told(earlier, '- button "Save" [el1]');
  assert.deepEqual(
    { ...told(earlier, '- button "Save" [el1]', mark), mark: '' },
    { tree: '', nodeCount: 1, handles: [1], mark: '', full: false },
  );
  // The page itself may have noticed.
  const again = earlier.known(mark, { tabId: 1, order: { session: 's' }, how: {} });
  assert.equal(again.reading, 'r');
  const asked = { tabId: 1, order: { session: 's' }, how: {}, page: { document: 'd' }, before: again };
  const same = earlier.compared(asked, { nodeCount: 1 });
  assert.deepEqual([same.tree, same.full], ['', false]);
  assert.equal(same.mark, mark, 'what is the same has the same mark');
});

const LIST =
  '- main\n  - table\n    - row "a | 1"\n    - row "b | 2"\n    - row "c | 3"\n  - button "Save" [el1]\n- text "x"';
for (const [what, before, now, expected] of [
  ['a new line', LIST, LIST.replace('    - row "b', '    - row "n"\n    - row "b'), 'main\n  table\n    + row "n"'],
  ['a line that is gone', LIST, LIST.replace('    - row "b | 2"\n', ''), 'main\n  table\n    - row "b | 2"'],
  ['words that changed', LIST, LIST.replace('b | 2', 'b | 5'), 'main\n  table\n    ~ row "b | 5"'],
  ['a state', LIST, LIST.replace('[el1]', '[el1] (disabled)'), 'main\n  ~ button "Save" [el1] (disabled)'],
  ['another element', LIST, LIST.replace('el1', 'el2'), 'main\n  + button "Save" [el2]\n  - button "Save" [el1]'],
  [
    'a part with what is in it',
    LIST,
    `${LIST}\n- dialog "Sure?"\n  - button "Yes" [el2]`,
    '+ dialog "Sure?"\n  + button "Yes" [el2]',
  ],
  ['a part that is gone', `${LIST}\n- dialog "Sure?"\n  - button "Yes" [el2]`, LIST, '- dialog "Sure?" … with 1 below'],
  [
    'another order',
    LIST,
    LIST.replace(/( {4}- row "a.*\n)( {4}- row "b.*\n)( {4}- row "c.*\n)/, '$3$1$2'),
    'main\n  table\n    + row "c | 3"\n    - row "c | 3"',
  ],
  ['a mark that a page has written', '- text "[el1] a"\n- x [el2]', '- text "[el1] b"\n- x [el2]', '~ text "[el1] b"'],
]) {
  test(`what has changed is told below what it stands in: ${what}`, () => {
    assert.equal(since(before, now), expected);
  });
}

test('a tree of very many lines is compared in no time', () => {
  const tree = (from) =>
    Array.from({ length: 20_000 }, (_, at) => `- text "line ${at < 5 ? at + from : 7}"`).join('\n');
  const began = performance.now();
  assert.notEqual(since(tree(0), tree(90)), '');
  assert.ok(performance.now() - began < 2_000);
});
