import assert from 'node:assert/strict';
import test from 'node:test';
import { matches } from '../../extension/actions/wait.js';
import { disclosed, visibly, withoutSecrets } from '../../extension/disclosure.js';

for (const [what, text, shown] of [
  ['a bidirectional override', 'a\u202eb', 'a\\u{202e}b'],
  ['isolates and marks', '\u2066x\u2069\u200f\u061c', '\\u{2066}x\\u{2069}\\u{200f}\\u{61c}'],
  ['C0 and C1 controls, delete', '\u001b[2J\u009b\u007f\u0000', '\\u{1b}[2J\\u{9b}\\u{7f}\\u{0}'],
  ['tag characters', 'x\u{e0041}\u{e007f}', 'x\\u{e0041}\\u{e007f}'],
]) {
  test(`${what}: visible in an answer`, () => {
    assert.equal(visibly(text), shown);
    const page = { title: text };
    const told = { data: { text: shown }, page: { title: shown } };
    for (const read of [true, false]) assert.deepEqual(JSON.parse(disclosed({ data: { text }, page }, { read })), told);
  });
}

test('what every reader can see is left as it is', () => {
  for (const text of ['a\tb\nc', 'Ünïcødé 日本語', '👨‍👩‍👧', 'C:\\rubbish\\u0007', '\\\\u202e', '"\\"']) {
    assert.equal(visibly(text), text);
    assert.deepEqual(JSON.parse(disclosed({ data: { text } }, { read: true })), { data: { text } });
  }
});

for (const [address, cut] of [
  ['https://a.test/?token=abc', 'https://a.test/?token=…'],
  ['https://a.test/reset?user=1&reset_token=abc&next=/x', 'https://a.test/reset?user=1&reset_token=…&next=/x'],
  ['https://a.test/#access_token=ey.J.x&type=b', 'https://a.test/#access_token=…&type=b'],
  ['https://a.test/?X-Amz-Signature=0a&x=1', 'https://a.test/?X-Amz-Signature=…&x=1'],
  ['https://a.test/?client_secret=s&api_key=k&sid=1', 'https://a.test/?client_secret=…&api_key=…&sid=…'],
  ['https://a.test/?code=4a1b2c3d4e5f6a7b8c9d', 'https://a.test/?code=…'],
  ['https://ann:hush@a.test/x', 'https://ann:…@a.test/x'],
  ['see https://a.test/?a=1&amp;token=abc" now', 'see https://a.test/?a=1&amp;token=…" now'],
]) {
  test(`${address}: the secret is left out`, () => assert.equal(withoutSecrets(address), cut));
}

test('only reads leave secrets out, and not out of the address of the page', () => {
  const url = 'https://a.test/?token=abc';
  const answer = { ok: true, data: { links: [{ href: url }] }, page: { url }, replay: false };
  const told = { ...answer, data: { links: [{ href: 'https://a.test/?token=…' }] } };
  assert.equal(disclosed(answer, { read: true }), JSON.stringify(told));
  assert.equal(disclosed(answer, { read: false }), JSON.stringify(answer));
});

test('addresses without secrets are left as they are', () => {
  for (const address of [
    'https://a.test/?code=NO&key=name&state=open&page=2&session=morning',
    'https://a.test/?key=international-organizations',
    'https://a.test/token=1/secret?tokens=2&inside=3',
    'https://a.test/?token=&secret=',
    'https://a.test:8080/x@y',
  ]) {
    assert.equal(withoutSecrets(address), address);
  }
});

test('no text of a page is slow to disclose', () => {
  const began = performance.now();
  for (const part of [
    'a.',
    'a-',
    '?',
    ';.',
    '://',
    '://a',
    '?token',
    '?code=a.',
    '&session=1a',
    ':a@',
    '\u202e',
    '\\u',
  ]) {
    disclosed({ data: part.repeat(100_000) }, { read: true });
  }
  assert.ok(performance.now() - began < 10_000);
});

for (const [pattern, url, expected] of [
  ['form', 'http://a.test/form.html', true],
  ['*', '', true],
  ['*form*', 'http://a.test/form.html', true],
  ['http*html', 'http://a.test/form.html', true],
  ['http*htm', 'http://a.test/form.html', false],
  ['*a*b*', 'ab', true],
  ['*a*b*', 'ba', false],
  ['ab*ab', 'ab', false],
  ['ab*ab', 'abab', true],
  ['a*b*c', 'abbc', true],
  ['*.html?x=[1]', 'http://a.test/f.html?x=[1]', true],
  ['a**b', 'ab', true],
]) {
  test(`the pattern ${pattern} ${expected ? 'matches' : 'does not match'} ${url}`, () =>
    assert.equal(matches(pattern, url), expected));
}

test('no pattern is slow to match', () => {
  const began = performance.now();
  for (const part of ['a', 'ab', '*', '*a', 'a*', 'ab*', '*a*a']) {
    for (const end of ['c', '*c', '']) {
      for (const letter of ['a', 'ab']) matches(`*${part.repeat(300)}${end}`, letter.repeat(100_000));
    }
  }
  assert.ok(performance.now() - began < 5_000);
});
