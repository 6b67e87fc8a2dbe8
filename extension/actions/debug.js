/** What the extension remembers of its own doings. */

import { getTab, tabPage } from '../inject.js';

const DEFAULT_LIMIT = 100;

/** @param {import('../dispatch.js').Context} context */
export async function log({ tabId, params, trace }) {
  const entries = trace.read(params.id, params.limit ?? DEFAULT_LIMIT);
  return { data: { entries }, page: tabPage(await getTab(tabId)) };
}
