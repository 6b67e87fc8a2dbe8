import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  backoff,
  Connection,
  endpoint,
  OPEN_MS,
  PING_MS,
  PONG_MS,
} from '../../extension/connection.js';
import { Clock, Socket, settled } from './support/fakes.js';

function setUp({ reachable = false, negotiateAgain = 'incompatible' } = {}) {
  const clock = new Clock();
  const world = { clock, sockets: [], statuses: [], messages: [], closed: [], reachable };
  world.connection = new Connection({
    open: (to) => {
      const socket = Object.assign(new Socket(), { to });
      world.sockets.push(socket);
      return socket;
    },
    reachable: async () => world.reachable,
    negotiateAgain: async () => negotiateAgain,
    clock,
    random: () => 0,
    onOpen: () => world.connection.send('{"type":"hello"}'),
    onMessage: (text) => world.messages.push(text),
    onStatus: ({ state, reason }) => world.statuses.push(reason ? `${state} ${reason}` : state),
    onClosed: (reason) => world.closed.push(reason),
  });
  world.connection.start(endpoint(9615, 'token'));
  world.last = () => world.sockets.at(-1);
  return world;
}

test('the token travels as a subprotocol, encoded once more without padding', () => {
  assert.deepEqual(endpoint(9000, 'tök?>'.normalize()), {
    url: 'ws://127.0.0.1:9000/ws',
    protocols: ['bproxy.v1', 'auth.dPZrPz4'],
  });
});

test('hello is the first message', () => {
  const { connection, last } = setUp();
  assert.equal(connection.send('{"early":1}'), false);
  last().opens();
  connection.send('{"later":1}');
  assert.deepEqual(last().sent, [{ type: 'hello' }, { later: 1 }]);
});

test('a ping goes out every 20 seconds and a pong keeps the connection', () => {
  const { clock, last, connection, sockets } = setUp();
  last().opens();
  for (let i = 1; i <= 5; i += 1) {
    clock.advance(PING_MS);
    assert.deepEqual(last().sent.at(-1), { type: 'ping', ts: clock.time });
    last().says({ type: 'pong', ts: clock.time });
  }
  clock.advance(PONG_MS);
  assert.equal(connection.status.state, 'connected');
  assert.equal(sockets.length, 1);
});

test('a missing pong makes the connection stale and a new one is opened', () => {
  const { clock, last, connection, sockets } = setUp();
  last().opens();
  clock.advance(PING_MS + PONG_MS);
  assert.equal(sockets[0].closed, true);
  assert.equal(connection.status.reason, 'stale');
  clock.advance(BACKOFF_FIRST_MS * 2);
  assert.equal(sockets.length, 2);
});

const A_DAY = 24 * 60 * 60_000;

test('after a day asleep a dead connection is abandoned within seconds, and a new one opened', () => {
  const { clock, last, sockets, connection } = setUp();
  last().opens();
  clock.sleep(A_DAY);
  clock.advance(PONG_MS + 2 * BACKOFF_FIRST_MS);
  assert.equal(sockets.length, 2);
  last().opens();
  assert.equal(connection.status.state, 'connected');
});

test('after a day asleep a connection whose other end slept too continues', () => {
  const { clock, last, sockets, connection } = setUp();
  last().opens();
  clock.sleep(A_DAY);
  last().says({ type: 'pong' });
  clock.advance(PONG_MS);
  assert.deepEqual([connection.status.state, sockets.length], ['connected', 1]);
});

test('a retry that was due during a day asleep happens at once', async () => {
  const { clock, last, sockets } = setUp();
  last().closes();
  await settled();
  clock.sleep(A_DAY);
  assert.equal(sockets.length, 2);
});

test('messages of an abandoned socket are ignored', async () => {
  const { clock, connection, sockets, messages, closed } = setUp();
  sockets[0].opens();
  clock.advance(PING_MS + PONG_MS + 2 * BACKOFF_FIRST_MS);
  sockets.at(-1).opens();
  sockets[0].says({ id: 'late' });
  sockets[0].closes(4001);
  await settled();
  assert.equal(connection.status.state, 'connected');
  assert.deepEqual(messages, []);
  assert.deepEqual(
    closed.filter((reason) => reason === 'token_void'),
    [],
  );
});

test('an upgrade that hangs is abandoned', () => {
  const { clock, connection, sockets } = setUp();
  clock.advance(OPEN_MS);
  assert.equal(sockets[0].closed, true);
  assert.equal(connection.status.state, 'waiting');
});

test('delays double from one second to thirty, less up to half at random', () => {
  for (let failures = 0; failures < 20; failures += 1) {
    for (const chance of [0, 0.3, 0.999]) {
      const delay = backoff(failures, chance);
      assert.ok(delay >= BACKOFF_FIRST_MS && delay <= BACKOFF_LAST_MS, `${delay}`);
    }
    assert.ok(backoff(failures + 1, 0) >= backoff(failures, 0));
  }
  assert.ok(backoff(0, 0.999) < 1.1 * BACKOFF_FIRST_MS);
  assert.equal(backoff(9, 0), BACKOFF_LAST_MS);
});

test('delays grow with failures in a row, and a message from the daemon resets them', async () => {
  const { clock, sockets, connection, last } = setUp();
  const waits = [];
  for (let i = 0; i < 4; i += 1) {
    last().closes();
    await settled();
    waits.push(connection.status.retryAt - clock.time);
    clock.advance(waits.at(-1));
  }
  assert.deepEqual(waits, [2000, 4000, 8000, 16000]);
  last().opens();
  last().says({ type: 'pong' });
  last().closes();
  await settled();
  assert.equal(connection.status.retryAt - clock.time, 2000);
  assert.equal(sockets.length, 5);
});

test('a close before the upgrade tells a refusal from an absent daemon', async () => {
  const absent = setUp();
  absent.last().closes();
  await settled();
  assert.equal(absent.connection.status.reason, 'unreachable');
  const refused = setUp({ reachable: true });
  refused.last().closes();
  await settled();
  assert.equal(refused.connection.status.reason, 'refused');
});

for (const [code, reason] of [
  [1001, 'shutdown'],
  [4000, 'replaced'],
  [4002, 'incompatible'],
  [1006, 'lost'],
]) {
  test(`close code ${code} is shown as ${reason} and tried again`, async () => {
    const { clock, last, connection, sockets, closed } = setUp();
    last().opens();
    last().closes(code);
    await settled();
    assert.equal(connection.status.reason, reason);
    assert.deepEqual(closed, [reason]);
    clock.advance(BACKOFF_LAST_MS);
    assert.ok(sockets.length > 1);
  });
}

for (const reason of ['extension_old', 'daemon_old']) {
  test(`${reason} is shown and tried again by a nudge alone`, async () => {
    const { clock, last, connection, sockets, closed } = setUp({ negotiateAgain: reason });
    last().opens();
    last().closes(4002);
    await settled();
    assert.deepEqual(
      [connection.status.state, connection.status.reason, connection.status.retryAt],
      ['waiting', reason, null],
    );
    assert.deepEqual(closed, [reason]);
    clock.advance(10 * BACKOFF_LAST_MS);
    assert.equal(sockets.length, 1);
    connection.nudge();
    assert.equal(sockets.length, 2);
  });
}

test('after negotiating another version, hello is sent again at once', async () => {
  const { last, connection, sockets, closed } = setUp({ negotiateAgain: null });
  last().opens();
  last().closes(4002);
  await settled();
  assert.deepEqual([sockets.length, closed], [2, []]);
  last().opens();
  assert.equal(connection.status.state, 'connected');
});

test('close code 4001 ends the pairing: nothing is retried', async () => {
  const { clock, last, connection, sockets, closed } = setUp();
  last().opens();
  last().closes(4001);
  await settled();
  clock.advance(10 * BACKOFF_LAST_MS);
  connection.nudge();
  assert.equal(sockets.length, 1);
  assert.deepEqual([connection.status.state, connection.status.reason], ['unpaired', 'token_void']);
  assert.deepEqual(closed, ['token_void']);
});

test('a nudge connects at once when it waits, and does nothing when it is connected', async () => {
  const { last, connection, sockets } = setUp();
  last().closes();
  await settled();
  connection.nudge();
  assert.equal(sockets.length, 2);
  last().opens();
  connection.nudge();
  assert.equal(sockets.length, 2);
});

test('a new endpoint replaces the connection at once', () => {
  const { connection, sockets } = setUp();
  sockets[0].opens();
  connection.start(endpoint(9616, 'other'));
  assert.equal(sockets[0].closed, true);
  assert.equal(sockets[1].to.url, 'ws://127.0.0.1:9616/ws');
});

test('stopping leaves no timer behind', () => {
  const { clock, connection, last } = setUp();
  last().opens();
  connection.stop('unpaired');
  assert.equal(clock.timers.size, 0);
});
