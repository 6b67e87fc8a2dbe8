/** The popup: shows what the worker sends and passes on what the person asks for. Stores nothing. */

/** @typedef {import('./presenter.js').View} View */

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const input = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
const button = (/** @type {string} */ id) => /** @type {HTMLButtonElement} */ (document.getElementById(id));

/** Why there is no connection, and what the person can do. @type {Record<string, [status: string, advice: string]>} */
const REASONS = {
  starting: ['Connecting…', ''],
  unpaired: ['Not paired', 'Pair this browser to let an agent work in it.'],
  token_void: ['Not paired any more', 'Another pairing has replaced this one. Pair again to use this browser.'],
  unreachable: [
    'Not connected',
    'No daemon answers on port {port}. Start it with “bproxy service start”, or correct the port in the settings.',
  ],
  stranger: [
    'Not connected',
    'What answers on port {port} is not the daemon that this browser is paired with; run “bproxy doctor”. If another pairing has replaced this one, or the daemon’s state is new, pair again.',
  ],
  locked: [
    'Not connected',
    'The keyring, which has the pairing, is locked. Unlock it in your desktop’s password manager: this browser then connects by itself. Do not pair again.',
  ],
  refused: [
    'Not connected',
    'The daemon refuses this extension. If BPROXY_EXTENSION_IDS is set, this extension’s id must be in it; otherwise pair again.',
  ],
  lost: ['Not connected', 'The connection was lost. It comes back by itself.'],
  stale: ['Not connected', 'The daemon stopped answering. If it stays so, run “bproxy service restart”.'],
  shutdown: ['Not connected', 'The daemon was stopped. Start it with “bproxy service start”.'],
  replaced: [
    'Not connected',
    'Another browser came with the same identity (a copied profile?). This one takes a new identity and comes back.',
  ],
  incompatible: [
    'Not connected',
    'The daemon and this extension speak different protocol versions. Update the older of the two.',
  ],
  daemon_old: [
    'Not connected',
    'This extension is newer than the daemon, which does not speak its protocol yet. Update bproxy, then run “bproxy service restart”.',
  ],
  extension_old: [
    'Not connected',
    'The daemon is newer than this extension and does not speak its protocol any more. Run “bproxy extension install” and reload the extension on chrome://extensions.',
  ],
};

const SWITCHED_OFF = 'Off: every command is refused until you turn it on again. The pairing stays.';

let shown = false;
let sessionsShown = '';
/** Requests are sent one at a time. @type {Promise<unknown>} */
let asked = Promise.resolve();

/** The worker may end while the popup is open; connecting again starts it. */
const LISTEN_AGAIN_MS = 200;

function listen() {
  const worker = chrome.runtime.connect({ name: 'popup' });
  worker.onMessage.addListener(show);
  worker.onDisconnect.addListener(() => setTimeout(listen, LISTEN_AGAIN_MS));
}

/** @param {View} view */
function show(view) {
  const { state, reason, retryAt } = view.status;
  const [words, advice] =
    state === 'connected'
      ? ['Connected', '']
      : state === 'connecting' && !reason
        ? ['Connecting…', '']
        : (REASONS[reason ?? 'starting'] ?? REASONS.lost);
  const status = find('status');
  const before = status.dataset.state;
  // The message about the last request is outdated.
  if ((before !== state && state === 'unpaired') || (before === 'connected' && state === 'waiting')) {
    setText(find('message'), '');
  }
  status.dataset.state = state;
  setText(status, words);
  setText(find('advice'), advice.replace('{port}', String(view.port)));
  button('reconnect').hidden = retryAt === null;

  const repair = reason === 'refused' || reason === 'stranger';
  find('pairing').hidden = view.paired && !repair;
  setText(
    find('pairing-title'),
    view.paired || reason === 'token_void' ? 'Pair this browser again' : 'Pair this browser',
  );
  button('unpair').hidden = !view.paired;
  find('power').hidden = !view.paired;
  input('switch').checked = view.on;
  setText(find('switch-hint'), view.on ? '' : SWITCHED_OFF);
  // Shown until the person types another one.
  input('port').defaultValue = String(view.port);
  if (!shown && !view.paired) input('code').focus();
  shown = true;
  showSessions(view);
  showVersions(view);
}

/** @param {View} view */
function showSessions({ sessions }) {
  // A button that is rebuilt while the mouse is pressed on it would miss the click.
  const text = JSON.stringify(sessions);
  if (text === sessionsShown) return;
  sessionsShown = text;
  find('held').hidden = sessions.length === 0;
  const focused = document.activeElement instanceof HTMLElement ? { ...document.activeElement.dataset } : {};
  find('sessions').replaceChildren(
    ...sessions.map(({ session, label, tab, title, paused, pauseReason, client }) => {
      const name = label || session;
      const item = document.createElement('li');
      const heading = make('div', `${name}${tab ? ` · ${tab}` : ''}`, 'name');
      if (label) heading.title = session;
      item.append(heading);
      if (client)
        item.append(make('div', client.folder ? `${client.name} in ${client.folder}` : client.name, 'client'));
      if (title) item.append(make('div', title, 'title'));
      if (paused) item.append(make('div', `Paused: ${pauseReason || 'it needs you'}`, 'paused'));
      if (paused) item.append(act('Resume', name, 'resume', session));
      item.append(act('Stop', name, 'close', session));
      return item;
    }),
  );
  for (const kind of ['resume', 'close']) {
    if (focused[kind]) {
      /** @type {HTMLElement | null} */ (
        document.querySelector(`[data-${kind}="${CSS.escape(focused[kind])}"]`)
      )?.focus();
    }
  }
}

/** @param {string} tag @param {string} text @param {string} name */
function make(tag, text, name) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
}

/** @param {string} text @param {string} name @param {'resume' | 'close'} type @param {string} session */
function act(text, name, type, session) {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.setAttribute('aria-label', `${text} ${name}`);
  element.dataset[type] = session;
  if (type === 'close') element.className = 'stop';
  element.addEventListener('click', () => void ask({ type, session }));
  return element;
}

/** @param {View} view */
function showVersions({ extensionVersion, daemonVersion, port, status }) {
  const footer = find('versions');
  const daemon = daemonVersion === null ? '' : ` · daemon ${daemonVersion}`;
  setText(footer, `Extension ${extensionVersion}${daemon}${status.state === 'connected' ? ` · port ${port}` : ''}`);
  if (status.state === 'connected' && daemonVersion !== null && daemonVersion !== extensionVersion) {
    footer.append(
      make('div', 'The versions differ: run “bproxy extension install” and reload the extension.', 'mismatch'),
    );
  }
}

/** A screen reader reads a live region whenever it is written to, so it is written only when it changes. @param {HTMLElement} element @param {string} text */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {import('./background.js').PopupRequest} request
 * @param {string} [good] what to say when it went well
 * @param {HTMLInputElement} [field] the invalid field if it did not
 */
function ask(request, good = '', field) {
  const answered = asked.then(() => put(request, good, field));
  asked = answered;
  return answered;
}

/** @param {import('./background.js').PopupRequest} request @param {string} good @param {HTMLInputElement} [field] */
async function put(request, good, field) {
  const message = find('message');
  message.textContent = '';
  delete message.dataset.good;
  field?.removeAttribute('aria-invalid');
  button('pair').disabled = true;
  /** @type {import('./pairing.js').Outcome} */
  const outcome = await chrome.runtime
    .sendMessage(request)
    .catch((error) => ({ ok: false, message: String(error?.message ?? error) }));
  button('pair').disabled = false;
  if (outcome.ok) {
    if (good) message.dataset.good = '';
    message.textContent = good;
  } else {
    message.textContent = outcome.message;
    field?.setAttribute('aria-invalid', 'true');
    field?.focus();
  }
  return outcome.ok;
}

const portNumber = () => (/^\s*\d+\s*$/.test(input('port').value) ? Number(input('port').value) : Number.NaN);

find('pairing').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (await ask({ type: 'pair', code: input('code').value, port: portNumber() }, 'Paired.', input('code'))) {
    input('code').value = '';
  }
});
find('port-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void ask({ type: 'port', port: portNumber() }, 'The port is saved.', input('port'));
});
button('reconnect').addEventListener('click', () => void ask({ type: 'reconnect' }));
button('unpair').addEventListener('click', () => void ask({ type: 'unpair' }, 'The pairing is forgotten.'));
input('switch').addEventListener('change', () => void ask({ type: 'switch', on: input('switch').checked }));
button('close-all').addEventListener('click', () => void ask({ type: 'closeAll' }));

listen();
