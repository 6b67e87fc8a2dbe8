import assert from 'node:assert/strict';
import test from 'node:test';
import { VERSIONS } from '../../extension/contract.js';
import { checkCommand, failure, negotiate, PROTOCOL_VERSION, success } from '../../extension/protocol.js';

const command = (changes = {}) => ({
  protocol_version: 1,
  id: 'a1',
  action: 'text',
  params: {},
  session: 'abc234',
  deadline: 1_714_000_030_000,
  destructive: false,
  target: { tabId: 7 },
  ...changes,
});
const without = (key) => {
  const { [key]: _, ...rest } = command();
  return rest;
};
const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false };

test('a forwarded command as the daemon sends it is taken', () => assert.equal(checkCommand(command()), null));
test('only tab.open may come without a tab', () => {
  assert.equal(checkCommand(command({ action: 'tab.open', params: { url: 'http://a/' }, target: null })), null);
  assert.match(checkCommand(command({ target: null })), /target/);
});

test('the versions spoken are in order without a gap, and hello names the last', () => {
  assert.deepEqual(
    VERSIONS,
    VERSIONS.map((_, at) => VERSIONS[0] + at),
  );
  assert.equal(PROTOCOL_VERSION, VERSIONS.at(-1));
  assert.ok(Object.isFrozen(VERSIONS));
});
test('with a daemon whose version is spoken here, that is agreed on; else one of the two is too old', () => {
  for (const version of VERSIONS) assert.equal(negotiate(version), version);
  assert.equal(negotiate(VERSIONS[0] - 1), 'daemon_old');
  assert.equal(negotiate(PROTOCOL_VERSION + 1), 'extension_old');
  for (const nonsense of [undefined, null, '1', 1.5]) assert.equal(negotiate(nonsense), 'incompatible');
});
test('an answer is of the version of its command', () => {
  assert.equal(success('a1', { data: {}, page }, false, 7).protocol_version, 7);
  assert.equal(failure('a1', { code: 'TIMEOUT', message: 'late' }, false, 7).protocol_version, 7);
});
for (const key of Object.keys(command())) {
  test(`a command without ${key} is refused by that name`, () =>
    assert.match(checkCommand(without(key)), new RegExp(key)));
}
for (const [field, changes] of [
  ['protocol_version', { protocol_version: 2 }],
  ['id', { id: '' }],
  ['id', { id: 'x'.repeat(129) }],
  ['params', { params: [] }],
  ['deadline', { deadline: '5' }],
  ['destructive', { destructive: 0 }],
  ['tabId', { target: { tabId: '7' } }],
  ['extra', { extra: true }],
  ['eval', { action: 'eval' }],
  ['toString', { action: 'toString' }],
]) {
  test(`a wrong ${field} (${JSON.stringify(changes).slice(0, 40)}) is refused by that name`, () => {
    assert.match(checkCommand(command(changes)), new RegExp(field));
  });
}
for (const message of [null, 5, 'text', []]) {
  test(`${JSON.stringify(message)} is no command`, () => assert.notEqual(checkCommand(message), null));
}

test('a success has exactly the contract’s keys in their order', () => {
  const answer = success('a1', { data: { text: '' }, page: { ...page, extra: 1 } });
  assert.equal(
    JSON.stringify(answer),
    '{"protocol_version":1,"id":"a1","ok":true,"data":{"text":""},"page":{"url":"http://a/","title":"A","state":"ready","busy":false},"replay":false}',
  );
});
test('a failure has exactly the contract’s keys in their order', () => {
  const answer = failure('a1', { code: 'ELEMENT_NOT_FOUND', message: 'no', details: { count: 0 } }, true);
  assert.equal(
    JSON.stringify(answer),
    '{"protocol_version":1,"id":"a1","ok":false,"error":{"code":"ELEMENT_NOT_FOUND","message":"no","details":{"count":0}},"replay":true}',
  );
});
