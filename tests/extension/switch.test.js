import assert from 'node:assert/strict';
import test from 'node:test';
import { Switch } from '../../extension/switch.js';
import { area } from './support/fakes.js';

async function setUp({ local = area(), connected = true } = {}) {
  const world = { local, connected, resumed: [] };
  world.power = new Switch(local, (session) => {
    if (world.connected) world.resumed.push(session);
    return world.connected;
  });
  await world.power.load();
  return world;
}

test('the switch is on until it is turned off, and its position outlives the worker', async () => {
  const first = await setUp();
  assert.equal(first.power.on, true);
  await first.power.turn(false);
  const second = await setUp({ local: first.local });
  assert.equal(second.power.on, false);
  await second.power.turn(true);
  assert.equal((await setUp({ local: first.local })).power.on, true);
});

test('turning it on resumes the sessions that it paused, each once', async () => {
  const { power, resumed } = await setUp();
  await power.turn(false);
  power.pauses('abc234');
  power.pauses('xyz567');
  power.pauses('abc234');
  assert.deepEqual(resumed, []);
  await power.turn(true);
  assert.deepEqual(resumed, ['xyz567', 'abc234']);
  await power.turn(true);
  assert.equal(resumed.length, 2);
});

test('sessions that it paused are resumed by a later worker, once there is a connection', async () => {
  const first = await setUp();
  await first.power.turn(false);
  first.power.pauses('abc234');
  const second = await setUp({ local: first.local, connected: false });
  await second.power.turn(true);
  assert.deepEqual(second.resumed, []);
  const third = await setUp({ local: first.local });
  third.power.connected();
  assert.deepEqual(third.resumed, ['abc234']);
});

test('while it is off a new connection resumes nothing', async () => {
  const { power, resumed } = await setUp();
  await power.turn(false);
  power.pauses('abc234');
  power.connected();
  assert.deepEqual(resumed, []);
});

test('an answer that is repeated when it is on again pauses no session for good', async () => {
  const { power, resumed } = await setUp();
  power.pauses('abc234');
  assert.deepEqual(resumed, ['abc234']);
});

test('no more sessions are remembered than a daemon has', async () => {
  const { power, resumed } = await setUp();
  await power.turn(false);
  for (let number = 0; number < 300; number += 1) power.pauses(`s${number}`);
  await power.turn(true);
  assert.deepEqual([resumed.length, resumed[0]], [256, 's44']);
});
