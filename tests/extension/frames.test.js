import assert from 'node:assert/strict';
import test from 'node:test';
import { placed } from '../../extension/frame-tree.js';
import { Frames } from '../../extension/frames.js';

/** A storage that keeps what it is given. */
function area() {
  const kept = {};
  return {
    get: async (name) => ({ [name]: kept[name] }),
    set: async (more) => void Object.assign(kept, more),
  };
}
const doc = (frameId, documentId) => ({ frameId, documentId });

test('a name is one document’s and is never given again, by the next worker neither', async () => {
  const session = area();
  const frames = new Frames(session);
  frames.seen(7, [doc(0, 'T'), doc(5, 'A'), doc(6, 'B')]);
  assert.equal(frames.know(7, doc(5, 'A'), 'a').name, 'f1');
  assert.equal(frames.know(7, doc(6, 'B')).name, 'f2');
  assert.equal(frames.know(7, doc(5, 'A'), 'a').name, 'f1');
  frames.seen(7, [doc(0, 'T'), doc(5, 'A2'), doc(6, 'B')]);
  assert.equal(frames.named(7, 'f1'), undefined);
  assert.equal(frames.know(7, doc(5, 'A2')).name, 'f3');
  const next = new Frames(session);
  await next.load();
  assert.equal(next.named(7, 'f2')?.documentId, 'B');
  next.seen(7, [doc(0, 'T2'), doc(8, 'C')]);
  assert.equal(next.know(7, doc(8, 'C')).name, 'f4');
});

test('a document that came back with another mark is a new page', () => {
  const frames = new Frames();
  frames.seen(7, [doc(0, 'T'), doc(5, 'A')]);
  assert.equal(frames.know(7, doc(5, 'A'), 'one').name, 'f1');
  assert.equal(frames.know(7, doc(5, 'A')).name, 'f1');
  assert.equal(frames.know(7, doc(5, 'A'), 'two').name, 'f2');
  assert.equal(frames.named(7, 'f1'), undefined);
});

test('handles lead to their frames until the page is another one', () => {
  const frames = new Frames();
  frames.seen(7, [doc(0, 'T'), doc(5, 'A')]);
  const { name } = frames.know(7, doc(5, 'A'));
  frames.hand(7, 's', name, ['el1', 'ln2']);
  assert.equal(frames.of(7, 's', 'ln2'), 'f1');
  assert.equal(frames.of(7, 'other', 'ln2'), undefined);
  // That of a frame that is gone leads to its name, which is then not found.
  frames.seen(7, [doc(0, 'T')]);
  assert.equal(frames.of(7, 's', 'el1'), 'f1');
  frames.seen(7, [doc(0, 'T2')]);
  assert.equal(frames.of(7, 's', 'el1'), undefined);
});

const child = (slot, index, more = {}) => ({
  slot,
  index,
  url: 'http://a/',
  name: '',
  width: 300,
  height: 150,
  visible: true,
  ...more,
});
const frame = (index, slot = -1, more = {}) => ({
  url: 'http://a/',
  self: { index, slot, name: '', width: 300, height: 150, ...more },
});

test('frames are placed by their index among the windows of the parent', () => {
  assert.deepEqual(placed([frame(1), frame(0)], [child(0, 0), child(1, 1)]), [1, 0]);
});

test('a same-origin frame knows its own element', () => {
  assert.deepEqual(placed([frame(-1, 1), frame(-1, 0)], [child(0, -1), child(1, -1)]), [1, 0]);
});

test('one in a shadow tree of another origin is placed by address, name and size', () => {
  const children = [child(0, -1, { url: 'http://b/' }), child(1, -1), child(2, 0)];
  assert.deepEqual(placed([frame(-1), frame(0)], children), [1, 2]);
  assert.deepEqual(placed([frame(-1, -1, { name: 'x' })], children), [-1]);
  assert.deepEqual(placed([frame(-1, -1, { width: 200 })], children), [-1]);
});

test('what could be either is neither', () => {
  assert.deepEqual(placed([frame(-1), frame(-1)], [child(0, -1), child(1, -1)]), [-1, -1]);
  assert.deepEqual(placed([frame(-1)], [child(0, -1), child(1, -1)]), [-1]);
  assert.deepEqual(placed([frame(-1), frame(-1)], [child(0, -1)]), [-1, -1]);
});

test('one that cannot be entered is placed by its address, where that is one frame’s alone', () => {
  const silent = { url: 'http://silent/' };
  const children = [child(0, 0), child(1, 1, { url: 'http://silent/#x' })];
  assert.deepEqual(placed([frame(0), silent], children), [0, 1]);
  assert.deepEqual(placed([silent, silent], [children[1], child(2, 2, { url: 'http://silent/' })]), [-1, -1]);
});
