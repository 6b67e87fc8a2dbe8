import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { ACTIONS } from '../../extension/contract.js';
import { checkParams } from '../../extension/protocol.js';

const folder = new URL('../golden/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')));
const forwarded = files.filter((file) => file.where === 'extension');

test('the golden files name exactly the actions that the extension has', () => {
  const named = forwarded.map((file) => file.action).sort();
  assert.deepEqual(named, Object.keys(ACTIONS).sort());
});

for (const { action, valid, invalid } of forwarded) {
  for (const { name, params, forwarded = params } of valid) {
    test(`${action} takes ${name}`, () => assert.equal(checkParams(action, forwarded), null));
  }
  for (const { name, params, field } of invalid) {
    test(`${action} refuses ${name} and names ${field}`, () => {
      const problem = checkParams(action, params);
      assert.ok(problem?.includes(field), `${problem}`);
    });
  }
}
