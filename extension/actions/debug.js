/** The extension's own trace of commands. */

import { tabPage } from '../page-driver.js';

const DEFAULT_LIMIT = 100;

/** @param {import('./index.js').Context<'debug.log'>} context */
export async function log({ driver, tabId, params, trace }) {
  const entries = trace.read(params.id, params.limit ?? DEFAULT_LIMIT);
  return { data: { entries }, page: tabPage(await driver.tab(tabId)) };
}
