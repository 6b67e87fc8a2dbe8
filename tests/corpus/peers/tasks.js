/**
 * The tasks of tests/browser/tasks.rs as other tools do them: `node tasks.js CHROMIUM SITE` prints a line of JSON
 * `{peer, task, said, heard}` for each. The steps are those that the tools' own descriptions lead to: each page is read before
 * it is acted on, and nobody writes a script of their own. What a task comes to is looked for in what was heard.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as servers from './servers.js';

const [chromium, site] = process.argv.slice(2);
/** In the folder that the tools work in, of which some take files alone. */
const csv = `${process.cwd()}/report-2027-03.csv`;
const run = promisify(execFile);
const at = (page) => `${site}${page}`;

/** What is filled into the form of twelve fields: the label, what kind of field it is, and the value. */
const FORM = [
  ['Title', 'textbox', 'Knots and splices'],
  ['Speaker', 'textbox', 'Ada Byron'],
  ['E-mail', 'textbox', 'ada@example.org'],
  ['Phone', 'textbox', '+44 20 7946 0000'],
  ['Date', 'textbox', '2027-03-14'],
  ['Start', 'textbox', '09:30'],
  ['Seats', 'textbox', '24'],
  ['Room', 'combobox', 'Library'],
  ['Advanced', 'radio', 'true'],
  ['Website', 'textbox', 'https://example.org/knots'],
  ['Summary', 'textbox', 'Twelve knots for every day'],
  ['May be recorded', 'checkbox', 'true'],
];
const SIGN_IN = [
  ['User name', 'textbox', 'ada'],
  ['Password', 'textbox', 'analytical'],
];
const FRAMES = [
  ['Postcode', 'textbox', '8010'],
  ['Voucher', 'textbox', 'TIDE-7'],
];
/** The second factor, which the person enters while the agent waits. */
const PERSON = `document.querySelector('[name=code]').value = '271828'; document.querySelector('#second').requestSubmit();`;

/** The row of what comes before all of them. */
const BEFORE = 'tools and instructions, once';
/** What has to be heard in the end of each task. */
const DONE = {
  'search a documentation site': ['tried 7 times in all'],
  'a form of twelve fields': ['Registered as W-2041'],
  'sign in, with a second factor by the person': ['1,204.17 EUR'],
  'a table of five pages, all rows': Array.from({ length: 47 }, (_, index) => `A-${1001 + index}`),
  'upload a file': ['Sent report-2027-03.csv, 4 lines.'],
  'download a file': ['report-2027-03.csv'],
  'a confirm dialog': ['Breakwater was deleted.'],
  'two frames': ['Ordered, to 8010, with voucher TIDE-7.'],
  'prices in two tabs': ['is in your basket'],
};

/** An agent with a tool: what it says and hears, and how it finds an element in what it has heard last. */
class Agent {
  said = [];
  heard = [];

  constructor(peer, ask, reference) {
    Object.assign(this, { peer, ask, reference });
  }

  /** Calls a tool, or runs a command line. */
  async call(tool, params) {
    const heard = await this.ask(tool, params);
    this.said.push(params === undefined ? tool : `${tool} ${JSON.stringify(params)}`);
    this.heard.push(heard);
    return heard;
  }

  /** The reference of the last element in what was heard last whose line has these words. */
  ref(...words) {
    const lines = this.heard.at(-1).split('\n');
    const line = lines.find((it) => words.every((word) => it.includes(word)) && this.reference.test(it));
    if (!line) throw new Error(`${this.peer}: no ${words} in ${this.heard.at(-1)}`);
    return this.reference.exec(line)[1];
  }

  async does(task, steps) {
    Object.assign(this, { said: [], heard: [] });
    await steps(this);
    const { peer, said, heard } = this;
    const missing = DONE[task].filter((it) => !heard.join('\n').includes(it));
    if (missing.length > 0) throw new Error(`${peer}, ${task}: no ${missing} in ${heard.join('\n')}`);
    console.log(JSON.stringify({ peer, task, said, heard }));
  }
}

/** Prints what a model is told before the first task: tools and instructions, or a skill. */
async function begin(peer, told) {
  const all =
    typeof told === 'string' ? told : JSON.stringify((await told.listTools()).tools) + (told.getInstructions() ?? '');
  console.log(JSON.stringify({ peer, task: BEFORE, said: [], heard: [all] }));
}

async function playwright() {
  const { client, ask } = await servers.connect(servers.playwright(chromium));
  await begin('playwright-mcp', client);
  const agent = new Agent('playwright-mcp', ask, /\[ref=(\w+)\]/);
  const open = async (page) => {
    await agent.call('browser_navigate', { url: at(page) });
    await read();
  };
  const read = () => agent.call('browser_snapshot', {});
  const click = (...words) => agent.call('browser_click', { target: agent.ref(...words) });
  const fill = (fields) =>
    agent.call('browser_fill_form', {
      fields: fields.map(([name, type, value]) => ({ target: agent.ref(`"${name}"`), name, type, value })),
    });

  await agent.does('search a documentation site', async () => {
    await open('docs/index.html');
    await agent.call('browser_type', { target: agent.ref('searchbox'), text: 'retry limit', submit: true });
    await read();
    await click('link "Retries"');
    await read();
  });
  await agent.does('a form of twelve fields', async () => {
    await open('form.html');
    const button = agent.ref('button "Register"');
    await fill(FORM);
    await agent.call('browser_click', { target: button });
    await read();
  });
  await agent.does('sign in, with a second factor by the person', async () => {
    await open('sign-in.html');
    const button = agent.ref('button "Sign in"');
    await fill(SIGN_IN);
    await agent.call('browser_click', { target: button });
    await read();
    await ask('browser_evaluate', { function: `() => { ${PERSON} }` });
    await read();
  });
  await agent.does('a table of five pages, all rows', async () => {
    await open('table.html');
    for (let page = 2; page <= 5; page += 1) {
      await click('button "Next"');
      await read();
    }
  });
  await agent.does('upload a file', async () => {
    await open('upload.html');
    const button = agent.ref('button "Send"');
    await click('button "Receipt"');
    await agent.call('browser_file_upload', { paths: [csv] });
    await agent.call('browser_click', { target: button });
    await read();
  });
  await agent.does('download a file', async () => {
    await open('reports.html');
    await click('link "March 2027"');
  });
  await agent.does('a confirm dialog', async () => {
    await open('confirm.html');
    await click('"Delete Breakwater"');
    await agent.call('browser_handle_dialog', { accept: true });
    await read();
  });
  await agent.does('two frames', async () => {
    await open('frames.html');
    const button = agent.ref('button "Place order"');
    await fill(FRAMES);
    await agent.call('browser_click', { target: button });
    await read();
  });
  await agent.does('prices in two tabs', async () => {
    await open('shop-south.html');
    const button = agent.ref('button "Add to basket"');
    await agent.call('browser_tabs', { action: 'new', url: at('shop-north.html') });
    await read();
    await agent.call('browser_tabs', { action: 'select', index: 0 });
    await agent.call('browser_click', { target: button });
    await read();
  });
  await client.close();
}

async function devtools() {
  const { client, ask } = await servers.connect(servers.devtools(chromium));
  await begin('chrome-devtools-mcp', client);
  const agent = new Agent('chrome-devtools-mcp', ask, /uid=(\w+)/);
  const opened = [];
  const open = async (page) => {
    const pages = await agent.call('new_page', { url: at(page) });
    opened.push(Number(/^(\d+): .*\[selected\]/m.exec(pages)[1]));
    await read();
  };
  const pageId = () => opened.at(-1);
  const read = () => agent.call('take_snapshot', { pageId: pageId() });
  const press = (uid) => agent.call('click', { pageId: pageId(), uid, includeSnapshot: true });
  const click = (...words) => press(agent.ref(...words));
  const fill = (fields) =>
    agent.call('fill_form', {
      pageId: pageId(),
      elements: fields.map(([name, , value]) => ({ uid: agent.ref(` "${name}"`), value })),
    });
  const does = async (task, steps) => {
    await agent.does(task, steps);
    // Pages that stay open would be listed in every answer.
    for (const id of opened.splice(0)) await ask('close_page', { pageId: id });
  };

  await does('search a documentation site', async () => {
    await open('docs/index.html');
    await agent.call('fill', { pageId: pageId(), uid: agent.ref('searchbox'), value: 'retry limit' });
    await agent.call('press_key', { pageId: pageId(), key: 'Enter', includeSnapshot: true });
    await click('link "Retries"');
  });
  await does('a form of twelve fields', async () => {
    await open('form.html');
    const button = agent.ref('button "Register"');
    await fill(FORM);
    await press(button);
  });
  await does('sign in, with a second factor by the person', async () => {
    await open('sign-in.html');
    const button = agent.ref('button "Sign in"');
    await fill(SIGN_IN);
    await press(button);
    await ask('evaluate_script', { pageId: pageId(), function: `() => { ${PERSON} }` });
    await read();
  });
  await does('a table of five pages, all rows', async () => {
    await open('table.html');
    for (let page = 2; page <= 5; page += 1) await click('button "Next"');
  });
  await does('upload a file', async () => {
    await open('upload.html');
    const button = agent.ref('button "Send"');
    await agent.call('upload_file', { pageId: pageId(), uid: agent.ref('button "Receipt'), filePaths: [csv] });
    await press(button);
  });
  await does('a confirm dialog', async () => {
    await open('confirm.html');
    await agent.call('click', { pageId: pageId(), uid: agent.ref('"Delete Breakwater"') });
    await agent.call('handle_dialog', { pageId: pageId(), action: 'accept' });
    await read();
  });
  await does('two frames', async () => {
    await open('frames.html');
    const button = agent.ref('button "Place order"');
    await fill(FRAMES);
    await press(button);
  });
  await does('prices in two tabs', async () => {
    await open('shop-south.html');
    const button = agent.ref('button "Add to basket"');
    await open('shop-north.html');
    await agent.call('click', { pageId: opened[0], uid: button, includeSnapshot: true });
  });
  await client.close();
}

/** A command of agent-browser. */
async function agentBrowserCommand(...args) {
  const env = { ...process.env, AGENT_BROWSER_EXECUTABLE_PATH: chromium, AGENT_BROWSER_ARGS: '--no-sandbox' };
  const all = [`${servers.modules}agent-browser/bin/agent-browser.js`, '--session', 'bproxy-tasks', ...args];
  const { stdout, stderr } = await run(process.execPath, all, { env, timeout: 120_000 });
  return stdout + stderr;
}

/** One call is a line of a shell, in which commands that need no look between them follow each other. */
async function agentBrowser() {
  let commands = [];
  const inTurn = async () => {
    let heard = '';
    for (const args of commands) heard += await agentBrowserCommand(...args);
    return heard;
  };
  await begin('agent-browser', await agentBrowserCommand('skills', 'get', 'core'));
  const agent = new Agent('agent-browser', inTurn, /ref=(e\d+)\]/);
  const word = (text) => (/^[\w@.,:/+-]+$/.test(text) ? text : `'${text}'`);
  const shell = (...all) => {
    commands = all;
    return agent.call(all.map((args) => `agent-browser ${args.map(word).join(' ')}`).join(' && '));
  };
  const ref = (...words) => `@${agent.ref(...words)}`;
  const VERBS = { textbox: 'fill', combobox: 'select', radio: 'check', checkbox: 'check' };
  const filled = (fields) =>
    fields.map(([name, kind, value]) => {
      // Of a date and a time the parts are listed, and fill says that it is done, and nothing is: a script of one line.
      const type = { Date: 'date', Start: 'time' }[name];
      if (type) return ['eval', `document.querySelector("input[type=${type}]").value = "${value}"`];
      return [VERBS[kind], ref(`"${name}"`), ...(value === 'true' ? [] : [value])];
    });
  const open = (page) => shell(['open', at(page)], ['snapshot', '-i']);
  const status = ['get', 'text', '[role=status]'];

  await agent.does('search a documentation site', async () => {
    await open('docs/index.html');
    await shell(
      ['fill', ref('searchbox'), 'retry limit'],
      ['press', 'Enter'],
      ['wait', '--text', 'pages match'],
      ['read'],
    );
    await shell(['find', 'role', 'link', 'click', '--name', 'Retries'], ['read']);
  });
  await agent.does('a form of twelve fields', async () => {
    await open('form.html');
    await shell(...filled(FORM), ['click', ref('"Register"')], status);
  });
  await agent.does('sign in, with a second factor by the person', async () => {
    await open('sign-in.html');
    await shell(...filled(SIGN_IN), ['click', ref('button "Sign in"')], ['read']);
    await agentBrowserCommand('eval', PERSON);
    await shell(['read']);
  });
  await agent.does('a table of five pages, all rows', async () => {
    const rows = ['get', 'text', 'table'];
    await shell(['open', at('table.html')], rows, ['get', 'text', 'nav']);
    const next = (page) => [
      ['find', 'role', 'button', 'click', '--name', 'Next'],
      ['wait', '--text', `Page ${page} of 5`],
      rows,
    ];
    await shell(...[2, 3, 4, 5].flatMap(next));
  });
  await agent.does('upload a file', async () => {
    await open('upload.html');
    await shell(['upload', ref('"Receipt"'), csv], ['click', ref('"Send"')], ['wait', '--text', 'Sent'], status);
  });
  await agent.does('download a file', async () => {
    await open('reports.html');
    await shell(['download', ref('"March 2027"'), `${process.cwd()}/downloaded/report-2027-03.csv`]);
  });
  await agent.does('a confirm dialog', async () => {
    await open('confirm.html');
    await shell(['click', ref('"Delete Breakwater"')]);
    await shell(['dialog', 'accept'], status);
  });
  await agent.does('two frames', async () => {
    await open('frames.html');
    await shell(...filled(FRAMES), ['click', ref('"Place order"')], status);
  });
  await agent.does('prices in two tabs', async () => {
    await shell(['open', at('shop-south.html')], ['read']);
    await shell(['tab', 'new', at('shop-north.html')], ['read']);
    await shell(['tab', 't1'], ['find', 'role', 'button', 'click', '--name', 'Add to basket'], status);
  });
}

await playwright();
await devtools();
try {
  await agentBrowser();
} finally {
  await agentBrowserCommand('close');
}
