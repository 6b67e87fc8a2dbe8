/**
 * Proofs that this extension and the daemon know the same token, which itself is never sent: HMAC-SHA256 with the token as
 * its key. The texts are in `docs/protocol.md` §1.
 */

const NONCE_BYTES = 32;
const HMAC = Object.freeze({ name: 'HMAC', hash: 'SHA-256' });

const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
const toHex = (/** @type {Uint8Array} */ bytes) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** A nonce of this extension. */
export const newNonce = () => toHex(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));

/** Makes and judges the proofs for one token and one port. */
export class Prover {
  /** @param {string} token @param {number} port */
  constructor(token, port) {
    this.port = port;
    this.key = crypto.subtle.importKey('raw', encode(token), HMAC, false, ['sign', 'verify']);
  }

  /**
   * Whether the daemon that answers a challenge knows the token.
   * @param {string} challenge @param {string} nonce the daemon's @param {unknown} proof
   */
  isDaemon(challenge, nonce, proof) {
    return this.#verify(['bproxy daemon', this.port, challenge, nonce], proof);
  }

  /** The proof for the daemon. @param {string} nonce the daemon's */
  extension(nonce) {
    return this.#sign(['bproxy extension', this.port, nonce]);
  }

  /** The proof for one fetch of a file. @param {string} nonce the daemon's @param {string} session @param {string} file */
  file(nonce, session, file) {
    return this.#sign(['bproxy file', this.port, nonce, session, file]);
  }

  /**
   * Whether the other end of the connection is the daemon that answered the challenge.
   * @param {string} nonce the daemon's @param {string} hello the one in hello @param {unknown} proof
   */
  isSocket(nonce, hello, proof) {
    return this.#verify(['bproxy socket', this.port, nonce, hello], proof);
  }

  /** @param {(string | number)[]} lines */
  async #sign(lines) {
    return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', await this.key, encode(lines.join('\n')))));
  }

  /** Compares in constant time. @param {(string | number)[]} lines @param {unknown} proof */
  async #verify(lines, proof) {
    if (typeof proof !== 'string' || !/^[0-9a-f]{64}$/i.test(proof)) return false;
    const bytes = Uint8Array.from(proof.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    return crypto.subtle.verify('HMAC', await this.key, bytes, encode(lines.join('\n')));
  }
}
