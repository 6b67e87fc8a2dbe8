/** The frames of the page. */

/** @param {import('./index.js').Context<'frames'>} context */
export const frames = ({ driver, tabId, order }) => driver.frames(tabId, order);
