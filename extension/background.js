/**
 * The service worker: makes the parts and wires them to each other and to the browser's events. Chrome may end it at any
 * moment and starts it again for the next event, so every listener is registered at once, before anything is awaited.
 */

import { Adoption } from './adoption.js';
import { begun } from './beginning.js';
import { Connection } from './connection.js';
import { DedupeLog } from './dedupe-log.js';
import { Dispatcher } from './dispatch.js';
import { Documents } from './documents.js';
import { Downloads } from './downloads.js';
import { FramedDriver } from './framed-driver.js';
import { Frames } from './frames.js';
import { Groups } from './groups.js';
import { shakeHands } from './handshake.js';
import { Navigations } from './navigation.js';
import { BAD_PORT, claim, isPort } from './pairing.js';
import { Presenter } from './presenter.js';
import { negotiate, PROTOCOL_VERSION } from './protocol.js';
import { isObject } from './schema.js';
import { SessionFiles } from './session-files.js';
import { newInstanceId, readInstanceId, readPairing, readPort } from './storage.js';
import { Switch } from './switch.js';
import { Trace } from './trace.js';
import { Windows } from './windows.js';

/** Chrome's minimum is 30 s; a lost connection is retried after a minute at most. */
const ALARM = 'connect';
const ALARM_MINUTES = 1;
/** A local daemon answers in milliseconds. */
const HEALTH_MS = 2_000;
/** What this extension understands beyond the first messages of the protocol: numbered elements, marked documents. */
const REVISION = 1;

const { local, session } = chrome.storage;
const now = () => Date.now();
const version = chrome.runtime.getManifest().version;

let instanceId = '';
/** The token that the connection uses. */
let token = '';
/** Where the daemon is. @type {import('./handshake.js').Endpoint | null} */
let endpoint = null;
/** The protocol version that hello names: the newest, unless the daemon has just refused it. */
let helloVersion = PROTOCOL_VERSION;
const trace = new Trace(session, now);
const dedupeLog = new DedupeLog(local, session, now);
const navigations = new Navigations(local, tell);
const documents = new Documents(session);
const frames = new Frames(session);
const groups = new Groups(session);
const windows = new Windows(session);
const adoption = new Adoption({ navigations, groups, tell, now });
const downloads = new Downloads({ navigations, area: session });
const power = new Switch(local, (name) => tell({ type: 'session.resume', session: name }));
const files = new SessionFiles({ endpoint: () => endpoint, fetch: (...args) => fetch(...args) });
const presenter = new Presenter({ tell, groups, navigations, power });
const connection = new Connection({
  shakeHands: (endpoint) => shakeHands(endpoint, fetch),
  open: ({ url, protocols }) => new WebSocket(url, protocols),
  hello,
  reachable: async () => (await health()) !== null,
  negotiateAgain,
  clock: { now, setTimeout: (run, ms) => setTimeout(run, ms), clearTimeout: (timer) => clearTimeout(timer) },
  random: Math.random,
  onOpen: announce,
  onMessage: receive,
  onStatus: (status) => presenter.setStatus(status),
  onClosed: closed,
});
const dispatcher = new Dispatcher({
  driver: new FramedDriver(frames),
  dedupeLog,
  trace,
  navigations,
  documents,
  groups,
  windows,
  adoption,
  downloads,
  files,
  power,
  send: (text) => connection.send(text),
  onPause: (name, reason) => presenter.notifyPause(name, reason),
  onBlocked: (tabId, is) => presenter.setBlocked(tabId, is),
  now,
});

const ready = start();

async function start() {
  // Creating the alarm again at every start would postpone it each time.
  if ((await chrome.alarms.get(ALARM)) === undefined) {
    await chrome.alarms.create(ALARM, { periodInMinutes: ALARM_MINUTES });
  }
  [instanceId] = await Promise.all([
    readInstanceId(local),
    dedupeLog.load(),
    trace.load(),
    navigations.load(),
    power.load(),
    documents.load(),
    frames.load(),
    downloads.load(),
  ]);
  // The worker that opened these tabs is gone, so no session will own them.
  for (const tabId of [...navigations.opening]) await chrome.tabs.remove(tabId).catch(() => {});
  const open = new Set((await chrome.tabs.query({})).map((tab) => tab.id));
  for (const tabId of [...navigations.held.keys()]) if (!open.has(tabId)) navigations.drop(tabId);
  await connect();
}

async function connect() {
  const [pairing, port] = await Promise.all([readPairing(local), readPort(local)]);
  if (pairing === null) return connection.stop(connection.status.reason === 'token_void' ? 'token_void' : 'unpaired');
  token = pairing.extensionToken;
  endpoint = { port, token };
  connection.start(endpoint);
}

// ---- The daemon ----

/** @param {Record<string, unknown>} message @returns {boolean} false without a connection */
function tell(message) {
  return connection.send(JSON.stringify(message));
}

/** The first message of a connection, which is sent before the daemon has proved itself. @param {string} nonce */
function hello(nonce) {
  const { userAgentData } =
    /** @type {Navigator & { userAgentData?: { brands?: { brand: string, version: string }[] } }} */ (navigator);
  const brand = userAgentData?.brands?.find((known) => !/not.?a.?brand/i.test(known.brand));
  const browser = brand ? `${brand.brand} ${brand.version}` : 'Chromium';
  return JSON.stringify({
    type: 'hello',
    instanceId,
    extensionVersion: version,
    protocolVersion: helloVersion,
    browser,
    revision: REVISION,
    nonce,
    tabs: navigations.list(),
  });
}

/** Tells the daemon the address of each tab held. */
async function announce() {
  trace.add('connected');
  for (const tabId of [...navigations.held.keys()]) {
    const tab = await chrome.tabs.get(tabId).catch(() => null);
    if (tab?.url) navigations.announce(tabId, tab.url, 'committed');
  }
  power.connected();
  presenter.setDaemonVersion((await health())?.version);
}

/** @param {string} text */
function receive(text) {
  /** @type {unknown} */
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return trace.add('bad_message');
  }
  if (!isObject(message)) return trace.add('bad_message');
  if (message.type === 'pong') return;
  if (message.type === 'state') return setSessions(message.sessions);
  if (message.type === 'cancel') return dispatcher.cancel(message.id);
  void dispatcher.receive(message);
}

/** @param {unknown} sessions as the daemon's `state` message has them */
function setSessions(sessions) {
  if (!Array.isArray(sessions)) return;
  navigations.keep(new Set(sessions.map((entry) => entry?.session)));
  presenter.setSessions(sessions);
}

/**
 * Called when the daemon refused the version in hello: chooses another version, or finds which side has to be updated.
 * @returns {Promise<import('./connection.js').Reason>} null if hello can be sent again in another version
 */
async function negotiateAgain() {
  const agreed = negotiate((await health())?.protocolVersion);
  if (typeof agreed !== 'number') return agreed;
  // The daemon has just refused this version.
  if (agreed === helloVersion) return 'incompatible';
  helloVersion = agreed;
  return null;
}

/** @param {import('./connection.js').Reason} reason */
function closed(reason) {
  helloVersion = PROTOCOL_VERSION;
  trace.add('disconnected', { reason });
  if (reason === 'token_void') void forget(token);
  // Two workers with the same instance id, as in a copied profile, would replace each other for ever.
  if (reason === 'replaced') void newInstanceId(local).then((made) => (instanceId = made));
}

/** Removes the pairing, unless a new one has already replaced it. @param {string} voided */
async function forget(voided) {
  if ((await readPairing(local))?.extensionToken === voided) await local.remove('pairing');
}

/** @returns {Promise<Record<string, unknown> | null>} null if nothing answers on the port */
async function health() {
  try {
    const response = await fetch(`http://127.0.0.1:${await readPort(local)}/health`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(HEALTH_MS),
    });
    const body = await response.json().catch(() => null);
    return isObject(body) ? body : {};
  } catch {
    return null;
  }
}

// ---- The person ----

chrome.runtime.onConnect.addListener((popup) => {
  presenter.popupOpened(popup);
  popup.onDisconnect.addListener(() => presenter.popupClosed(popup));
  void ready.then(() => connection.nudge());
});

chrome.runtime.onMessage.addListener((request, sender, answer) => {
  if ('begun' in request) return begun(request.begun);
  if ('files' in request) {
    void files.ask(request.files, sender).then(answer);
    return true;
  }
  const type = /** @type {keyof PopupRequests} */ (request.type);
  void ready
    .then(async () => answer((await REQUESTS[type]?.(request)) ?? { ok: true }))
    .catch((error) =>
      answer({ ok: false, message: `The extension failed: ${error.message}. Reload it on chrome://extensions.` }),
    );
  // The answer comes later.
  return true;
});

/**
 * The popup's requests, by type, with their parameters.
 * @typedef {{
 *   pair: { code: string, port: number }, port: { port: number }, unpair: {}, reconnect: {},
 *   resume: { session: string }, close: { session: string }, closeAll: {}, switch: { on: boolean },
 * }} PopupRequests
 * @typedef {{ [Type in keyof PopupRequests]: { type: Type } & PopupRequests[Type] }[keyof PopupRequests]} PopupRequest
 */

/** @type {{ [Type in keyof PopupRequests]: (request: PopupRequests[Type]) => Promise<import('./pairing.js').Outcome> | void }} */
const REQUESTS = {
  pair: ({ code, port }) => claim({ code, port }, { fetch, local, now }),
  port: async ({ port }) => {
    if (!isPort(port)) return { ok: false, message: BAD_PORT };
    await local.set({ port });
    return { ok: true };
  },
  unpair: async () => {
    await local.remove('pairing');
    return { ok: true };
  },
  reconnect: () => connection.nudge(),
  resume: ({ session }) => presenter.resume(session),
  close: ({ session }) => presenter.close(session),
  closeAll: async () => {
    await turn(false);
    presenter.closeAll();
    return { ok: true };
  },
  switch: async ({ on }) => {
    await turn(on);
    return { ok: true };
  },
};

/** Turns the person's switch, and ends what runs if that turns it off. @param {boolean} on */
async function turn(on) {
  const turned = power.turn(on);
  if (!on) dispatcher.stop();
  presenter.switched();
  await turned;
}

local.onChanged.addListener((changes) => {
  if (changes.pairing || changes.port) void ready.then(connect);
});

chrome.notifications.onClicked.addListener((id) => void ready.then(() => presenter.notificationClicked(id)));

// ---- The browser ----

chrome.alarms.onAlarm.addListener(() => void ready.then(() => connection.nudge()));
// These events have to start the worker; start() does the rest.
chrome.runtime.onStartup.addListener(() => navigations.restart());
chrome.runtime.onInstalled.addListener(() => void ready);
chrome.tabs.onRemoved.addListener((tabId) => {
  void ready.then(() => {
    navigations.drop(tabId);
    documents.drop(tabId);
    frames.drop(tabId);
    presenter.setBlocked(tabId, false);
  });
});

/** @typedef {{ tabId: number, frameId: number, url: string, error?: string, documentId?: string, documentLifecycle?: string }} Details */
/** @param {import('./navigation.js').NavigationEvent['kind']} kind */
const on =
  (kind) =>
  (/** @type {Details} */ { tabId, frameId, url, error = '', documentId = '', documentLifecycle }) => {
    if (frameId !== 0 || documentLifecycle === 'prerender') return;
    // Without a document Chrome reports zeros.
    navigations.handle({ kind, tabId, url, error, documentId: /^0*$/.test(documentId) ? '' : documentId });
  };
chrome.webNavigation.onCreatedNavigationTarget.addListener((opened) => {
  adoption.created(opened);
  downloads.opened(opened);
});
chrome.tabs.onActivated.addListener((tab) => adoption.activated(tab));
chrome.downloads.onCreated.addListener((item) => downloads.created(item));
chrome.webNavigation.onBeforeNavigate.addListener(on('started'));
chrome.webNavigation.onCommitted.addListener(on('committed'));
chrome.webNavigation.onDOMContentLoaded.addListener(on('parsed'));
chrome.webNavigation.onCompleted.addListener(on('loaded'));
chrome.webNavigation.onErrorOccurred.addListener(on('failed'));
chrome.webNavigation.onHistoryStateUpdated.addListener(on('moved'));
chrome.webNavigation.onReferenceFragmentUpdated.addListener(on('moved'));
