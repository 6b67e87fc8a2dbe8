import assert from 'node:assert/strict';
import test from 'node:test';
import { FramedDriver } from '../../extension/framed-driver.js';
import { Frames } from '../../extension/frames.js';

const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false, document: 'top' };

/** A driver whose documents answer by these functions: by frame, then by command. */
function driver(documents) {
  const asked = [];
  class Told extends FramedDriver {
    async ask(_tabId, frameId, command, params, order) {
      asked.push({ frameId, command, params, order });
      return documents[frameId][command](params, order);
    }
  }
  globalThis.chrome = {
    webNavigation: {
      getAllFrames: async () =>
        Object.keys(documents).map((frameId) => ({
          frameId: Number(frameId),
          parentFrameId: Number(frameId) === 0 ? -1 : 0,
          documentId: `D${frameId}`,
          url: `http://frame${frameId}/`,
        })),
    },
  };
  return { asked, driver: new Told(new Frames()) };
}
const order = { session: 's', until: Date.now() + 60_000, el: 1, ln: 1, room: 1000 };
const framing = (more = {}) => ({ token: 'aa', holes: [], missed: null, known: [], children: [], ...more });
const child = (slot) => ({
  slot,
  index: slot,
  url: `http://frame${slot + 1}/`,
  name: '',
  width: 300,
  height: 150,
  visible: true,
});
const where = (index, mark, children) => () => ({
  data: { index, slot: -1, name: '', width: 300, height: 150 },
  page: { ...page, document: mark },
  frames: framing({ children }),
});

test('a page without frames is asked once, for whatever read', async () => {
  for (const command of ['text', 'links', 'elements', 'snapshot', 'find', 'inspect', 'condition']) {
    const answer = { data: { text: 'x', total: 0 }, page };
    const { asked, driver: framed } = driver({ 0: { [command]: () => answer } });
    assert.deepEqual(await framed.read(7, command, {}, order), answer);
    assert.equal(asked.length, 1);
  }
});

test('an act in the page itself is one call', async () => {
  const answer = { data: {}, page };
  const { asked, driver: framed } = driver({ 0: { click: () => answer } });
  assert.deepEqual(await framed.run(7, 'click', { target: { selector: '#a' } }, order), answer);
  assert.deepEqual(await framed.run(7, 'click', { target: { handle: 'el9' } }, order), answer);
  assert.equal(asked.length, 2);
});

test('lists are put together in the order of the document, and numbered in that order', async () => {
  const list = (names, holes = []) => ({
    data: { elements: names.map((label, n) => ({ label, n })), total: names.length },
    page,
    frames: framing({
      holes,
      token: names[0],
      known: names.map(() => ({ kind: 'el', n: 0 })),
      children: [child(0), child(1)],
    }),
  });
  const number = ({ picks }) => ({ data: { numbers: picks.map(({ n }) => n) }, page });
  const holes = [
    { list: 'elements', slot: 1, at: 0 },
    { list: 'elements', slot: 0, at: 2 },
  ];
  const { driver: framed } = driver({
    0: { where: where(-1, 'top', [child(0), child(1)]), elements: () => list(['a', 'b', 'c'], holes), number },
    1: { where: where(0, 'one', []), elements: () => list(['x']), number },
    2: { where: where(1, 'two', []), elements: () => list(['y', 'z']), number },
  });
  const { data } = await framed.read(7, 'elements', {}, order);
  assert.deepEqual(data, {
    elements: [
      { label: 'y', frame: 'f2', n: 1 },
      { label: 'z', frame: 'f2', n: 2 },
      { label: 'a', n: 3 },
      { label: 'b', n: 4 },
      { label: 'x', frame: 'f1', n: 5 },
      { label: 'c', n: 6 },
    ],
    total: 6,
  });
  assert.equal(framed.known.of(7, 's', 'el2'), 'f2');
  assert.equal(framed.known.of(7, 's', 'el3'), undefined);
});

test('an act in a frame asks the frame, then every level for what covers it, then the frame', async () => {
  const told = [];
  const say =
    (name, data) =>
    (params, { document }) => {
      told.push([name, params, document]);
      return { data, page: { ...page, document } };
    };
  const { driver: framed } = driver({
    0: { where: where(-1, 'top', [child(0)]), through: say('through', { at: { x: 5, y: 6 } }) },
    1: {
      where: where(0, 'one', []),
      approach: say('approach', { at: { x: 1, y: 2 } }),
      click: say('click', {}),
    },
  });
  await framed.frames(7, order);
  const target = { selector: '#a' };
  const answer = await framed.run(7, 'click', { target: { ...target, frame: 'f1' } }, { ...order, document: 'top' });
  assert.deepEqual(told, [
    ['approach', { target }, 'one'],
    ['through', { slot: 0, index: 0, at: { x: 1, y: 2 } }, 'top'],
    ['click', { target }, 'one'],
  ]);
  assert.equal(answer.page.document, 'top');
  await assert.rejects(framed.run(7, 'click', { target: { ...target, frame: 'f2' } }, order), {
    code: 'FRAME_NOT_FOUND',
  });
});
