/**
 * Exchanges a pairing code for the token that daemon and extension share, and explains refusals with what to do next. The worker
 * claims, not the popup: a popup that closes in the middle would lose the token after its code is used up.
 */

import { LIMITS } from './contract.js';
import { isObject } from './schema.js';

/** A loopback answer is instant; what listens there and stays silent is not the daemon. */
const CLAIM_MS = 10_000;
/** A nonce is used once; remembering the last few is enough to refuse one that is repeated. */
const NONCES_KEPT = 50;

export const BAD_PORT = 'The port must be a number from 1 to 65535.';

/** @param {unknown} port */
export const isPort = (port) => Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65535;

/** @typedef {{ ok: true } | { ok: false, message: string }} Outcome */

/**
 * The code, and the port if the daemon has named one: `ABCD-EFGH@9700`.
 * @param {string} input
 * @param {number} port the one in the settings
 */
export function splitCode(input, port) {
  const [code, ...named] = input.split('@');
  if (named.length === 0) return { code, port };
  const text = named.join('@').trim();
  return { code, port: /^\d+$/.test(text) ? Number(text) : Number.NaN };
}

/**
 * Any case, dashes and spaces are fine. Null if what remains cannot be a code.
 * @param {string} input
 * @returns {string | null}
 */
export function normalizeCode(input) {
  const code = input.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return code.length === 8 ? `${code.slice(0, 4)}-${code.slice(4)}` : null;
}

/**
 * Claims a code and stores the pairing.
 * @param {{ code: string, port: number }} input
 * @param {{ fetch: typeof globalThis.fetch, local: import('./storage.js').Area, now: () => number }} parts
 * @returns {Promise<Outcome>}
 */
export async function claim(input, { fetch, local, now }) {
  const no = (/** @type {string} */ message) => /** @type {Outcome} */ ({ ok: false, message });
  const { code, port } = splitCode(input.code, input.port);
  if (!isPort(port)) return no(BAD_PORT);
  const normal = normalizeCode(code);
  if (normal === null) {
    return no('A pairing code has 8 letters and digits, like ABCD-EFGH. Run “bproxy pair” to get one.');
  }

  let response;
  let body;
  try {
    response = await fetch(`http://127.0.0.1:${port}/pair/claim`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code: normal }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(CLAIM_MS),
    });
    body = await response.json().catch(() => null);
  } catch {
    return no(`No daemon answers on port ${port}. Start it with “bproxy service start”, or correct the port.`);
  }

  if (!isObject(body) || body.ok !== true) return no(refusal(body, response, port));
  const data = body.data;
  if (!isObject(data) || typeof data.extensionToken !== 'string' || typeof data.nonce !== 'string') {
    return no(`What answers on port ${port} is not the bproxy daemon. Check the port.`);
  }
  /** @type {string[]} */
  const nonces = (await local.get('nonces')).nonces ?? [];
  if (nonces.includes(data.nonce) || !(Number(data.expiresAt) > now())) {
    return no('The daemon’s answer was out of date. Run “bproxy pair” and enter the new code.');
  }
  await local.set({
    nonces: [...nonces, data.nonce].slice(-NONCES_KEPT),
    port,
    pairing: { extensionToken: data.extensionToken, pairedAt: now() },
  });
  return { ok: true };
}

/** @param {unknown} body @param {Response} response @param {number} port */
function refusal(body, response, port) {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  switch (error.code) {
    case 'PAIRING_CODE_INVALID':
      return 'The daemon does not know this code. Check it, or run “bproxy pair” for a new one.';
    case 'PAIRING_CODE_EXPIRED':
      return `This code has expired: a code is valid for ${LIMITS.pairingCodeMs / 60_000} minutes. Run “bproxy pair” for a new one.`;
    case 'PAIRING_CODE_CONSUMED':
      return 'This code has been used already. Run “bproxy pair” for a new one.';
    case 'PAIRING_RATE_LIMITED': {
      const seconds = Number(response.headers.get('Retry-After'));
      return `Too many wrong codes. Wait ${seconds > 0 ? `${seconds} seconds` : 'a minute'}, then enter the right code.`;
    }
    case 'UNAUTHORIZED':
      return 'The daemon refuses this extension. If BPROXY_EXTENSION_IDS is set, this extension’s id must be in it.';
    case 'SHUTTING_DOWN':
      return 'The daemon is shutting down. Start it again with “bproxy service start”.';
    default:
      return `What answers on port ${port} (HTTP ${response.status}) is not the bproxy daemon. Check the port.`;
  }
}
