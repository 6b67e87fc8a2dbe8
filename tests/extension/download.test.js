import assert from 'node:assert/strict';
import test from 'node:test';
import { download } from '../../extension/actions/download.js';

/** What the browser says of a download that fails, and whether it was told to take it back. @param {string} error */
async function failing(error) {
  const cancelled = /** @type {number[]} */ ([]);
  const item = { id: 7, state: 'interrupted', error, canResume: true, bytesReceived: 100, totalBytes: 200 };
  const named = { filename: '/home/ann/Downloads/bill.pdf', url: 'https://example.org/7', mime: '', danger: 'safe' };
  Object.assign(globalThis, {
    chrome: {
      downloads: {
        search: async () => [{ ...item, ...named }],
        cancel: async (/** @type {number} */ id) => void cancelled.push(id),
      },
    },
  });
  const context = /** @type {any} */ ({
    params: { url: 'https://example.org/7' },
    downloads: { fetch: async () => item.id },
    deadline: Date.now() + 10_000,
    signal: new AbortController().signal,
    hurry: new AbortController().signal,
  });
  const failure = await download(context).then(
    () => assert.fail('it did not fail'),
    (failure) => failure,
  );
  return { failure, cancelled };
}

test('a full disk is named, and nothing half is left', async () => {
  const { failure, cancelled } = await failing('FILE_NO_SPACE');
  assert.equal(failure.code, 'STORAGE_FULL');
  assert.match(failure.message, /disk .* is full/);
  assert.equal(failure.details.name, 'bill.pdf');
  assert.deepEqual(cancelled, [7]);
});

test('a download that its person cancelled is not resumed', async () => {
  const { failure, cancelled } = await failing('USER_CANCELED');
  assert.equal(failure.code, 'NAVIGATION_FAILED');
  assert.match(failure.message, /"bill.pdf".*cancelled in the browser/);
  assert.deepEqual(cancelled, [7]);
});
