/**
 * The files that clients have given to sessions: fetched from the daemon, each with a proof of its own, when the page that is
 * to have them asks for them. A file is never in a message as text: the browser holds its bytes, and hands them to the page.
 */

import { challenge } from './handshake.js';
import { ActionError } from './protocol.js';

/** @typedef {import('./handshake.js').Endpoint} Endpoint */
/** @typedef {import('./contract.js').UploadParams['files'][number]} GivenFile */

export class SessionFiles {
  /** @param {{ endpoint: () => Endpoint | null, fetch: typeof globalThis.fetch }} parts */
  constructor({ endpoint, fetch }) {
    this.endpoint = endpoint;
    this.fetch = fetch;
    /** What pages may ask for, by names that only they are told. @type {Map<string, { tabId: number, get: () => Promise<File[]> }>} */
    this.lent = new Map();
  }

  /**
   * Lets the page that is told this name have the files, once, as long as `run` runs.
   * @template Value
   * @param {{ tabId: number, session: string, files: readonly GivenFile[], signal: AbortSignal }} what
   * @param {(name: string) => Promise<Value>} run
   * @returns {Promise<Value>}
   */
  async lend({ tabId, session, files, signal }, run) {
    const name = crypto.randomUUID();
    /** Why they cannot be had, which the page cannot tell. @type {unknown} */
    let problem = null;
    const get = async () => {
      try {
        const got = [];
        for (const file of files) got.push(await this.#get(session, file, signal));
        return got;
      } catch (error) {
        problem = error;
        throw error;
      }
    };
    this.lent.set(name, { tabId, get });
    try {
      return await run(name);
    } catch (error) {
      throw problem ?? error;
    } finally {
      this.lent.delete(name);
    }
  }

  /**
   * A page asks for the files of this name. Null: it gets none.
   * @param {unknown} name @param {chrome.runtime.MessageSender} sender
   */
  async ask(name, sender) {
    const lent = typeof name === 'string' ? this.lent.get(name) : undefined;
    if (lent === undefined || sender.tab?.id !== lent.tabId) return null;
    this.lent.delete(/** @type {string} */ (name));
    return lent.get().catch(() => null);
  }

  /** @param {string} session @param {GivenFile} given @param {AbortSignal} signal */
  async #get(session, { file, name, bytes, type }, signal) {
    const endpoint = this.endpoint();
    const answered = endpoint && (await challenge(endpoint, this.fetch));
    if (endpoint === null || typeof answered !== 'object' || answered === null) throw lost(file, `${answered}`);
    const { prover, nonce } = answered;
    const proof = await prover.file(nonce, session, file);
    /** @type {unknown} */
    let why = '';
    const failed = (/** @type {unknown} */ error) => {
      why = error;
      return null;
    };
    const response = await this.fetch(`http://127.0.0.1:${endpoint.port}/files/${file}?session=${session}`, {
      headers: { Authorization: `Proof ${nonce}.${proof}` },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal,
    }).catch(failed);
    if (response?.status === 404) {
      throw new ActionError('FILE_NOT_FOUND', `the session has no file ${file} any more: give it again`);
    }
    const blob = response?.ok ? await response.blob().catch(failed) : null;
    if (blob === null || blob.size !== bytes)
      throw lost(file, `${why || (blob ? `${blob.size} bytes` : `HTTP ${response?.status}`)}`);
    return new File([blob], name, { type });
  }
}

/** @param {string} file @param {string} why */
function lost(file, why) {
  const message = `${file} could not be fetched from the daemon (${why}), so the page got no files: try again`;
  return new ActionError('SCRIPT_ERROR', message);
}
