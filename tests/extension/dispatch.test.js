import assert from 'node:assert/strict';
import test from 'node:test';
import { DedupeLog } from '../../extension/dedupe-log.js';
import { Dispatcher } from '../../extension/dispatch.js';
import { Documents } from '../../extension/documents.js';
import { Navigations } from '../../extension/navigation.js';
import { ActionError } from '../../extension/protocol.js';
import { Switch } from '../../extension/switch.js';
import { Trace } from '../../extension/trace.js';
import { area, settled } from './support/fakes.js';

const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false };

async function setUp({ local = area(), session = area(), now = () => Date.now(), connected = true } = {}) {
  const world = { local, session, sent: [], runs: [], resumed: [], connected, gates: [] };
  const dedupeLog = new DedupeLog(local, session, now);
  await dedupeLog.load();
  const run = async ({ action, id, document, order, tabId, effects }) => {
    world.runs.push(`${action} ${id}`);
    world.meant = document;
    Object.assign(world, { order, tabId });
    if (world.held) await new Promise((resolve) => world.gates.push(resolve));
    if (world.heldAt === action) await new Promise((resolve) => world.gates.push(resolve));
    if (world.fails) throw world.fails;
    if (world.failsAt === action) throw new ActionError('ELEMENT_NOT_FOUND', 'nothing is there');
    const data = world.opens ? { tabId: world.opens } : { text: (action === 'text' && world.text) || 'x' };
    if (world.focus && effects) effects.seen = { focus: world.focus };
    return { data, page: world.page ?? page };
  };
  world.power = new Switch(local, (name) => world.resumed.push(name) > 0);
  await world.power.load();
  world.dispatcher = new Dispatcher({
    actions: () => run,
    driver: {
      runInFrames: async () => [],
      runInMainWorld: async () => undefined,
      tab: async () => ({ active: true }),
      told: () => {},
    },
    dedupeLog,
    trace: new Trace(session, now),
    navigations: { use() {}, hold: (tabId, name) => (world.again = [tabId, name]), watchers: new Set() },
    documents: new Documents(session),
    adoption: { begin() {}, end: async () => {} },
    downloads: { begin() {}, end: async () => {} },
    power: world.power,
    onPause() {},
    send: (text) => {
      if (world.connected) world.sent.push(JSON.parse(text));
      return world.connected;
    },
    now,
  });
  return world;
}

/** Waits for a condition that is on its way. */
async function until(holds) {
  while (!holds()) await settled();
}

/** Waits until so many commands have begun. */
const begun = (world, count = 1) => until(() => world.runs.length >= count);

const command = (action, id, changes = {}) => ({
  protocol_version: 1,
  id,
  action,
  params: action === 'click' ? { target: { selector: '#a' } } : {},
  session: 'abc234',
  deadline: Date.now() + 2_000,
  destructive: false,
  target: { tabId: 7 },
  ...changes,
});

test('a command runs and is answered once', async () => {
  const { dispatcher, sent, runs } = await setUp();
  await dispatcher.receive(command('text', 'a1'));
  assert.deepEqual(runs, ['text a1']);
  assert.deepEqual(sent, [{ protocol_version: 1, id: 'a1', ok: true, data: { text: 'x' }, page, replay: false }]);
});

test('an id that already ran is answered from the store, as a replay', async () => {
  const { dispatcher, sent, runs } = await setUp();
  await dispatcher.receive(command('click', 'a1'));
  await dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(runs, ['click a1']);
  assert.deepEqual(
    sent.map((answer) => answer.replay),
    [false, true],
  );
  assert.deepEqual(Object.keys(sent[1]), Object.keys(sent[0]));
});

/** Asks what came of a command. */
const recall = (action, id, { target = { tabId: 7 }, ...changes } = {}) =>
  command(action, id, { target: { ...target, recall: true }, ...changes });

test('asking again is answered from the store and starts nothing', async () => {
  const { dispatcher, sent, runs } = await setUp();
  for (const action of ['click', 'text']) {
    await dispatcher.receive(command(action, 'a1'));
    await dispatcher.receive(recall(action, 'a1'));
    assert.deepEqual(
      sent.splice(0).map(({ ok, replay }) => [ok, replay]),
      [
        [true, false],
        [true, true],
      ],
    );
  }
  assert.deepEqual(runs, ['click a1', 'text a1']);
});

test('asking again about what was never begun starts nothing and says so, however often', async () => {
  const { dispatcher, sent, runs } = await setUp();
  await dispatcher.receive(recall('click', 'a1'));
  await dispatcher.receive(recall('tab.open', 'a2', { target: {}, params: { url: 'http://a/' } }));
  await dispatcher.receive(recall('click', 'a1'));
  assert.deepEqual(runs, []);
  for (const { error, replay } of sent) {
    assert.deepEqual([error.code, error.details, replay], ['OUTCOME_UNKNOWN', { started: false }, false]);
  }
  await dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(runs, ['click a1']);
});

test('asking again about an act that was begun and not answered says so', async () => {
  const first = await setUp();
  first.held = true;
  void first.dispatcher.receive(command('click', 'a1'));
  await begun(first);
  const second = await setUp({ local: first.local, session: first.session });
  await second.dispatcher.receive(recall('click', 'a1'));
  assert.deepEqual(second.sent[0].error.details, { started: true });
  // Another command was begun under this id: what came of that is not told, but begun it was.
  await first.dispatcher.receive(command('text', 'a2'));
  await first.dispatcher.receive(recall('click', 'a2'));
  assert.deepEqual(first.sent.at(-1).error.details, { started: true });
});

test('asking again about a command that still runs gets its answer', async () => {
  const world = await setUp();
  world.held = true;
  const first = world.dispatcher.receive(command('click', 'a1'));
  await begun(world);
  await world.dispatcher.receive(recall('click', 'a1'));
  for (const open of world.gates) open();
  await first;
  assert.deepEqual(world.runs, ['click a1']);
  assert.deepEqual(
    world.sent.map(({ id, ok }) => [id, ok]),
    [['a1', true]],
  );
});

test('asking again is answered while the switch is off', async () => {
  const { dispatcher, sent, power } = await setUp();
  await dispatcher.receive(command('click', 'a1'));
  await power.turn(false);
  await dispatcher.receive(recall('click', 'a1'));
  assert.equal(sent[1].replay, true);
});

test('a session that is told once more of the tab that it opened holds it', async () => {
  const world = await setUp();
  world.opens = 9;
  const open = { target: null, params: { url: 'http://a/' } };
  await world.dispatcher.receive(command('tab.open', 'a1', open));
  assert.equal(world.again, undefined);
  await world.dispatcher.receive(recall('tab.open', 'a1', { ...open, target: {} }));
  assert.deepEqual(world.again, [9, 'abc234']);
});

test('a recall that is no plain yes is no command', async () => {
  const { dispatcher, sent, runs } = await setUp();
  for (const recall of [false, 1, 'yes', null]) {
    await dispatcher.receive(command('click', 'a1', { target: { tabId: 7, recall } }));
    assert.equal(sent.pop().error.code, 'SCRIPT_ERROR');
  }
  assert.deepEqual(runs, []);
});

const text = { action: 'text' };
// biome-ignore lint/suspicious/noThenProperty: the wire calls it so, and it is no function
const then = { target: { selector: '#a' }, then: text };

test('a command brings a read along, under its own id and answered once', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('click', 'a1', { params: then }));
  assert.deepEqual(world.runs, ['click a1', 'text undefined']);
  assert.deepEqual(world.sent[0].data.then, { text: 'x' });
  await world.dispatcher.receive(command('click', 'a1', { params: then }));
  assert.deepEqual([world.sent[1].replay, world.sent[1].data, world.sent.length], [true, world.sent[0].data, 2]);
  assert.equal(world.runs.length, 2);
});

test('a tab that is opened is read with the numbers of its command', async () => {
  const world = await setUp();
  world.opens = 9;
  const { target: _, ...read } = then;
  const params = { url: 'http://a/', ...read };
  await world.dispatcher.receive(command('tab.open', 'a1', { params, target: { el: 5, ln: 6 } }));
  assert.deepEqual([world.order.el, world.order.ln, world.tabId], [5, 6, 9]);
  assert.ok(world.sent[0].ok);
});

test('what an act gave the focus keeps its number', async () => {
  const world = await setUp();
  world.focus = { role: 'button', name: 'A', n: 5 };
  await world.dispatcher.receive(command('click', 'a1', { params: then, target: { tabId: 7, el: 5, ln: 1 } }));
  assert.deepEqual([world.order.el, world.order.room], [6, 999]);
});

test('a read that fails leaves the act done', async () => {
  const world = await setUp();
  world.failsAt = 'text';
  await world.dispatcher.receive(command('click', 'a1', { params: then }));
  const { ok, data } = world.sent[0];
  assert.deepEqual([ok, data.thenError.code, 'then' in data], [true, 'ELEMENT_NOT_FOUND', false]);
});

test('a read is ended before the deadline of its command', async () => {
  const world = await setUp();
  world.heldAt = 'text';
  await world.dispatcher.receive(command('click', 'a1', { params: then, deadline: Date.now() + 600 }));
  assert.deepEqual([world.sent[0].ok, world.sent[0].data.thenError.code], [true, 'TIMEOUT']);
});

test('a read that tells too much leaves the act done', async () => {
  const world = await setUp();
  world.text = 'x'.repeat(17 * 2 ** 20);
  await world.dispatcher.receive(command('click', 'a1', { params: then }));
  assert.deepEqual([world.sent[0].ok, world.sent[0].data.thenError.code], [true, 'TOO_LARGE']);
});

test('a worker that dies in the midst of a read has noted what its act did', async () => {
  const [local, session] = [area(), area()];
  const first = await setUp({ local, session });
  first.heldAt = 'text';
  void first.dispatcher.receive(command('click', 'a1', { params: then }));
  await begun(first, 2);
  const second = await setUp({ local, session });
  await second.dispatcher.receive(command('click', 'a1', { params: then }));
  const { ok, replay, data } = second.sent[0];
  assert.deepEqual([ok, replay, data.text, data.thenError.code], [true, true, 'x', 'OUTCOME_UNKNOWN']);
  assert.deepEqual(second.runs, []);
});

test('the person’s switch ends a read, not what was done before it', async () => {
  const world = await setUp();
  world.heldAt = 'text';
  const running = world.dispatcher.receive(command('click', 'a1', { params: then }));
  await begun(world, 2);
  world.dispatcher.stop();
  await running;
  assert.deepEqual([world.sent[0].ok, world.sent[0].data.thenError.code], [true, 'HUMAN_REQUIRED']);
});

test('a failure is remembered like a success', async () => {
  const world = await setUp();
  world.fails = new ActionError('ELEMENT_NOT_FOUND', 'nothing there');
  await world.dispatcher.receive(command('click', 'a1'));
  await world.dispatcher.receive(command('click', 'a1'));
  assert.equal(world.runs.length, 1);
  assert.deepEqual(
    world.sent.map(({ error, replay }) => [error.code, replay]),
    [
      ['ELEMENT_NOT_FOUND', false],
      ['ELEMENT_NOT_FOUND', true],
    ],
  );
});

test('an id that still runs is not started again and is answered once', async () => {
  const world = await setUp();
  world.held = true;
  const first = world.dispatcher.receive(command('click', 'a1'));
  await begun(world);
  await world.dispatcher.receive(command('click', 'a1'));
  for (const open of world.gates) open();
  await first;
  assert.equal(world.runs.length, 1);
  assert.equal(world.sent.length, 1);
});

test('an answer without a connection waits in the store', async () => {
  const world = await setUp({ connected: false });
  await world.dispatcher.receive(command('click', 'a1'));
  world.connected = true;
  await world.dispatcher.receive(command('click', 'a1'));
  assert.equal(world.runs.length, 1);
  assert.deepEqual(
    world.sent.map(({ ok, replay }) => [ok, replay]),
    [[true, true]],
  );
});

test('an act that ran when the worker died is not run again: its outcome is unknown', async () => {
  const first = await setUp();
  first.held = true;
  void first.dispatcher.receive(command('click', 'a1'));
  await begun(first);
  const second = await setUp({ local: first.local, session: first.session });
  await second.dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(second.runs, []);
  assert.equal(second.sent[0].error.code, 'SCRIPT_ERROR');
  assert.match(second.sent[0].error.message, /outcome is unknown/);
});

test('an act that ran when the extension itself was replaced is not run again either', async () => {
  const first = await setUp();
  await first.dispatcher.receive(command('click', 'a1'));
  const second = await setUp({ local: first.local, session: area() });
  await second.dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(second.runs, []);
  assert.match(second.sent[0].error.message, /outcome is unknown/);
});

test('a read that was lost with the worker is read again', async () => {
  const first = await setUp();
  first.held = true;
  void first.dispatcher.receive(command('text', 'a1'));
  await begun(first);
  const second = await setUp({ local: first.local, session: first.session });
  await second.dispatcher.receive(command('text', 'a1'));
  assert.deepEqual(
    second.sent.map(({ ok, replay }) => [ok, replay]),
    [[true, false]],
  );
});

test('a worker that is being ended answers nothing: the next one does', async () => {
  const local = area();
  const session = area();
  const ending = await setUp({ local, session });
  ending.fails = new ActionError('SCRIPT_ERROR', 'No SW');
  await ending.dispatcher.receive(command('click', 'a1'));
  await ending.dispatcher.receive(command('text', 'a2'));
  assert.deepEqual(ending.sent, []);
  const { dispatcher, sent, runs } = await setUp({ local, session });
  await dispatcher.receive(command('click', 'a1'));
  await dispatcher.receive(command('text', 'a2'));
  assert.deepEqual(runs, ['text a2']);
  assert.match(sent[0].error.message, /outcome is unknown/);
  assert.equal(sent[1].ok, true);
});

test('an answer outlives the worker', async () => {
  const first = await setUp();
  await first.dispatcher.receive(command('click', 'a1'));
  await first.dispatcher.receive(command('text', 'a2'));
  const second = await setUp({ local: first.local, session: first.session });
  await second.dispatcher.receive(command('click', 'a1'));
  await second.dispatcher.receive(command('text', 'a2'));
  assert.deepEqual(second.runs, []);
  assert.deepEqual(
    second.sent.map(({ ok, replay }) => [ok, replay]),
    [
      [true, true],
      [true, true],
    ],
  );
});

test('an act is recorded before it starts', async () => {
  const world = await setUp();
  let written = false;
  world.local.set = async (items) => {
    assert.deepEqual(world.runs, []);
    written = Object.keys(items).includes('started:abc234/a1');
  };
  await world.dispatcher.receive(command('click', 'a1'));
  assert.ok(written);
});

test('records contain no parameter and, on disk, no answer', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('click', 'a1', { params: { target: { selector: '#secret-selector' } } }));
  assert.doesNotMatch(JSON.stringify(world.local.items), /secret-selector|"text"/);
});

test('an id used again for another command runs', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('click', 'a1'));
  await world.dispatcher.receive(command('text', 'a1'));
  await world.dispatcher.receive(command('click', 'a1', { target: { tabId: 8 } }));
  await world.dispatcher.receive(command('click', 'a1', { params: { target: { selector: '#b' } } }));
  await world.dispatcher.receive(command('click', 'a1', { session: 'xyz567' }));
  assert.deepEqual(world.runs, ['click a1', 'text a1', 'click a1', 'click a1', 'click a1']);
});

test('two sessions may use the same id at once, and neither runs again', async () => {
  const world = await setUp();
  world.held = true;
  const both = ['abc234', 'xyz567'].map((session) => world.dispatcher.receive(command('click', 'a1', { session })));
  await begun(world, 2);
  for (const open of world.gates) open();
  await Promise.all(both);
  for (const session of ['abc234', 'xyz567']) await world.dispatcher.receive(command('click', 'a1', { session }));
  assert.equal(world.runs.length, 2);
  assert.deepEqual(
    world.sent.map(({ replay }) => replay),
    [false, false, true, true],
  );
});

test('an act from before the browser’s restart is not run again: its parameters are unknown then', async () => {
  const first = await setUp();
  await first.dispatcher.receive(command('click', 'a1', { params: { target: { selector: '#secret-selector' } } }));
  const second = await setUp({ local: first.local, session: area() });
  await second.dispatcher.receive(command('click', 'a1', { params: { target: { selector: '#b' } } }));
  assert.deepEqual(second.runs, []);
  assert.doesNotMatch(JSON.stringify(first.local.items), /[0-9a-f]{64}/, 'no digest is on disk');
});

test('an act is for the document that the daemon names, else for the last that the session was told of', async () => {
  const world = await setUp();
  const act = async (changes) => {
    await world.dispatcher.receive(command('click', `a${world.runs.length}`, changes));
    return world.meant;
  };
  assert.equal(await act(), undefined);
  world.page = { ...page, document: 'first' };
  await act();
  assert.equal(world.sent.at(-1).page.document, 'first');
  world.page = page;
  assert.equal(await act(), 'first', 'a page without a mark changes nothing');
  assert.equal(await act({ target: { tabId: 7, document: 'named' } }), 'named');
  assert.equal(await act({ target: { tabId: 8 } }), undefined, 'another tab');
  assert.equal(await act({ session: 'xyz567' }), undefined, 'another session');
  const next = await setUp({ local: world.local, session: world.session });
  await next.dispatcher.documents.load();
  await next.dispatcher.receive(command('click', 'b1'));
  assert.equal(next.meant, 'first', 'the next worker knows it');
  next.fails = new ActionError('PAGE_CHANGED', 'another', { details: { page: { document: 'second' } } });
  await next.dispatcher.receive(command('click', 'b2'));
  next.fails = undefined;
  await next.dispatcher.receive(command('click', 'b3'));
  assert.equal(next.meant, 'second', 'a refusal tells of the page too');
});

test('records are dropped when no replay is possible any more', async () => {
  let time = Date.now();
  const world = await setUp({ now: () => time });
  await world.dispatcher.receive(command('click', 'a1'));
  time += 16 * 60_000;
  await world.dispatcher.receive(command('click', 'a2', { deadline: time + 60_000 }));
  assert.deepEqual(Object.keys(world.local.items), ['started:abc234/a2']);
  assert.deepEqual(
    Object.keys(world.session.items).filter((key) => key.startsWith('answer:')),
    ['answer:abc234/a2'],
  );
});

test('a command past its deadline does not run', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('click', 'a1', { deadline: Date.now() - 1 }));
  assert.deepEqual(world.runs, []);
  assert.equal(world.sent[0].error.code, 'TIMEOUT');
});

test('a command that hangs ends at its deadline, and others run meanwhile', async () => {
  const world = await setUp();
  world.held = true;
  const hanging = world.dispatcher.receive(command('click', 'a1', { deadline: Date.now() + 50 }));
  await begun(world);
  world.held = false;
  await world.dispatcher.receive(command('text', 'a2', { target: { tabId: 8 } }));
  assert.deepEqual(
    world.sent.map(({ id }) => id),
    ['a2'],
  );
  await hanging;
  assert.equal(world.sent[1].error.code, 'TIMEOUT');
});

test('while the switch is off every command is refused and none is begun', async () => {
  const world = await setUp();
  await world.power.turn(false);
  await world.dispatcher.receive(command('click', 'a1'));
  await world.dispatcher.receive(command('tab.open', 'a2', { target: null, params: { url: 'http://a/' } }));
  assert.deepEqual(world.runs, []);
  for (const { ok, error } of world.sent) {
    assert.equal(ok, false);
    assert.deepEqual([error.code, error.message], ['HUMAN_REQUIRED', 'paused by the person']);
    assert.equal(error.suggestedAction, 'bproxy session wait -s abc234');
  }
  assert.equal(world.sent.length, 2);
  // Nothing was begun, so that the same command may come again.
  await world.power.turn(true);
  assert.deepEqual(world.resumed, ['abc234']);
  await world.dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(world.runs, ['click a1']);
});

test('turning the switch off ends what runs', async () => {
  const world = await setUp();
  world.held = true;
  const running = world.dispatcher.receive(command('click', 'a1'));
  await until(() => world.runs.length > 0);
  void world.power.turn(false);
  world.dispatcher.stop();
  await running;
  assert.equal(world.sent[0].error.message, 'paused by the person');
  // It may have been done in part: it is not done again.
  await world.power.turn(true);
  await world.dispatcher.receive(command('click', 'a1'));
  assert.deepEqual(world.runs, ['click a1']);
  assert.deepEqual([world.sent[1].replay, world.sent[1].error.code], [true, 'HUMAN_REQUIRED']);
  assert.deepEqual(world.resumed, ['abc234', 'abc234']);
});

test('a session that asks for a person in the words of the switch stays paused', async () => {
  const world = await setUp();
  world.fails = new ActionError('HUMAN_REQUIRED', 'paused by the person');
  await world.dispatcher.receive(command('require-human', 'a1', { params: { reason: 'paused by the person' } }));
  assert.equal(world.sent[0].error.code, 'HUMAN_REQUIRED');
  assert.deepEqual(world.resumed, []);
});

test('after its end a command does nothing more in its page', async () => {
  const calls = [];
  const world = await setUp();
  world.dispatcher.driver = { ...world.dispatcher.driver, run: async (_tab, name) => void calls.push(name) };
  let open;
  const gate = new Promise((resolve) => {
    open = resolve;
  });
  let failed;
  world.dispatcher.actions =
    () =>
    async ({ driver }) => {
      await driver.run(7, 'first');
      await gate;
      await driver.run(7, 'second').catch((error) => {
        failed = error;
      });
      return { data: {}, page };
    };
  const running = world.dispatcher.receive(command('click', 'a1'));
  await until(() => calls.length > 0);
  world.dispatcher.stop();
  open();
  await running;
  await settled();
  assert.equal(failed.message, 'paused by the person');
  assert.deepEqual(calls, ['first']);
});

test('a command for a tab that its session does not hold is refused', async () => {
  const world = await setUp();
  world.dispatcher.navigations = new Navigations(area(), () => {});
  world.dispatcher.navigations.open(8, 'xyz567');
  for (const tabId of [7, 8]) await world.dispatcher.receive(command('text', `a${tabId}`, { target: { tabId } }));
  assert.deepEqual(world.runs, []);
  assert.deepEqual(
    world.sent.map(({ error }) => error.code),
    ['TAB_NOT_FOUND', 'TAB_NOT_FOUND'],
  );
});

test('an answer of 16 MiB is sent, and a larger one fails', async () => {
  const limit = 16 * 2 ** 20;
  const world = await setUp();
  const envelope = () => JSON.stringify(world.sent.at(-1)).length;
  const answers = (text) => {
    world.dispatcher.actions = () => async () => ({ data: { text }, page });
  };
  answers('');
  await world.dispatcher.receive(command('text', 'a0'));
  const room = limit - envelope();
  answers('x'.repeat(room));
  await world.dispatcher.receive(command('text', 'a1'));
  assert.equal(envelope(), limit);
  // Counted as it is sent: a letter may be several bytes.
  for (const [id, text] of Object.entries({ a2: 'x'.repeat(room + 1), a3: 'é'.repeat(room / 2 + 1) })) {
    answers(text);
    await world.dispatcher.receive(command('text', id));
    assert.equal(world.sent.at(-1).error.code, 'TOO_LARGE');
    await world.dispatcher.receive(command('text', id));
    assert.deepEqual([world.sent.at(-1).replay, world.sent.at(-1).error.code], [true, 'TOO_LARGE']);
  }
});

test('a command that nobody waits for any more is told so, and ends by itself', async () => {
  const world = await setUp();
  let begun = false;
  world.dispatcher.actions =
    () =>
    ({ hurry }) => {
      begun = true;
      return new Promise((resolve) =>
        hurry.addEventListener('abort', () => resolve({ data: { text: 'so far' }, page })),
      );
    };
  const waiting = world.dispatcher.receive(command('text', 'a1'));
  await until(() => begun);
  world.dispatcher.cancel('other');
  world.dispatcher.cancel('a1');
  await waiting;
  await world.dispatcher.receive(command('text', 'a1'));
  assert.deepEqual(
    world.sent.map(({ data, replay }) => [data.text, replay]),
    [
      ['so far', false],
      ['so far', true],
    ],
  );
});

test('an ill-formed command is refused by naming the field, and does not run', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('text', 'a1', { params: { selector: 5 } }));
  assert.deepEqual(world.runs, []);
  assert.match(world.sent[0].error.message, /params\.selector/);
});

test('a message without an id is only traced', async () => {
  const world = await setUp();
  await world.dispatcher.receive({ type: 'news' });
  assert.deepEqual(world.sent, []);
  assert.deepEqual(
    world.dispatcher.trace.read(undefined, 10).map((entry) => entry.event),
    ['bad_message'],
  );
});

test('the trace tells what happened to an id, without parameters', async () => {
  const world = await setUp();
  await world.dispatcher.receive(command('click', 'a1'));
  const entries = world.dispatcher.trace.read('a1', 10);
  assert.deepEqual(
    entries.map((entry) => [entry.event, entry.action, entry.tab]),
    [
      ['received', 'click', 7],
      ['answered', 'click', 7],
    ],
  );
  assert.doesNotMatch(JSON.stringify(entries), /selector/);
});
