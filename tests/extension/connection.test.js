import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  backoff,
  Connection,
  MAX_EARLY,
  OPEN_MS,
  PING_MS,
  PONG_MS,
  WELCOME_MS,
} from '../../extension/connection.js';
import { Clock, Socket, settled } from './support/fakes.js';

const WELCOME = { type: 'welcome', proof: 'right' };

/** A connection that has begun; its listener proves to be the daemon unless `handshake` says otherwise. */
async function setUp({ reachable = false, negotiateAgain = 'incompatible', handshake } = {}) {
  const clock = new Clock();
  const world = { clock, sockets: [], statuses: [], messages: [], closed: [], opened: 0, asked: [], reachable };
  const proven = { nonce: 'n', isWelcome: async (proof) => proof === 'right' };
  world.handshake = handshake ?? proven;
  world.connection = new Connection({
    shakeHands: async (endpoint) => {
      world.asked.push(endpoint);
      return world.handshake;
    },
    open: (to) => {
      const socket = Object.assign(new Socket(), { to });
      world.sockets.push(socket);
      return socket;
    },
    hello: (nonce) => JSON.stringify({ type: 'hello', nonce }),
    reachable: async () => world.reachable,
    negotiateAgain: async () => negotiateAgain,
    clock,
    random: () => 0,
    onOpen: () => {
      world.opened += 1;
    },
    onMessage: (text) => world.messages.push(text),
    onStatus: ({ state, reason }) => world.statuses.push(reason ? `${state} ${reason}` : state),
    onClosed: (reason) => world.closed.push(reason),
  });
  world.last = () => world.sockets.at(-1);
  world.opens = async () => {
    world.last().opens();
    world.last().says(WELCOME);
    await settled();
  };
  world.pass = async (ms) => {
    clock.advance(ms);
    await settled();
  };
  world.connection.start({ port: 9615, token: 'token' });
  await settled();
  return world;
}

for (const reason of ['stranger', 'unreachable', 'locked', 'shutdown']) {
  test(`a listener that is ${reason} by its answer to the challenge is not connected to`, async () => {
    const { sockets, connection, closed } = await setUp({ handshake: reason });
    assert.deepEqual([sockets.length, connection.status.reason, closed], [0, reason, [reason]]);
    assert.equal(connection.send('{}'), false);
  });
}

test('a stranger is asked again by a nudge alone', async () => {
  const { asked, pass, connection } = await setUp({ handshake: 'stranger' });
  await pass(10 * BACKOFF_LAST_MS);
  assert.deepEqual([asked.length, connection.status.retryAt], [1, null]);
  connection.nudge();
  connection.nudge();
  await settled();
  assert.equal(asked.length, 2);
});

test('nothing but hello is sent, and nothing has an effect, before the right welcome', async () => {
  const { last, connection, messages, opened, statuses } = await setUp();
  last().opens();
  last().says({ id: 'early' });
  await settled();
  assert.equal(connection.send('{"told":1}'), false);
  assert.deepEqual([last().sent, messages, opened], [[{ type: 'hello', nonce: 'n' }], [], 0]);
  assert.ok(!statuses.includes('connected'));
  // A command that the daemon sent before it knew who had connected is not lost.
  last().says(WELCOME);
  last().says({ id: 'later' });
  await settled();
  assert.deepEqual(
    messages.map((text) => JSON.parse(text).id),
    ['early', 'later'],
  );
  assert.equal(connection.status.state, 'connected');
});

for (const proof of ['wrong', 7, null, undefined]) {
  test(`a welcome with the proof ${proof} ends the connection as a stranger's`, async () => {
    const { last, connection, messages, sockets } = await setUp();
    last().opens();
    last().says({ id: 'early' });
    last().says({ type: 'welcome', proof });
    last().says(WELCOME);
    await settled();
    assert.deepEqual([sockets[0].closed, connection.status.reason, messages], [true, 'stranger', []]);
    assert.equal(connection.status.retryAt, null);
  });
}

test("without a welcome within two seconds the connection ends as a stranger's, and is tried again", async () => {
  const { last, connection, pass, sockets, asked } = await setUp();
  last().opens();
  last().says({ type: 'pong' });
  await pass(WELCOME_MS);
  assert.deepEqual([sockets[0].closed, connection.status.reason, asked.length], [true, 'stranger', 1]);
  await pass(BACKOFF_FIRST_MS * 2);
  assert.equal(asked.length, 2);
});

test('messages that pile up before the welcome end the connection', async () => {
  const { last, connection } = await setUp();
  last().opens();
  for (let i = 0; i <= MAX_EARLY; i += 1) last().says({ id: i });
  await settled();
  assert.equal(connection.status.reason, 'stranger');
});

for (const code of [1001, 4000, 4001, 4002]) {
  test(`close code ${code} means nothing before the welcome`, async () => {
    const { last, connection, closed, pass, asked } = await setUp({ negotiateAgain: null });
    last().opens();
    last().closes(code);
    await settled();
    assert.deepEqual([connection.status.state, connection.status.reason, closed], ['waiting', 'lost', ['lost']]);
    await pass(BACKOFF_LAST_MS);
    assert.equal(asked.length, 2);
  });
}

test('a close right after the welcome is judged after it', async () => {
  const { last, closed } = await setUp();
  last().opens();
  last().says(WELCOME);
  last().closes(4001);
  await settled();
  assert.deepEqual(closed, ['token_void']);
});

test('hello is the first message', async () => {
  const { connection, last, opens } = await setUp();
  assert.equal(connection.send('{"early":1}'), false);
  await opens();
  connection.send('{"later":1}');
  assert.deepEqual(last().sent, [{ type: 'hello', nonce: 'n' }, { later: 1 }]);
});

test('a ping goes out every 20 seconds and a pong keeps the connection', async () => {
  const { clock, last, connection, sockets, opens, pass } = await setUp();
  await opens();
  for (let i = 1; i <= 5; i += 1) {
    await pass(PING_MS);
    assert.deepEqual(last().sent.at(-1), { type: 'ping', ts: clock.time });
    last().says({ type: 'pong', ts: clock.time });
  }
  await pass(PONG_MS);
  assert.equal(connection.status.state, 'connected');
  assert.equal(sockets.length, 1);
});

test('a missing pong makes the connection stale and a new one is opened', async () => {
  const { connection, sockets, opens, pass } = await setUp();
  await opens();
  await pass(PING_MS + PONG_MS);
  assert.equal(sockets[0].closed, true);
  assert.equal(connection.status.reason, 'stale');
  await pass(BACKOFF_FIRST_MS * 2);
  assert.equal(sockets.length, 2);
});

const A_DAY = 24 * 60 * 60_000;

test('after a day asleep a dead connection is abandoned within seconds, and a new one opened', async () => {
  const { clock, sockets, connection, opens, pass } = await setUp();
  await opens();
  clock.sleep(A_DAY);
  await settled();
  await pass(PONG_MS + 2 * BACKOFF_FIRST_MS);
  assert.equal(sockets.length, 2);
  await opens();
  assert.equal(connection.status.state, 'connected');
});

test('after a day asleep a connection whose other end slept too continues', async () => {
  const { clock, last, sockets, connection, opens, pass } = await setUp();
  await opens();
  clock.sleep(A_DAY);
  await settled();
  last().says({ type: 'pong' });
  await pass(PONG_MS);
  assert.deepEqual([connection.status.state, sockets.length], ['connected', 1]);
});

test('a retry that was due during a day asleep happens at once', async () => {
  const { clock, last, sockets } = await setUp();
  last().closes();
  await settled();
  clock.sleep(A_DAY);
  await settled();
  assert.equal(sockets.length, 2);
});

test('messages of an abandoned socket are ignored', async () => {
  const { connection, sockets, messages, closed, opens, pass } = await setUp();
  await opens();
  await pass(PING_MS + PONG_MS + 2 * BACKOFF_FIRST_MS);
  await opens();
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

test('an upgrade that hangs is abandoned', async () => {
  const { connection, sockets, pass } = await setUp();
  await pass(OPEN_MS);
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
  const { clock, sockets, connection, last, opens, pass } = await setUp();
  const waits = [];
  for (let i = 0; i < 4; i += 1) {
    last().closes();
    await settled();
    waits.push(connection.status.retryAt - clock.time);
    await pass(waits.at(-1));
  }
  assert.deepEqual(waits, [2000, 4000, 8000, 16000]);
  await opens();
  last().says({ type: 'pong' });
  last().closes();
  await settled();
  assert.equal(connection.status.retryAt - clock.time, 2000);
  assert.equal(sockets.length, 5);
});

test('a close before the upgrade tells a refusal from an absent daemon', async () => {
  const absent = await setUp();
  absent.last().closes();
  await settled();
  assert.equal(absent.connection.status.reason, 'unreachable');
  const refused = await setUp({ reachable: true });
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
    const { last, connection, sockets, closed, opens, pass } = await setUp();
    await opens();
    last().closes(code);
    await settled();
    assert.equal(connection.status.reason, reason);
    assert.deepEqual(closed, [reason]);
    await pass(BACKOFF_LAST_MS);
    assert.ok(sockets.length > 1);
  });
}

for (const reason of ['extension_old', 'daemon_old']) {
  test(`${reason} is shown and tried again by a nudge alone`, async () => {
    const { last, connection, sockets, closed, opens, pass } = await setUp({ negotiateAgain: reason });
    await opens();
    last().closes(4002);
    await settled();
    assert.deepEqual(
      [connection.status.state, connection.status.reason, connection.status.retryAt],
      ['waiting', reason, null],
    );
    assert.deepEqual(closed, [reason]);
    await pass(10 * BACKOFF_LAST_MS);
    assert.equal(sockets.length, 1);
    connection.nudge();
    await settled();
    assert.equal(sockets.length, 2);
  });
}

test('after negotiating another version, hello is sent again at once', async () => {
  const { last, connection, sockets, closed, opens } = await setUp({ negotiateAgain: null });
  await opens();
  last().closes(4002);
  await settled();
  assert.deepEqual([sockets.length, closed], [2, []]);
  await opens();
  assert.equal(connection.status.state, 'connected');
});

test('close code 4001 ends the pairing: nothing is retried', async () => {
  const { last, connection, sockets, closed, opens, pass } = await setUp();
  await opens();
  last().closes(4001);
  await settled();
  await pass(10 * BACKOFF_LAST_MS);
  connection.nudge();
  await settled();
  assert.equal(sockets.length, 1);
  assert.deepEqual([connection.status.state, connection.status.reason], ['unpaired', 'token_void']);
  assert.deepEqual(closed, ['token_void']);
});

test('a nudge connects at once when it waits, and does nothing when it is connected', async () => {
  const { last, connection, sockets, opens } = await setUp();
  last().closes();
  await settled();
  connection.nudge();
  await settled();
  assert.equal(sockets.length, 2);
  await opens();
  connection.nudge();
  await settled();
  assert.equal(sockets.length, 2);
});

test('a new endpoint replaces the connection at once', async () => {
  const { connection, sockets, opens, asked } = await setUp();
  await opens();
  connection.start({ port: 9616, token: 'other' });
  await settled();
  assert.equal(sockets[0].closed, true);
  assert.equal(sockets.length, 2);
  assert.deepEqual(asked.at(-1), { port: 9616, token: 'other' });
});

test('stopping leaves no timer behind', async () => {
  const { clock, connection, opens } = await setUp();
  await opens();
  connection.stop('unpaired');
  assert.equal(clock.timers.size, 0);
});
