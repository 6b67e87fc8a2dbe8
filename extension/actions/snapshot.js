/** `snapshot`: the page as a tree, or what has changed of it since an earlier one. */

import { Earlier } from '../earlier.js';

const earlier = new Earlier();

/** @type {import('./index.js').Action<'snapshot'>} */
export const snapshot = async ({ driver, tabId, params, order }) => {
  const { since, ...how } = params;
  const before = since === undefined ? undefined : earlier.known(since, { tabId, order, how });
  const asked = before?.reading === undefined ? how : { ...how, reading: before.reading };
  const { data, page } = await driver.read(tabId, 'snapshot', asked, order);
  return { data: earlier.compared({ tabId, order, how, page, before }, data), page };
};
