import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { actionNamed, HANDLERS } from '../../extension/actions/index.js';
import { DocumentGone } from '../../extension/browser-errors.js';
import { ACTIONS } from '../../extension/contract.js';
import { Effects } from '../../extension/effects.js';
import { PAGE_SCRIPTS } from '../../extension/page-driver.js';
import { ActionError } from '../../extension/protocol.js';
import { open } from './support/page.js';

const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false, document: 'd1' };

/**
 * A driver that answers from a script: for each command one answer after the other, the last one again and again. An
 * error is thrown, everything else is data.
 */
function fakeDriver(answers, tab = { active: true, windowId: 1 }) {
  const calls = [];
  const run = async (_tabId, command, params, order) => {
    calls.push({ command, params, order });
    // A field is filled by the method that was asked for.
    const ways = command === 'check-fields' && params.fields.map(({ method = 'direct' }) => [method]);
    const looked = command === 'look-again' && params.fields.map(() => null);
    const left = answers[command] ?? [ways || looked ? { each: ways || looked } : {}];
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return { data: answer, page: answer.page ?? page };
  };
  return {
    calls,
    run,
    read: run,
    tab: async () => tab,
    page: async () => ({ ...page, document: 'd2' }),
    named: (name) => calls.filter(({ command }) => command === name),
  };
}

/** Carries out an action on a page that comes to rest at once. */
function carryOut(action, params, driver, document = undefined) {
  return actionNamed(action)({
    action,
    params,
    driver,
    tabId: 7,
    deadline: Date.now() + 5_000,
    order: { session: 'abc234', until: Date.now() + 5_000 },
    document,
    done: 0,
    effects: new Effects({ watchers: new Set() }, 7),
    signal: new AbortController().signal,
    hurry: new AbortController().signal,
    navigations: { underWay: new Map(), watchers: new Set() },
  });
}
const atRest = (after) => [{ signature: 'same', after, seen: {} }];

test('an action without a function of its own changes nothing, and the page has a command of its name', () => {
  const { page: scripts } = open('');
  for (const [name, { acts }] of Object.entries(ACTIONS)) {
    if (Object.hasOwn(HANDLERS, name)) continue;
    assert.equal(acts, false, `${name} acts: it needs a function in actions/index.js`);
    assert.equal(typeof scripts.commands[name], 'function', `no page script defines page.commands.${name}`);
  }
});

test('there is no function for an unknown action', () => {
  for (const name of Object.keys(HANDLERS)) assert.ok(Object.hasOwn(ACTIONS, name), name);
});

test('every page script is injected into pages, except those of the main world', () => {
  const files = readdirSync(new URL('../../extension/page/', import.meta.url)).filter((name) => name.endsWith('.js'));
  const wanted = files.filter((name) => !name.startsWith('main-')).map((name) => `page/${name}`);
  assert.deepEqual([...PAGE_SCRIPTS].sort(), wanted.sort());
});

test('a read runs the page command of its name', async () => {
  const driver = fakeDriver({ links: [{ links: [], total: 0 }] });
  assert.deepEqual(await carryOut('links', { limit: 3 }, driver), { data: { links: [], total: 0 }, page });
  assert.deepEqual(
    driver.calls.map(({ command, params, order }) => [command, params, order.session]),
    [['links', { limit: 3 }, 'abc234']],
  );
});

test('every command tells the page its deadline', async () => {
  const driver = fakeDriver({ settle: atRest({ disappeared: false }) });
  const { data } = await carryOut('click', { target: { selector: '#a' } }, driver);
  assert.deepEqual(data, { clicked: true, disappeared: false, stable: true });
  for (const { order } of driver.calls) assert.ok(order.until > Date.now());
});

const CHANGED = new ActionError('PAGE_CHANGED', 'another', { details: { page: { document: 'd2' } } });
const field = (selector, more = {}) => ({
  target: { selector },
  value: 'x',
  method: 'direct',
  world: 'isolated',
  ...more,
});

test('an act is for the document that is meant, and each further step for the one that it began in', async () => {
  const filled = atRest({ filled: true, verifiedValue: 'x' });
  const driver = fakeDriver({ settle: filled });
  await carryOut('fill-form', { fields: [field('#a'), field('#b')] }, driver, 'd1');
  const meant = (name) => driver.named(name).map(({ order }) => order.document);
  assert.deepEqual([meant('check-fields'), meant('fill')], [['d1'], ['d1', 'd1']]);
  assert.deepEqual(new Set(driver.named('settle').map(({ params }) => params.actedIn)), new Set(['d1']));
  const unknown = fakeDriver({ settle: filled });
  await carryOut('fill-form', { fields: [field('#a'), field('#b')] }, unknown);
  assert.deepEqual(
    unknown.calls.filter(({ command }) => command !== 'settle').map(({ order }) => order.document),
    [undefined, 'd1', 'd1', 'd1'],
  );
});

test('a page that changes between steps ends the act, which tells how many were done', async () => {
  const form = fakeDriver({ fill: [{}, CHANGED], settle: atRest({ filled: true, verifiedValue: 'x' }) });
  await assert.rejects(carryOut('fill-form', { fields: [field('#a'), field('#b')] }, form), (error) => {
    assert.deepEqual([error.code, error.details.done, error.details.page], ['PAGE_CHANGED', 1, { document: 'd2' }]);
    return error.details.results.length === 1;
  });
  const list = fakeDriver({ select: [{ opened: true }], choose: [CHANGED], settle: atRest(null) });
  await assert.rejects(carryOut('select', { trigger: { selector: '#a' }, optionText: 'red' }, list), (error) => {
    assert.equal(list.named('choose')[0].order.document, 'd1');
    return error.code === 'PAGE_CHANGED' && error.details.done === 1;
  });
  const first = fakeDriver({ click: [CHANGED] });
  await assert.rejects(carryOut('click', { target: { selector: '#a' } }, first), (error) => {
    return error.code === 'PAGE_CHANGED' && !('done' in error.details);
  });
});

test('an act whose document goes away in its midst says so, and names the new page', async () => {
  const driver = fakeDriver({ click: [new DocumentGone()] });
  await assert.rejects(carryOut('click', { target: { selector: '#a' } }, driver), (error) => {
    assert.deepEqual(error.details.page, { url: 'http://a/', title: 'A', document: 'd2' });
    return error.code === 'PAGE_CHANGED' && /part of it may have been done/.test(error.message);
  });
});

for (const [action, params] of [
  ['hover', { target: { selector: '#a' } }],
  ['scroll', {}],
]) {
  test(`any document will do for ${action} ${JSON.stringify(params)}`, async () => {
    const driver = fakeDriver({ [action]: [{ target: 'viewport', before: 0 }], settle: atRest(null) });
    await carryOut(action, params, driver, 'd0');
    assert.equal(driver.named(action)[0].order.document, undefined);
  });
}

test('an option is searched again until the list has opened', async () => {
  const missing = new ActionError('ELEMENT_NOT_FOUND', 'no option');
  const chosen = { selected: true, optionText: 'Red' };
  const driver = fakeDriver({ select: [{ opened: true }], choose: [missing, missing, {}], settle: atRest(chosen) });
  const { data } = await carryOut('select', { trigger: { selector: '#a' }, optionText: 'red' }, driver);
  assert.deepEqual(data, chosen);
  assert.equal(driver.named('choose').length, 3);
});

test('an option that never appears is missing after a while', async () => {
  const missing = new ActionError('ELEMENT_NOT_FOUND', 'no option');
  const driver = fakeDriver({ select: [{ opened: true }], choose: [missing], settle: atRest(null) });
  await assert.rejects(carryOut('select', { trigger: { selector: '#a' }, optionText: 'red' }, driver), missing);
  assert.ok(driver.named('choose').length > 3);
});

test('a form with a wrong field stays untouched', async () => {
  const wrong = new ActionError('ELEMENT_NOT_FOUND', 'nothing');
  const driver = fakeDriver({ 'check-fields': [wrong] });
  await assert.rejects(carryOut('fill-form', { fields: [field('#a')] }, driver), wrong);
  assert.deepEqual(
    driver.calls.map(({ command }) => command),
    ['check-fields'],
  );
});

test('a form that fails in the middle tells which fields were filled', async () => {
  const broken = new ActionError('ELEMENT_NOT_ACTIONABLE', 'is disabled');
  const driver = fakeDriver({ fill: [{}, broken], settle: atRest({ filled: true, verifiedValue: 'x' }) });
  await assert.rejects(carryOut('fill-form', { fields: [field('#a'), field('#b')] }, driver), (error) => {
    assert.match(error.message, /^field 2 of 2: is disabled/);
    assert.equal(error.details.field, 2);
    assert.deepEqual(error.details.results, [{ target: { selector: '#a' }, filled: true, verifiedValue: 'x' }]);
    return error.code === 'ELEMENT_NOT_ACTIONABLE';
  });
});

for (const [what, first, second, expected] of [
  ['the first way was taken', { filled: true }, { filled: true }, ['paste', 1, true]],
  ['it left the field as it was', { filled: false, untouched: true }, { filled: true }, ['direct', 2, true]],
  ['it changed the field', { filled: false, untouched: false }, { filled: true }, ['paste', 1, false]],
]) {
  test(`another way is tried only where one was not taken and changed nothing: ${what}`, async () => {
    const driver = fakeDriver({ 'check-fields': [{ each: [['paste', 'direct']] }] });
    const { run } = driver;
    driver.run = async (...call) => {
      const answer = await run(...call);
      if (call[1] !== 'settle') return answer;
      const after = driver.named('fill').length === 1 ? first : second;
      return { ...answer, data: { signature: 'same', after, seen: {} } };
    };
    const { data } = await carryOut('fill', { target: { selector: '#a' }, value: 'x' }, driver);
    const fills = driver.named('fill');
    assert.deepEqual([fills.at(-1).params.method, fills.length, data.filled], expected);
  });
}

for (const [world, outcome, expected] of [
  ['holds the value', { value: 'a\nb' }, { filled: true, verifiedValue: 'a\nb' }],
  ['holds another one', { value: 'other' }, { filled: false, verifiedValue: 'other' }],
]) {
  test(`an editor that ${world} is read back`, async () => {
    const handed = [{ outcome: JSON.stringify(outcome), isSecret: false }];
    const driver = fakeDriver({ 'hand-over': handed, settle: atRest(null) });
    const values = [];
    driver.runInMainWorld = async (_tabId, _run, [event, answer, value]) => {
      assert.notEqual(event, answer);
      values.push(value);
    };
    const params = { target: { selector: '#a' }, value: 'a\r\nb', method: 'runtime-api', world: 'main' };
    assert.deepEqual((await carryOut('fill', params, driver)).data, expected);
    assert.deepEqual(values, ['a\r\nb', null]);
  });
}

test('a changing page is waited for until two samples are equal', async () => {
  const looks = ['one', 'two', 'two'].map((signature) => ({ signature, after: null, seen: {} }));
  const driver = fakeDriver({ settle: looks });
  assert.equal((await carryOut('hover', { target: { selector: '#a' } }, driver)).data.stable, true);
  assert.equal(driver.named('settle').length, 3);
});

test('an editor on a page that was replaced meanwhile is not read, and does not count as filled', async () => {
  const handed = [{ outcome: '{"value":"x"}', isSecret: false }];
  const after = { signature: 'same', after: null, seen: {}, page: { ...page, document: 'd2' } };
  const driver = fakeDriver({ 'hand-over': handed, settle: [after] });
  driver.runInMainWorld = async () => {};
  const params = field('#a', { method: 'runtime-api', world: 'main' });
  assert.deepEqual((await carryOut('fill', params, driver)).data, { filled: false, verifiedValue: '' });
  assert.equal(driver.named('hand-over').length, 1);
});

test('a private value is not told, whether the page is there or not', async () => {
  for (const after of [{ filled: true }, null]) {
    const driver = fakeDriver({ settle: atRest(after) });
    const { data } = await carryOut('fill', field('#a', { private: true }), driver);
    assert.deepEqual(data, { filled: after !== null });
    assert.equal(driver.named('fill')[0].params.private, true);
  }
});
