/**
 * The stored data of this browser profile (`storage.local`, which survives a browser restart): the pairing, the daemon's
 * port, the instance id. Never a page's content.
 */

import { DEFAULT_PORT } from './contract.js';

/**
 * One area of `chrome.storage`.
 * @typedef {{
 *   get: (key: string | null) => Promise<Record<string, any>>,
 *   set: (items: Record<string, unknown>) => Promise<void>,
 *   remove: (keys: string | string[]) => Promise<void>,
 * }} Area
 */
/** @typedef {{ extensionToken: string, pairedAt: number }} Pairing */

/** @param {Area} local @returns {Promise<Pairing | null>} */
export async function readPairing(local) {
  return (await local.get('pairing')).pairing ?? null;
}

/** The daemon's port: kept apart from the pairing, which may end while the port stays. @param {Area} local @returns {Promise<number>} */
export async function readPort(local) {
  return (await local.get('port')).port ?? DEFAULT_PORT;
}

/**
 * The id under which this browser profile introduces itself, created once.
 * @param {Area} local
 * @returns {Promise<string>}
 */
export async function readInstanceId(local) {
  return (await local.get('instanceId')).instanceId ?? newInstanceId(local);
}

/** @param {Area} local @returns {Promise<string>} */
export async function newInstanceId(local) {
  const instanceId = crypto.randomUUID();
  await local.set({ instanceId });
  return instanceId;
}
