import assert from 'node:assert/strict';
import test from 'node:test';
import { shakeHands } from '../../extension/handshake.js';
import { newNonce, Prover } from '../../extension/proof.js';

const C = '00112233445566778899aabbccddeeff';
const N = 'ffeeddccbbaa99887766554433221100';
/** `src/protocol/proof.rs` has the same values. */
const P = '8f7be3b093f0391723ca6b010b61aa70261d463fe59e42ec449a7593402467cc';
const Q = '5dae96dcb44783eda4c6b3137160f426caaf1efba5b1d7a7c0877b9dee06daba';
const R = '5920dae7316fa806ce816a1594e5f72cbdeaf127979d3e187a939cee3a90d936';

test('proofs are the macs that the daemon computes', async () => {
  const prover = new Prover('a token', 9615);
  assert.equal(await prover.isDaemon(C, N, P), true);
  assert.equal(await prover.extension(N), Q);
  assert.equal(await prover.isSocket(N, C, R), true);
});

test('a proof of another purpose, port, token or nonce is wrong', async () => {
  const prover = new Prover('a token', 9615);
  for (const proof of [Q, R, '', P.slice(2), `${P}00`, P.replace(/^./, 'x'), null, undefined, 7, {}, [P]]) {
    assert.equal(await prover.isDaemon(C, N, proof), false, String(proof));
  }
  assert.equal(await prover.isDaemon(N, C, P), false);
  assert.equal(await new Prover('a token', 9616).isDaemon(C, N, P), false);
  assert.equal(await new Prover('another', 9615).isDaemon(C, N, P), false);
  assert.equal(await prover.isSocket(N, N, R), false);
});

test('nonces have 64 digits and never repeat', () => {
  const nonces = Array.from({ length: 100 }, newNonce);
  assert.ok(nonces.every((nonce) => /^[0-9a-f]{64}$/.test(nonce)));
  assert.equal(new Set(nonces).size, 100);
});

/** A listener that answers a challenge with what `answer` makes of it, and what it was asked. */
function listener(answer) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    return answer(new URL(url).searchParams.get('nonce'));
  };
  return { fetch, asked };
}

const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
const endpoint = { port: 9615, token: 'a token' };

/** What the daemon answers: it knows the token as this extension does. */
async function proven(challenge, nonce = N) {
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode('a token'),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const text = new TextEncoder().encode(`bproxy daemon\n9615\n${challenge}\n${nonce}`);
  const proof = Buffer.from(await crypto.subtle.sign('HMAC', key, text)).toString('hex');
  return json({ ok: true, data: { nonce, proof } });
}

test('a listener that proves itself gets the proof of this extension, and never the token', async () => {
  const { fetch, asked } = listener(proven);
  const handshake = await shakeHands(endpoint, fetch);
  assert.equal(handshake.url, 'ws://127.0.0.1:9615/ws');
  assert.deepEqual(handshake.protocols, ['bproxy.v1', `proof.${N}.${Q}`]);
  assert.match(handshake.nonce, /^[0-9a-f]{64}$/);
  assert.equal(await handshake.isWelcome(R), false, 'it is about another nonce');
  assert.match(asked[0].url, /^http:\/\/127\.0\.0\.1:9615\/challenge\?nonce=[0-9a-f]{64}$/);
  assert.deepEqual([asked[0].cache, asked[0].credentials, asked[0].redirect], ['no-store', 'omit', 'manual']);
});

for (const [what, answer] of [
  ['a wrong proof', () => json({ ok: true, data: { nonce: N, proof: P } })],
  ['no proof', () => json({ ok: true, data: { nonce: N } })],
  ['a nonce that is none', (challenge) => proven(challenge, 'x')],
  ['a nonce that ends the subprotocol', (challenge) => proven(challenge, `${N}, auth`)],
  ['another answer', () => json({})],
  ['no object', () => json([1])],
  ['no JSON', () => new Response('<html>')],
  ['nothing', () => new Response(null)],
  ['an answer without end', () => new Response('x'.repeat(1 << 20))],
  ['401', () => json({ ok: false, error: { code: 'UNAUTHORIZED' } }, 401)],
]) {
  test(`a listener that answers with ${what} is a stranger`, async () => {
    assert.equal(await shakeHands(endpoint, listener(answer).fetch), 'stranger');
  });
}

test('a daemon that cannot read its pairing, one that stops, and none at all are told apart', async () => {
  const saying = (code) => listener(() => json({ ok: false, error: { code } }, 503)).fetch;
  assert.equal(await shakeHands(endpoint, saying('KEYRING_LOCKED')), 'locked');
  assert.equal(await shakeHands(endpoint, saying('SHUTTING_DOWN')), 'shutdown');
  const none = async () => {
    throw new TypeError('Failed to fetch');
  };
  assert.equal(await shakeHands(endpoint, none), 'unreachable');
});
