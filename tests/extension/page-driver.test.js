import assert from 'node:assert/strict';
import test from 'node:test';
import { beginning, begun, LATE } from '../../extension/beginning.js';
import { BASE_SCRIPTS, PAGE_SCRIPTS, ScriptingDriver } from '../../extension/page-driver.js';

const page = { url: 'http://a/', title: 'A', state: 'ready', busy: false };

/** A browser whose pages answer with these texts, one after the other; an error is thrown. */
function browser(...answers) {
  const injections = [];
  globalThis.chrome = {
    runtime: { getManifest: () => ({ version: '1.2.3' }) },
    scripting: {
      executeScript: async (injection) => {
        injections.push(injection);
        if (injection.files) return [];
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return [{ result: answer !== null && typeof answer === 'object' ? JSON.stringify(answer) : answer }];
      },
    },
    tabs: { get: async () => Promise.reject(new Error('No tab with id: 7.')) },
  };
  return { injections, driver: new ScriptingDriver() };
}
const found = { data: { text: 'x' }, page };
const GONE = { code: 'SCRIPT_ERROR', message: /the page was replaced/ };

test('a page that has the scripts is asked once', async () => {
  const { driver, injections } = browser(found);
  assert.deepEqual(await driver.run(7, 'text', { selector: 'p' }, { until: 9 }), found);
  assert.deepEqual(
    injections.map(({ args }) => args.slice(0, 4)),
    [['1.2.3', 'text', { selector: 'p' }, { until: 9 }]],
  );
});

test('a page without the scripts gets them once and is asked again', async () => {
  const { driver, injections } = browser({ missing: 'all' }, found);
  assert.deepEqual(await driver.run(7, 'text', {}), found);
  assert.deepEqual(
    injections.map(({ files }) => files),
    [undefined, [...PAGE_SCRIPTS], undefined],
  );
});

const told = { data: { hidden: false }, page };
const REST = PAGE_SCRIPTS.slice(BASE_SCRIPTS.length);

test('a page that is asked what it is gets the scripts for that, and the others once it has answered', async () => {
  for (const isPrepared of [false, true]) {
    const { driver, injections } = browser(...(isPrepared ? [told] : [{ missing: 'all' }, told]));
    if (isPrepared) driver.prepare(7);
    assert.deepEqual(await driver.run(7, 'info', {}), told);
    const files = injections.map((it) => it.files).filter((it) => it !== undefined);
    assert.deepEqual(files, [[...BASE_SCRIPTS], REST]);
    assert.ok(injections.at(-1).files, 'they come last');
  }
});

test('a page that has the first scripts gets the others with its first command', async () => {
  const { driver, injections } = browser({ missing: 'rest' }, found);
  assert.deepEqual(await driver.run(7, 'text', {}), found);
  assert.deepEqual(
    injections.map(({ files }) => files),
    [undefined, REST, undefined],
  );
});

test('scripts that are on their way to a document are waited for, unless they stand still', async (t) => {
  const { driver, injections } = browser({ missing: 'all' }, { missing: 'rest' }, found);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { executeScript } = chrome.scripting;
  chrome.scripting.executeScript = async (injection) => {
    const done = executeScript(injection);
    // It went to a page that is in the browser's cache now.
    if (injection.files?.length === BASE_SCRIPTS.length) return new Promise(() => {});
    return done;
  };
  driver.prepare(7);
  const running = driver.run(7, 'text', {});
  for (let tries = 0; injections.length < 2 && tries < 100; tries += 1) await null;
  for (let tries = 0; tries < 100; tries += 1) await null;
  t.mock.timers.tick(1_000);
  assert.deepEqual(await running, found);
  assert.deepEqual(
    injections.map(({ files }) => files?.length),
    [BASE_SCRIPTS.length, undefined, undefined, REST.length, undefined],
  );
});

test('a script that begins too late in its page has done nothing, and the page counts as blocked', async () => {
  await assert.rejects(browser('{"expired":true}').driver.run(7, 'text', {}), { code: 'PAGE_BLOCKED' });
});

test('a script that has not begun in time is given up, unless it has said that it begins', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const never = new Promise(() => {});
  const given = beginning().inTime(never);
  t.mock.timers.tick(6_000);
  assert.equal(await given, LATE);
  const script = beginning();
  let finish;
  const working = script.inTime(new Promise((resolve) => (finish = resolve)));
  begun(script.token);
  t.mock.timers.tick(60_000);
  finish('done');
  assert.equal(await working, 'done');
});

test('a failure in the page keeps its code and its details', async () => {
  const error = { code: 'SELECTOR_AMBIGUOUS', message: 'two', details: { count: 2 } };
  await assert.rejects(browser({ error }).driver.run(7, 'text', {}), error);
});

test('a page that is replaced is read once more, and acted on no second time', async () => {
  const removed = new Error('Frame with ID 0 was removed.');
  for (const gone of [null, removed]) {
    assert.deepEqual(await browser(gone, found).driver.read(7, 'text', {}), found);
    await assert.rejects(browser(gone, removed, found).driver.read(7, 'text', {}), GONE);
    const { driver, injections } = browser(gone, found);
    await assert.rejects(driver.run(7, 'hover', { target: { selector: '#a' } }), GONE);
    assert.equal(injections.length, 1);
  }
});

test('a function runs in the page’s own world with its arguments', async () => {
  const { driver, injections } = browser('held');
  const run = () => 'never run here';
  assert.equal(await driver.runInMainWorld(7, run, ['a', 1]), 'held');
  assert.deepEqual(injections, [
    { target: { tabId: 7 }, world: 'MAIN', injectImmediately: true, func: run, args: ['a', 1] },
  ]);
});

for (const [words, code, hint] of [
  ['No tab with id: 7.', 'TAB_NOT_FOUND', /tab is gone/],
  ['Cannot access contents of url "chrome://settings/".', 'SCRIPT_ERROR', /no extension into this page/],
  ['Frame with ID 0 is showing error page', 'NAVIGATION_FAILED', /error page/],
  ['Something else', 'SCRIPT_ERROR', /^Something else$/],
]) {
  test(`the browser’s “${words}” is ${code}`, async () => {
    await assert.rejects(browser(new Error(words)).driver.run(7, 'text', {}), { code, message: hint });
  });
}

test('a tab that is gone is reported as such', async () => {
  await assert.rejects(browser().driver.tab(7), { code: 'TAB_NOT_FOUND' });
});
