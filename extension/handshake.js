/**
 * The first step of a connection: the listener on the port proves that it is the daemon that this browser is paired with.
 * Until it has, it is told nothing, and what it says means nothing.
 */

import { SUBPROTOCOL } from './contract.js';
import { newNonce, Prover } from './proof.js';
import { isObject } from './schema.js';

/** A daemon that the first connection starts may have to wait for a keyring. */
const CHALLENGE_MS = 10_000;
/** The answer to a challenge has less than a kilobyte. */
const MAX_ANSWER_BYTES = 16 * 1024;

/**
 * @typedef {{ port: number, token: string }} Endpoint
 * @typedef {{
 *   url: string, protocols: string[], nonce: string, isWelcome: (proof: unknown) => Promise<boolean>,
 * }} Handshake where to connect and what to offer there; the nonce for hello; whether the answer to it is right
 */

/**
 * @param {Endpoint} endpoint
 * @param {typeof globalThis.fetch} fetch
 * @returns {Promise<Handshake | 'unreachable' | 'stranger' | 'locked' | 'shutdown'>}
 */
export async function shakeHands(endpoint, fetch) {
  const answered = await challenge(endpoint, fetch);
  if (typeof answered === 'string') return answered;
  const { prover, nonce } = answered;
  const hello = newNonce();
  return {
    url: `ws://127.0.0.1:${endpoint.port}/ws`,
    protocols: [SUBPROTOCOL, `proof.${nonce}.${await prover.extension(nonce)}`],
    nonce: hello,
    isWelcome: (given) => prover.isSocket(nonce, hello, given),
  };
}

/**
 * Has the listener prove that it is the daemon; gives the nonce that a proof for it is about.
 * @param {Endpoint} endpoint
 * @param {typeof globalThis.fetch} fetch
 * @returns {Promise<{ prover: Prover, nonce: string } | 'unreachable' | 'stranger' | 'locked' | 'shutdown'>}
 */
export async function challenge({ port, token }, fetch) {
  const prover = new Prover(token, port);
  const challenge = newNonce();
  let answer;
  try {
    answer = await read(
      await fetch(`http://127.0.0.1:${port}/challenge?nonce=${challenge}`, {
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'manual',
        signal: AbortSignal.timeout(CHALLENGE_MS),
      }),
    );
  } catch {
    return 'unreachable';
  }
  const error = isObject(answer.error) ? answer.error.code : null;
  if (error === 'KEYRING_LOCKED') return 'locked';
  if (error === 'SHUTTING_DOWN') return 'shutdown';
  const { nonce, proof } = isObject(answer.data) ? answer.data : /** @type {Record<string, unknown>} */ ({});
  if (typeof nonce !== 'string' || !/^[0-9a-f]{32,128}$/i.test(nonce)) return 'stranger';
  if (!(await prover.isDaemon(challenge, nonce, proof))) return 'stranger';
  return { prover, nonce };
}

/**
 * The answer as an object; an empty one if it is none, or too long.
 * @param {Response} response
 * @returns {Promise<Record<string, unknown>>}
 */
async function read(response) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      void reader.cancel();
      return {};
    }
    text += decoder.decode(value, { stream: true });
  }
  try {
    const answer = JSON.parse(text);
    return isObject(answer) ? answer : {};
  } catch {
    return {};
  }
}
