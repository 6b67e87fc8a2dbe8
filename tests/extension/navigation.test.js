import assert from 'node:assert/strict';
import test from 'node:test';
import { Navigations } from '../../extension/navigation.js';
import { area, settled } from './support/fakes.js';

const url = 'http://a/page?secret=1#x';

function setUp() {
  const told = [];
  const navigations = new Navigations(area(), (message) => told.push(message));
  navigations.open(7, 'abc234');
  return {
    navigations,
    told,
    happens: (kind, more = {}) =>
      navigations.handle({
        kind,
        tabId: 7,
        url,
        documentId: kind === 'started' || kind === 'failed' ? '' : 'd1',
        ...more,
      }),
  };
}
/** Whether a promise has come to its end by now, and how. */
async function stateOf(promise) {
  let state = 'pending';
  promise.then(
    () => (state = 'done'),
    (error) => (state = error.message),
  );
  await settled();
  return state;
}
const signal = () => AbortSignal.timeout(60_000);

test('a new page in a held tab is reported to the daemon', () => {
  const { told, happens } = setUp();
  happens('committed');
  happens('moved');
  assert.deepEqual(told, [
    { type: 'navigation', tabId: 7, url, cause: 'committed' },
    { type: 'navigation', tabId: 7, url, cause: 'history_state' },
  ]);
});

test('nothing is reported about the person’s own tabs', () => {
  const { told, happens } = setUp();
  happens('committed', { tabId: 8 });
  happens('moved', { tabId: 8 });
  assert.deepEqual(told, []);
});

test('an error page is a new page; an abort is not', () => {
  const { told, happens } = setUp();
  happens('failed', { error: 'net::ERR_ABORTED' });
  assert.equal(told.length, 0);
  happens('failed', { error: 'net::ERR_NAME_NOT_RESOLVED' });
  assert.equal(told.length, 1);
});

test('a navigation is over when its own document has loaded, not the one before', async () => {
  const { navigations, happens } = setUp();
  const loaded = navigations.next(7, signal());
  happens('loaded');
  assert.equal(await stateOf(loaded), 'pending');
  happens('started');
  happens('committed');
  assert.equal(await stateOf(loaded), 'pending');
  happens('loaded');
  assert.equal(await stateOf(loaded), 'done');
});

test('a new address within the document is enough, unless a document is on its way', async () => {
  const { navigations, happens } = setUp();
  const moved = navigations.next(7, signal());
  happens('moved');
  assert.equal(await stateOf(moved), 'done');
  const loaded = navigations.next(7, signal());
  happens('started');
  happens('moved');
  assert.equal(await stateOf(loaded), 'pending');
});

test('a navigation that fails tells the browser’s reason, and no query', async () => {
  const { navigations, happens } = setUp();
  const failed = navigations.next(7, signal());
  happens('started');
  happens('failed', { error: 'net::ERR_CONNECTION_REFUSED' });
  await assert.rejects(
    failed,
    (error) =>
      error.code === 'NAVIGATION_FAILED' &&
      /ERR_CONNECTION_REFUSED/.test(error.message) &&
      !/secret/.test(error.message),
  );
});

test('an abort that another navigation follows is no failure', async () => {
  const { navigations, happens } = setUp();
  const loaded = navigations.next(7, signal());
  happens('started');
  happens('failed', { error: 'net::ERR_ABORTED' });
  happens('started');
  happens('committed');
  happens('loaded');
  assert.equal(await stateOf(loaded), 'done');
});

test('the page before that stops loading is no failure of the next', async () => {
  const { navigations, happens } = setUp();
  happens('started');
  happens('committed', { documentId: 'd0' });
  const loaded = navigations.next(7, signal());
  happens('started');
  happens('failed', { error: 'net::ERR_ABORTED', documentId: 'd0' });
  happens('committed');
  happens('loaded', { documentId: 'd0' });
  assert.equal(await stateOf(loaded), 'pending');
  assert.ok(navigations.underWay.has(7));
  happens('loaded');
  assert.equal(await stateOf(loaded), 'done');
  assert.ok(!navigations.underWay.has(7));
});

test('a navigation can be joined after its document has come', async () => {
  const { navigations, happens } = setUp();
  happens('started');
  happens('committed');
  const loaded = navigations.next(7, signal(), { joining: true });
  happens('loaded');
  assert.equal(await stateOf(loaded), 'done');
});

test('once `enough` aborts, a document that still loads is accepted', async () => {
  const { navigations, happens } = setUp();
  const enough = new AbortController();
  const loaded = navigations.next(7, signal(), { enough: enough.signal });
  happens('started');
  enough.abort();
  assert.equal(await stateOf(loaded), 'pending');
  happens('committed');
  assert.equal(await stateOf(loaded), 'done');
});

test('an aborted wait leaves nothing behind', async () => {
  const { navigations } = setUp();
  const gone = new AbortController();
  const waiting = navigations.next(7, gone.signal);
  gone.abort(new Error('too late'));
  assert.equal(await stateOf(waiting), 'too late');
  assert.equal(navigations.watchers.size, 0);
});

test('the held tabs outlive the worker, and the last one used is known', async () => {
  const local = area();
  const first = new Navigations(local, () => {});
  first.open(1, 'abc234');
  first.open(2, 'abc234');
  first.open(3, 'xyz567');
  first.use(1, 'abc234');
  const second = new Navigations(local, () => {});
  await second.load();
  assert.deepEqual(second.tabsOf('abc234'), [2, 1]);
  assert.equal(second.tabOf('abc234'), 1);
  assert.equal(second.tabOf('xyz567'), 3);
  assert.equal(second.tabOf('nobody'), undefined);
});

test('a tab is used by the session that holds it, and by no other', () => {
  const { navigations } = setUp();
  navigations.use(7, 'abc234');
  for (const [tabId, session] of [
    [7, 'xyz567'],
    [8, 'abc234'],
  ]) {
    assert.throws(() => navigations.use(tabId, session), { code: 'TAB_NOT_FOUND' });
  }
  navigations.drop(7);
  assert.throws(() => navigations.use(7, 'abc234'), { code: 'TAB_NOT_FOUND' });
});

test('no tab is held any more after a start of the browser', async () => {
  const local = area();
  new Navigations(local, () => {}).open(1, 'abc234');
  const second = new Navigations(local, () => {});
  const loaded = second.load();
  second.restart();
  await loaded;
  assert.equal(second.held.size, 0);
  const third = new Navigations(local, () => {});
  await third.load();
  assert.equal(third.held.size, 0);
});

test('the next worker knows a tab whose opening was not answered', async () => {
  const local = area();
  const first = new Navigations(local, () => {});
  first.open(1, 'abc234');
  first.open(2, 'abc234');
  first.opened(1);
  const second = new Navigations(local, () => {});
  await second.load();
  assert.deepEqual([...second.opening], [2]);
  second.drop(2);
  assert.deepEqual([...second.opening], []);
});

test('tabs of sessions that the daemon no longer has are let go, once after each hello', async () => {
  const { navigations } = setUp();
  navigations.opened(7);
  navigations.open(8, 'abc235');
  navigations.open(9, 'abc236');
  navigations.opened(9);
  assert.deepEqual(navigations.list(), [
    { tabId: 7, session: 'abc234' },
    { tabId: 8, session: 'abc235' },
    { tabId: 9, session: 'abc236' },
  ]);
  navigations.open(10, 'abc237');
  navigations.opened(10);
  navigations.keep(new Set(['abc234']));
  // One is being opened, and one was opened since.
  assert.deepEqual([...navigations.held.keys()], [7, 8, 10]);
  navigations.keep(new Set());
  assert.deepEqual([...navigations.held.keys()], [7, 8, 10]);
  navigations.list();
  navigations.keep(new Set());
  assert.deepEqual([...navigations.held.keys()], [8]);
  navigations.hold(7, 'abc234');
  navigations.hold(8, 'abc234');
  assert.deepEqual(
    [...navigations.held],
    [
      [8, 'abc235'],
      [7, 'abc234'],
    ],
  );
});
