/**
 * Presents the connection, and the sessions that hold tabs here, to the person in front of the browser: badge, popup,
 * notifications. Requests from the person's buttons go to the daemon.
 */

import { PROTOCOL_VERSION } from './protocol.js';
import { isObject } from './schema.js';
import { readPairing, readPort } from './storage.js';

/**
 * @typedef {{ session: string, label?: string, tab?: string, title?: string, paused: boolean, pauseReason?: string,
 *   client?: { name: string, folder?: string } }} Session
 * @typedef {{
 *   status: import('./connection.js').Status, paired: boolean, port: number, sessions: Session[],
 *   on: boolean, extensionVersion: string, protocolVersion: number, daemonVersion: string | null,
 * }} View what the popup shows
 */

/** @type {Record<import('./connection.js').State | 'paused' | 'blocked' | 'off', [text: string, color: string, title: string]>} */
const BADGES = {
  unpaired: ['', '#5f6368', 'bproxy: not paired'],
  connecting: ['…', '#5f6368', 'bproxy: connecting'],
  waiting: ['!', '#b3261e', 'bproxy: not connected'],
  connected: ['on', '#146c2e', 'bproxy: connected'],
  off: ['off', '#5f6368', 'bproxy: switched off'],
  blocked: ['!', '#a15c00', 'bproxy: a page shows a dialog, or is busy'],
  paused: ['?', '#a15c00', 'bproxy: a session waits for you'],
};

/** The ids of notifications: this and the session. */
const NOTIFICATION = 'paused:';

export class Presenter {
  /**
   * @param {{
   *   tell: (message: Record<string, unknown>) => void,
   *   groups: import('./groups.js').Groups,
   *   navigations: import('./navigation.js').Navigations,
   *   power: import('./switch.js').Switch,
   * }} parts `tell` sends a message to the daemon
   */
  constructor({ tell, groups, navigations, power }) {
    this.tell = tell;
    this.groups = groups;
    this.navigations = navigations;
    this.power = power;
    /** @type {Set<chrome.runtime.Port>} */
    this.popups = new Set();
    /** @type {import('./connection.js').Status} */
    this.status = { state: 'connecting', reason: 'starting', since: Date.now(), retryAt: null };
    /** @type {Set<number>} tabs whose page lets no script begin */
    this.blocked = new Set();
    /** @type {Session[]} */
    this.sessions = [];
    /** @type {string | null} */
    this.daemonVersion = null;
  }

  /** A page shows a dialog or is busy, or no longer. @param {number} tabId @param {boolean} isBlocked */
  setBlocked(tabId, isBlocked) {
    if (this.blocked.has(tabId) === isBlocked) return;
    if (isBlocked) this.blocked.add(tabId);
    else this.blocked.delete(tabId);
    this.#update();
  }

  /** @param {import('./connection.js').Status} status */
  setStatus(status) {
    this.status = status;
    // The sessions are only known while the daemon is connected.
    if (status.state !== 'connected') this.sessions = [];
    this.#update();
  }

  /** @param {unknown} version as `/health` has it */
  setDaemonVersion(version) {
    this.daemonVersion = typeof version === 'string' ? version : null;
    this.#update();
  }

  /** @param {unknown} sessions as the daemon's `state` message has them */
  setSessions(sessions) {
    if (!Array.isArray(sessions)) return;
    this.sessions = sessions.filter((entry) => isObject(entry) && typeof entry.session === 'string');
    this.groups.follow(this.sessions);
    for (const { session, paused } of this.sessions) {
      if (!paused) void chrome.notifications.clear(NOTIFICATION + session);
    }
    this.#update();
  }

  /**
   * Shows a desktop notification that says which session waits for the person, and why.
   * @param {string} session @param {string} reason
   */
  notifyPause(session, reason) {
    const known = this.sessions.find((entry) => entry.session === session);
    void chrome.notifications.create(NOTIFICATION + session, {
      type: 'basic',
      iconUrl: 'icons/128.png',
      title: `bproxy: ${known?.label || session} needs you`,
      message: reason,
      requireInteraction: true,
    });
  }

  /** Brings up the tab of the session that the notification is about. @param {string} id */
  async notificationClicked(id) {
    const tabId = this.navigations.tabOf(id.slice(NOTIFICATION.length));
    await chrome.notifications.clear(id);
    if (tabId === undefined) return;
    const tab = await chrome.tabs.update(tabId, { active: true }).catch(() => undefined);
    if (tab !== undefined) await chrome.windows.update(tab.windowId, { focused: true });
  }

  /** @param {string} session */
  resume(session) {
    this.tell({ type: 'session.resume', session });
  }

  /** Ends a session, and closes its tabs here: the daemon may not be there to ask for it. @param {string} session */
  close(session) {
    this.tell({ type: 'session.close', session });
    this.#closeTabs(session);
  }

  /** The same for all sessions with tabs in this browser. */
  closeAll() {
    this.tell({ type: 'session.close_all' });
    for (const { session } of this.sessions) this.#closeTabs(session);
  }

  /** @param {string} session */
  #closeTabs(session) {
    for (const tabId of this.navigations.tabsOf(session)) void chrome.tabs.remove(tabId).catch(() => {});
  }

  /** The person has turned the switch. */
  switched() {
    this.#update();
  }

  /** @param {chrome.runtime.Port} popup */
  popupOpened(popup) {
    this.popups.add(popup);
    this.#update();
  }

  /** @param {chrome.runtime.Port} popup */
  popupClosed(popup) {
    this.popups.delete(popup);
  }

  #update() {
    const [text, color, title] = BADGES[this.#badge()];
    void chrome.action.setBadgeText({ text });
    void chrome.action.setBadgeBackgroundColor({ color });
    void chrome.action.setTitle({ title });
    if (this.popups.size > 0) void this.#updatePopups();
  }

  #badge() {
    if (this.status.state === 'unpaired') return 'unpaired';
    if (!this.power.on) return 'off';
    if (this.sessions.some((session) => session.paused)) return 'paused';
    return this.blocked.size > 0 && this.status.state === 'connected' ? 'blocked' : this.status.state;
  }

  async #updatePopups() {
    const [pairing, port] = await Promise.all([readPairing(chrome.storage.local), readPort(chrome.storage.local)]);
    /** @type {View} */
    const view = {
      status: this.status,
      paired: pairing !== null,
      port,
      sessions: this.sessions,
      on: this.power.on,
      extensionVersion: chrome.runtime.getManifest().version,
      protocolVersion: PROTOCOL_VERSION,
      daemonVersion: this.daemonVersion,
    };
    for (const popup of this.popups) popup.postMessage(view);
  }
}
