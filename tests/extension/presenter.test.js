import assert from 'node:assert/strict';
import test from 'node:test';
import { Groups } from '../../extension/groups.js';
import { Presenter } from '../../extension/presenter.js';
import { area, settled } from './support/fakes.js';

/** The parts of the browser that a person sees: badge, notifications, tab groups. */
function browser() {
  const seen = { badge: '', notifications: {}, groups: new Map(), tabs: new Map(), front: null, closed: [] };
  globalThis.chrome = {
    action: {
      setBadgeText: async ({ text }) => {
        seen.badge = text;
      },
      setBadgeBackgroundColor: async () => {},
      setTitle: async ({ title }) => {
        seen.title = title;
      },
    },
    notifications: {
      create: async (id, options) => {
        seen.notifications[id] = options;
      },
      clear: async (id) => delete seen.notifications[id],
    },
    runtime: { getManifest: () => ({ version: '1.2.3' }) },
    storage: { local: area({ port: 9615, pairing: { extensionToken: 'secret-token' } }) },
    tabs: {
      group: async ({ tabIds, groupId = seen.groups.size + 100 }) => {
        if (!seen.groups.has(groupId)) seen.groups.set(groupId, { id: groupId, windowId: 1 });
        seen.tabs.set(tabIds, groupId);
        return groupId;
      },
      remove: async (tabId) => void seen.closed.push(tabId),
      update: async (tabId) => {
        seen.front = tabId;
        return { id: tabId, windowId: 1 };
      },
    },
    tabGroups: {
      get: async (id) => seen.groups.get(id) ?? Promise.reject(new Error('no group')),
      update: async (id, changes) => Object.assign(seen.groups.get(id), changes),
    },
    windows: { update: async () => {} },
  };
  return seen;
}

function setUp() {
  const seen = browser();
  const told = [];
  const groups = new Groups(area());
  const power = { on: true };
  const presenter = new Presenter({
    tell: (message) => told.push(message),
    groups,
    navigations: { tabOf: () => 7, tabsOf: (session) => (session === 'abc234' ? [7, 8] : []) },
    power,
  });
  return { seen, told, groups, presenter, power };
}
const status = (state, reason = null) => ({ state, reason, since: 0, retryAt: null });
const paused = { session: 'abc234', label: 'Taxes', tab: 't1', paused: true, pauseReason: 'Sign in' };

test('the badge tells connected, not connected and waiting for the person apart', () => {
  const { seen, presenter } = setUp();
  const badges = [];
  for (const state of ['unpaired', 'connecting', 'waiting', 'connected']) {
    presenter.setStatus(status(state));
    badges.push(seen.badge);
  }
  presenter.setSessions([paused]);
  badges.push(seen.badge);
  assert.equal(new Set(badges).size, badges.length);
  assert.match(seen.title, /waits for you/);
});

test('an open popup is shown the sessions and never the token', async () => {
  const { presenter } = setUp();
  const views = [];
  presenter.popupOpened({ postMessage: (view) => views.push(view) });
  presenter.setStatus(status('connected'));
  presenter.setSessions([paused, 'nonsense', { noSession: true }]);
  await settled();
  assert.deepEqual(views.at(-1).sessions, [paused]);
  assert.doesNotMatch(JSON.stringify(views), /secret-token/);
});

test('the badge tells that the switch is off', () => {
  const { seen, presenter, power } = setUp();
  presenter.setStatus(status('connected'));
  presenter.setSessions([paused]);
  power.on = false;
  presenter.switched();
  assert.equal(seen.badge, 'off');
  presenter.setStatus(status('unpaired', 'unpaired'));
  assert.equal(seen.badge, '');
});

test('the sessions are forgotten when the connection ends', () => {
  const { seen, presenter } = setUp();
  presenter.setStatus(status('connected'));
  presenter.setSessions([paused]);
  presenter.setStatus(status('waiting', 'lost'));
  assert.deepEqual(presenter.sessions, []);
  assert.equal(seen.badge, '!');
});

test('the buttons ask the daemon', () => {
  const { seen, told, presenter } = setUp();
  presenter.resume('abc234');
  presenter.close('abc234');
  // The daemon may not be there to ask for that.
  assert.deepEqual(seen.closed, [7, 8]);
  presenter.setSessions([paused]);
  presenter.closeAll();
  assert.deepEqual(seen.closed, [7, 8, 7, 8]);
  assert.deepEqual(told, [
    { type: 'session.resume', session: 'abc234' },
    { type: 'session.close', session: 'abc234' },
    { type: 'session.close_all' },
  ]);
});

test('a pause is notified with its reason, and the notification brings the tab up', async () => {
  const { seen, presenter } = setUp();
  presenter.setSessions([{ ...paused, paused: false }]);
  presenter.notifyPause('abc234', 'Sign in');
  const [[id, { title, message }]] = Object.entries(seen.notifications);
  assert.match(title, /Taxes/);
  assert.equal(message, 'Sign in');
  await presenter.notificationClicked(id);
  assert.equal(seen.front, 7);
  assert.deepEqual(seen.notifications, {});
});

test('a resumed session removes its notification', () => {
  const { seen, presenter } = setUp();
  presenter.notifyPause('abc234', 'Sign in');
  presenter.setSessions([{ ...paused, paused: false }]);
  assert.deepEqual(seen.notifications, {});
});

test('a session’s tabs share one group that carries its label and its pause', async () => {
  const { seen, groups } = setUp();
  groups.add(1, 'abc234');
  groups.add(2, 'abc234');
  groups.add(3, 'xyz567');
  await groups.last;
  assert.equal(seen.tabs.get(1), seen.tabs.get(2));
  assert.notEqual(seen.tabs.get(1), seen.tabs.get(3));
  groups.follow([paused]);
  await groups.last;
  const group = seen.groups.get(seen.tabs.get(1));
  assert.deepEqual([group.title, group.color], ['bproxy: Taxes', 'orange']);
  assert.equal(await groups.window('abc234'), 1);
  assert.equal(await groups.window('xyz567'), null);
});

test('a group that the person ungrouped is created again', async () => {
  const { seen, groups } = setUp();
  groups.add(1, 'abc234');
  await groups.last;
  seen.groups.clear();
  groups.add(2, 'abc234');
  await groups.last;
  assert.equal(seen.groups.get(seen.tabs.get(2)).title, 'bproxy: abc234');
});
