import assert from 'node:assert/strict';
import test from 'node:test';
import { claim, normalizeCode } from '../../extension/pairing.js';
import { area } from './support/fakes.js';

const payload = {
  extensionToken: 'tok',
  wsUrl: 'ws://127.0.0.1:9615/ws',
  protocolVersion: 1,
  issuedAt: 1000,
  expiresAt: 301_000,
  nonce: 'n1',
};

function daemon(status, body, headers = {}) {
  const calls = [];
  const fetch = async (url, init) => {
    calls.push({ url, ...init });
    return new Response(JSON.stringify(body), { status, headers });
  };
  return { fetch, calls };
}
const pair = (fetch, { code = 'ABCD-EFGH', port = 9615, local = area(), now = () => 2000 } = {}) =>
  claim({ code, port }, { fetch, local, now });

for (const input of ['ABCD-EFGH', 'abcd-efgh', ' a b c d e f g h ', 'abcdefgh', 'AB–CD—EF GH']) {
  test(`the code ${JSON.stringify(input)} is read as ABCD-EFGH`, () => assert.equal(normalizeCode(input), 'ABCD-EFGH'));
}
for (const input of ['', 'ABCD', 'ABCD-EFGHI'])
  test(`${JSON.stringify(input)} is no code`, () => assert.equal(normalizeCode(input), null));

test('a claim stores the token, the port and nothing of the code', async () => {
  const local = area();
  const { fetch, calls } = daemon(200, { ok: true, data: payload });
  assert.deepEqual(await pair(fetch, { code: 'abcdefgh', port: 9700, local }), { ok: true });
  assert.equal(calls[0].url, 'http://127.0.0.1:9700/pair/claim');
  assert.equal(calls[0].body, '{"code":"ABCD-EFGH"}');
  assert.deepEqual(local.items, { port: 9700, nonces: ['n1'], pairing: { extensionToken: 'tok', pairedAt: 2000 } });
});

for (const [code, port] of [
  ['ABCD-EFGH@9700', 9700],
  [' abcd efgh @ 9700 ', 9700],
  ['ABCD-EFGH', 9615],
]) {
  test(`${code} is claimed on port ${port}`, async () => {
    const local = area();
    const { fetch, calls } = daemon(200, { ok: true, data: payload });
    assert.deepEqual(await pair(fetch, { code, local }), { ok: true });
    assert.equal(calls[0].url, `http://127.0.0.1:${port}/pair/claim`);
    assert.equal(calls[0].body, '{"code":"ABCD-EFGH"}');
    assert.equal(local.items.port, port);
  });
}

for (const code of ['ABCD-EFGH@', 'ABCD-EFGH@0', 'ABCD-EFGH@99999', 'ABCD-EFGH@x', 'ABCD-EFGH@9700@9701']) {
  test(`${code} names no port and nothing is sent`, async () => {
    const { fetch, calls } = daemon(200, {});
    assert.match((await pair(fetch, { code })).message, /port/);
    assert.deepEqual(calls, []);
  });
}

test('a payload is accepted once', async () => {
  const local = area();
  const { fetch } = daemon(200, { ok: true, data: payload });
  await pair(fetch, { local });
  assert.match((await pair(fetch, { local })).message, /bproxy pair/);
});

test('a payload past its time is not accepted', async () => {
  const local = area();
  const outcome = await pair(daemon(200, { ok: true, data: payload }).fetch, { local, now: () => 301_001 });
  assert.equal(outcome.ok, false);
  assert.deepEqual(local.items, {});
});

for (const [status, code, words] of [
  [401, 'PAIRING_CODE_INVALID', /bproxy pair/],
  [401, 'PAIRING_CODE_EXPIRED', /5 minutes/],
  [401, 'PAIRING_CODE_CONSUMED', /used already/],
  [401, 'UNAUTHORIZED', /BPROXY_EXTENSION_IDS/],
  [503, 'SHUTTING_DOWN', /service start/],
]) {
  test(`${code} is told in words with what to do`, async () => {
    const outcome = await pair(daemon(status, { ok: false, error: { code } }).fetch);
    assert.match(outcome.message, words);
  });
}

test('after too many tries the message has the seconds left', async () => {
  const { fetch } = daemon(429, { ok: false, error: { code: 'PAIRING_RATE_LIMITED' } }, { 'Retry-After': '17' });
  assert.match((await pair(fetch)).message, /17 seconds/);
});

test('without a daemon the message has the command that starts one', async () => {
  const outcome = await pair(async () => {
    throw new TypeError('Failed to fetch');
  });
  assert.match(outcome.message, /port 9615.*bproxy service start/);
});

test('another program on the port is reported as such', async () => {
  assert.match((await pair(async () => new Response('<html>', { status: 200 }))).message, /not the bproxy daemon/);
});

for (const protocolVersion of [0, 2]) {
  test(`a daemon of protocol ${protocolVersion} is paired with: what to update shows when it is connected to`, async () => {
    const outcome = await pair(daemon(200, { ok: true, data: { ...payload, protocolVersion } }).fetch);
    assert.deepEqual(outcome, { ok: true });
  });
}

for (const port of [0, 65536, 1.5, Number.NaN, null, '9615']) {
  test(`${port} is no port and nothing is sent`, async () => {
    const { fetch, calls } = daemon(200, {});
    assert.match((await pair(fetch, { port })).message ?? '', /port/);
    assert.deepEqual(calls, []);
  });
}
