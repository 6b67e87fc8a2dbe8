/**
 * What other tools give an agent to read of the same pages: `node read.js CHROMIUM URL…` prints a line of JSON
 * `{read, url, text}` for each.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connect, devtools, modules, playwright } from './servers.js';

const [chromium, ...urls] = process.argv.slice(2);
const run = promisify(execFile);
const say = (read, url, text) => console.log(JSON.stringify({ read, url, text }));

/** Opens each page by one tool of a server, and reads it by another; some want to be told in which of the browser's pages. */
const serve = async (name, args, open, read, list) => {
  const { client, ask } = await connect(args);
  const where = list ? { pageId: Number(/^(\d+):/m.exec(await ask(list, {}))?.[1]) } : {};
  for (const url of urls) {
    await ask(open.tool, { ...open.params, ...where, url });
    say(name, url, await ask(read, where));
  }
  await client.close();
};

await serve('playwright-mcp', playwright(chromium), { tool: 'browser_navigate', params: {} }, 'browser_snapshot');
await serve(
  'chrome-devtools-mcp',
  devtools(chromium),
  { tool: 'navigate_page', params: { type: 'url' } },
  'take_snapshot',
  'list_pages',
);

const agentBrowser = async (...args) => {
  const env = { ...process.env, AGENT_BROWSER_EXECUTABLE_PATH: chromium, AGENT_BROWSER_ARGS: '--no-sandbox' };
  const all = [`${modules}agent-browser/bin/agent-browser.js`, '--session', 'bproxy-peers', ...args];
  return (await run(process.execPath, all, { env, maxBuffer: 2 ** 28, timeout: 120_000 })).stdout;
};
try {
  await agentBrowser('open', 'about:blank');
  await agentBrowser('set', 'viewport', '1200', '900');
  for (const url of urls) {
    await agentBrowser('open', url);
    say('agent-browser', url, await agentBrowser('snapshot'));
    say('agent-browser -i', url, await agentBrowser('snapshot', '-i'));
  }
} finally {
  await agentBrowser('close');
}
