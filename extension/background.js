/**
 * The service worker: makes the parts, wires them to each other and to the browser's events.
 * It decides nothing. Chrome may end it at any moment and starts it again for the next event, so
 * every listener is registered at once, before anything is awaited.
 */

import { Connection, endpoint } from './connection.js';
import { DedupeLog } from './dedupe-log.js';
import { Dispatcher } from './dispatch.js';
import { Groups } from './groups.js';
import { Navigations } from './navigation.js';
import { ScriptingDriver } from './page-driver.js';
import { BAD_PORT, claim, isPort } from './pairing.js';
import { Presenter } from './presenter.js';
import { negotiate, PROTOCOL_VERSION } from './protocol.js';
import { isObject } from './schema.js';
import { newInstanceId, readInstanceId, readPairing, readPort } from './storage.js';
import { Trace } from './trace.js';

/** Chrome's floor is 30 s; a minute is the longest that a lost connection stays lost. */
const ALARM = 'connect';
const ALARM_MINUTES = 1;
/** A local daemon answers in milliseconds. */
const HEALTH_MS = 2_000;

const { local, session } = chrome.storage;
const now = () => Date.now();
const version = chrome.runtime.getManifest().version;

let instanceId = '';
/** The token that the connection uses: only that one can turn out to be void. */
let token = '';
/** The protocol version that hello names: the newest, unless the daemon has just turned out not to speak it. */
let speaks = PROTOCOL_VERSION;
const trace = new Trace(session, now);
const dedupeLog = new DedupeLog(local, session, now);
const navigations = new Navigations(session, tell);
const groups = new Groups(session);
const presenter = new Presenter({ tell, groups, navigations });
const connection = new Connection({
  open: ({ url, protocols }) => new WebSocket(url, protocols),
  reachable: async () => (await health()) !== null,
  disagreement,
  clock: { now, setTimeout: (run, ms) => setTimeout(run, ms), clearTimeout: (timer) => clearTimeout(timer) },
  random: Math.random,
  onOpen: greet,
  onMessage: receive,
  onStatus: (status) => presenter.setStatus(status),
  onClosed: closed,
});
const dispatcher = new Dispatcher({
  driver: new ScriptingDriver(),
  dedupeLog,
  trace,
  navigations,
  groups,
  send: (text) => connection.send(text),
  onPause: (name, reason) => presenter.notifyPause(name, reason),
  now,
});

const ready = start();

async function start() {
  // An alarm that is there goes on; making it anew at every start would put it off again and again.
  if ((await chrome.alarms.get(ALARM)) === undefined)
    await chrome.alarms.create(ALARM, { periodInMinutes: ALARM_MINUTES });
  [instanceId] = await Promise.all([readInstanceId(local), dedupeLog.load(), trace.load(), navigations.load()]);
  // The worker that was opening these is gone, and no session will ever own them.
  for (const tabId of [...navigations.opening]) await chrome.tabs.remove(tabId).catch(() => {});
  const open = new Set((await chrome.tabs.query({})).map((tab) => tab.id));
  for (const tabId of [...navigations.held.keys()]) if (!open.has(tabId)) navigations.drop(tabId);
  await connect();
}

async function connect() {
  const [pairing, port] = await Promise.all([readPairing(local), readPort(local)]);
  if (pairing === null) return connection.stop(connection.status.reason === 'token_void' ? 'token_void' : 'unpaired');
  token = pairing.extensionToken;
  connection.start(endpoint(port, token));
}

// ---- The daemon ----

/** @param {Record<string, unknown>} message */
function tell(message) {
  connection.send(JSON.stringify(message));
}

/** What a connection begins with: who we are, then where the tabs are that we hold. */
async function greet() {
  trace.add('connected');
  const { brands = [] } = /** @type {any} */ (navigator).userAgentData ?? {};
  const brand = brands.find((/** @type {{ brand: string }} */ known) => !/not.?a.?brand/i.test(known.brand));
  const browser = brand ? `${brand.brand} ${brand.version}` : 'Chromium';
  tell({ type: 'hello', instanceId, extensionVersion: version, protocolVersion: speaks, browser });
  for (const tabId of [...navigations.held.keys()]) {
    const tab = await chrome.tabs.get(tabId).catch(() => null);
    if (tab?.url) navigations.announce(tabId, tab.url, 'committed');
  }
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
  if (message.type === 'state') return presenter.setSessions(message.sessions);
  void dispatcher.receive(message);
}

/**
 * What to make of a daemon that does not speak the version of hello: there is another one to say it in, or somebody has to update.
 * @returns {Promise<import('./connection.js').Reason>} null if there is
 */
async function disagreement() {
  const agreed = negotiate((await health())?.protocolVersion);
  if (typeof agreed !== 'number') return agreed;
  // What it has refused is not tried at once again.
  if (agreed === speaks) return 'incompatible';
  speaks = agreed;
  return null;
}

/** @param {import('./connection.js').Reason} reason */
function closed(reason) {
  speaks = PROTOCOL_VERSION;
  trace.add('disconnected', { reason });
  if (reason === 'token_void') void forget(token);
  // Two live workers of one name would push each other out for ever: a copied profile takes a new one.
  if (reason === 'replaced') void newInstanceId(local).then((made) => (instanceId = made));
}

/** A new pairing voids the old token, and may be stored before the old connection hears of it. @param {string} voided */
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

chrome.runtime.onMessage.addListener((request, _sender, answer) => {
  void ready
    .then(async () => answer((await REQUESTS[request.type]?.(request)) ?? { ok: true }))
    .catch((error) =>
      answer({ ok: false, message: `The extension failed: ${error.message}. Reload it on chrome://extensions.` }),
    );
  return true; // the answer comes later
});

/** @type {Record<string, (request: any) => Promise<import('./pairing.js').Outcome> | void>} */
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
  closeAll: () => presenter.closeAll(),
};

local.onChanged.addListener((changes) => {
  if (changes.pairing || changes.port) void ready.then(connect);
});

chrome.notifications.onClicked.addListener((id) => void ready.then(() => presenter.notificationClicked(id)));

// ---- The browser ----

chrome.alarms.onAlarm.addListener(() => void ready.then(() => connection.nudge()));
// Being started is what these are for; start() does the rest.
chrome.runtime.onStartup.addListener(() => void ready);
chrome.runtime.onInstalled.addListener(() => void ready);
chrome.tabs.onRemoved.addListener((tabId) => void ready.then(() => navigations.drop(tabId)));

/** @typedef {{ tabId: number, frameId: number, url: string, error?: string, documentId?: string, documentLifecycle?: string }} Details */
/** @param {import('./navigation.js').NavigationEvent['kind']} kind */
const on =
  (kind) =>
  (/** @type {Details} */ { tabId, frameId, url, error = '', documentId = '', documentLifecycle }) => {
    if (frameId !== 0 || documentLifecycle === 'prerender') return;
    // Chrome writes noughts where there is no document.
    navigations.happened({ kind, tabId, url, error, documentId: /^0*$/.test(documentId) ? '' : documentId });
  };
chrome.webNavigation.onBeforeNavigate.addListener(on('started'));
chrome.webNavigation.onCommitted.addListener(on('committed'));
chrome.webNavigation.onCompleted.addListener(on('loaded'));
chrome.webNavigation.onErrorOccurred.addListener(on('failed'));
chrome.webNavigation.onHistoryStateUpdated.addListener(on('moved'));
chrome.webNavigation.onReferenceFragmentUpdated.addListener(on('moved'));
