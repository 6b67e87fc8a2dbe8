/** Everything that only looks: one call into the page each, with no waiting. */

import { read } from '../inject.js';

/** @typedef {import('../dispatch.js').Context} Context */

/** @param {string} command */
const look =
  (command) =>
  (/** @type {Context} */ { tabId, params }) =>
    read(tabId, command, params);

export const text = look('text');
export const links = look('links');
export const images = look('images');
export const elements = look('elements');
export const outline = look('outline');
export const dom = look('dom');
export const inspect = look('inspect');
export const snapshot = look('snapshot');
