import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { actionNamed, HANDLERS } from '../../extension/actions/index.js';
import { ACTIONS } from '../../extension/contract.js';
import { PAGE_SCRIPTS } from '../../extension/page-driver.js';
import { ActionError } from '../../extension/protocol.js';
import { open } from './support/page.js';

const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false };

/**
 * A driver that answers from a script: for each command one answer after the other, the last one again and again. An
 * error is thrown, everything else is data.
 */
function fakeDriver(answers, tab = { active: true, windowId: 1 }) {
  const calls = [];
  const run = async (_tabId, command, params) => {
    calls.push({ command, params });
    const left = answers[command] ?? [{}];
    const answer = left.length > 1 ? left.shift() : left[0];
    if (answer instanceof Error) throw answer;
    return { data: answer, page };
  };
  return {
    calls,
    run,
    read: run,
    tab: async () => tab,
    named: (name) => calls.filter(({ command }) => command === name),
  };
}

/** Carries out an action on a page that comes to rest at once. */
function carryOut(action, params, driver) {
  return actionNamed(action)({
    action,
    params,
    driver,
    tabId: 7,
    deadline: Date.now() + 5_000,
    signal: new AbortController().signal,
    hurry: new AbortController().signal,
    navigations: { underWay: new Map() },
  });
}
const atRest = (after) => [{ signature: 'same', after }];

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

test('every page script is injected into pages, except the one of the main world', () => {
  const files = readdirSync(new URL('../../extension/page/', import.meta.url)).filter((name) => name.endsWith('.js'));
  const wanted = files.filter((name) => name !== 'main-world.js').map((name) => `page/${name}`);
  assert.deepEqual([...PAGE_SCRIPTS].sort(), wanted.sort());
});

test('a read runs the page command of its name', async () => {
  const driver = fakeDriver({ links: [{ links: [], total: 0 }] });
  assert.deepEqual(await carryOut('links', { limit: 3 }, driver), { data: { links: [], total: 0 }, page });
  assert.deepEqual(driver.calls, [{ command: 'links', params: { limit: 3 } }]);
});

test('an act tells the page its deadline', async () => {
  const driver = fakeDriver({ settle: atRest({ disappeared: false }) });
  const { data } = await carryOut('click', { target: { selector: '#a' } }, driver);
  assert.deepEqual(data, { clicked: true, disappeared: false, stable: true });
  assert.ok(driver.named('click')[0].params.until > Date.now());
});

for (const [what, tab, windowState, works] of [
  ['in front of a covered window is acted on', { active: true, windowId: 1 }, 'normal', true],
  ['in a minimized window is not acted on', { active: true, windowId: 1 }, 'minimized', false],
  ['in the background is not acted on', { active: false, windowId: 1 }, 'normal', false],
]) {
  test(`a hidden tab ${what}`, async () => {
    globalThis.chrome = { windows: { get: async () => ({ state: windowState }) } };
    const hidden = new ActionError('TAB_NOT_VISIBLE', 'hidden');
    const driver = fakeDriver({ hover: [hidden, {}], settle: atRest(null) }, tab);
    const hovered = carryOut('hover', { target: { selector: '#a' } }, driver);
    if (works) assert.equal((await hovered).data.hovered, true);
    else await assert.rejects(hovered, hidden);
    assert.deepEqual(
      driver.named('hover').map(({ params }) => params.covered),
      works ? [undefined, true] : [undefined],
    );
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

test('an option that never appears is missing after eight attempts', async () => {
  const missing = new ActionError('ELEMENT_NOT_FOUND', 'no option');
  const driver = fakeDriver({ select: [{ opened: true }], choose: [missing], settle: atRest(null) });
  await assert.rejects(carryOut('select', { trigger: { selector: '#a' }, optionText: 'red' }, driver), missing);
  assert.equal(driver.named('choose').length, 8);
});

test('a form with a wrong field stays untouched', async () => {
  const wrong = new ActionError('ELEMENT_NOT_FOUND', 'nothing');
  const driver = fakeDriver({ 'check-fields': [wrong] });
  const field = { target: { selector: '#a' }, value: 'x', method: 'direct', world: 'isolated' };
  await assert.rejects(carryOut('fill-form', { fields: [field] }, driver), wrong);
  assert.deepEqual(
    driver.calls.map(({ command }) => command),
    ['check-fields'],
  );
});

test('a form that fails in the middle tells which fields were filled', async () => {
  const broken = new ActionError('ELEMENT_NOT_ACTIONABLE', 'is disabled');
  const driver = fakeDriver({ fill: [{}, broken], settle: atRest({ filled: true, verifiedValue: 'x' }) });
  const field = (selector) => ({ target: { selector }, value: 'x', method: 'direct', world: 'isolated' });
  await assert.rejects(carryOut('fill-form', { fields: [field('#a'), field('#b')] }, driver), (error) => {
    assert.match(error.message, /^field 2 of 2: is disabled/);
    assert.deepEqual(error.details.results, [{ target: { selector: '#a' }, filled: true, verifiedValue: 'x' }]);
    return error.code === 'ELEMENT_NOT_ACTIONABLE';
  });
});

for (const [world, outcome, expected] of [
  ['holds the value', { value: 'a\nb' }, { filled: true, verifiedValue: 'a\nb' }],
  ['holds another one', { value: 'other' }, { filled: false, verifiedValue: 'other' }],
]) {
  test(`an editor that ${world} is read back`, async () => {
    const driver = fakeDriver({ settle: atRest(null) });
    const values = [];
    driver.runInMainWorld = async (_tabId, _run, [, value]) => {
      values.push(value);
      return outcome;
    };
    const params = { target: { selector: '#a' }, value: 'a\r\nb', method: 'runtime-api', world: 'main' };
    assert.deepEqual((await carryOut('fill', params, driver)).data, expected);
    assert.deepEqual(values, ['a\r\nb', null]);
  });
}

test('a changing page is waited for until two samples are equal', async () => {
  const looks = ['one', 'two', 'two'].map((signature) => ({ signature, after: null }));
  const driver = fakeDriver({ settle: looks });
  assert.equal((await carryOut('hover', { target: { selector: '#a' } }, driver)).data.stable, true);
  assert.equal(driver.named('settle').length, 3);
});
