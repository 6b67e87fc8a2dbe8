import assert from 'node:assert/strict';
import test from 'node:test';
import { check } from '../../extension/schema.js';

const text = { type: 'string' };
const closed = (properties, required = []) => ({ type: 'object', properties, required, additionalProperties: false });
const either = { oneOf: [closed({ a: text }, ['a']), closed({ b: { type: 'integer' } }, ['b'])] };

for (const [what, schema, right, wrong] of [
  ['text', text, ['', 'x'], [null, 5, ['x']]],
  ['text of a length, in code points', { type: 'string', minLength: 1, maxLength: 2 }, ['a', '🦋🦋'], ['', 'abc']],
  ['text like a pattern', { type: 'string', pattern: '^t[0-9]+$' }, ['t1'], ['t', 'xt1', 1]],
  ['one of some words', { type: 'string', enum: ['up', 'down'] }, ['up'], ['UP', '', null]],
  ['a boolean', { type: 'boolean' }, [true, false], [0, 'true', null]],
  ['an integer', { type: 'integer' }, [0, -1], [1.5, '1', Number.NaN, 2 ** 60, null]],
  ['an integer in a range', { type: 'integer', minimum: 1, maximum: 3 }, [1, 3], [0, 4]],
  ['a list', { type: 'array', items: text }, [[], ['a']], [{}, 'a', ['a', 1]]],
  ['a list of a length', { type: 'array', items: text, minItems: 1, maxItems: 2 }, [['a']], [[], ['a', 'b', 'c']]],
  ['an object', { type: 'object' }, [{}, { any: 1 }], [null, [], 'a']],
  ['a closed object', closed({ a: text }), [{}, { a: 'x' }], [{ a: null }, { a: 'x', b: 1 }, { toString: 'x' }]],
  ['a closed object without members', { type: 'object', additionalProperties: false }, [{}], [{ a: 1 }]],
  ['an object with a required member', closed({ a: text }, ['a']), [{ a: 'x' }], [{}]],
  [
    'exactly one of two',
    either,
    [{ a: 'x' }, { b: 1 }],
    [{}, { a: 'x', b: 1 }, { a: 1 }, { b: 'x' }, { a: 'x', c: 1 }, null],
  ],
  ['anything', {}, [null, 1, {}], []],
]) {
  for (const value of right) {
    test(`${what}: ${JSON.stringify(value)}`, () => assert.equal(check(schema, value, 'it'), null));
  }
  for (const value of wrong) {
    test(`${what}: not ${JSON.stringify(value)}`, () => assert.match(check(schema, value, 'it'), /^it\b/));
  }
}

test('a problem is named with the whole path to it', () => {
  const form = closed({ fields: { type: 'array', items: closed({ target: either }, ['target']) } });
  const problem = (...fields) => check(form, { fields }, 'params');
  assert.equal(
    problem({ target: { a: 'x' } }, { target: { b: 'x' } }),
    'params.fields[1].target.b must be an integer, of any size',
  );
  assert.equal(problem({}), 'params.fields[0].target is missing');
  assert.equal(problem({ target: {} }), 'params.fields[0].target must have exactly one of a, b');
  assert.equal(problem({ target: { a: 'x' }, colour: 1 }), 'params.fields[0].colour is not a known field');
});
