/**
 * What other tools give an agent to read of the same pages: `node read.js CHROMIUM URL…` prints a line of JSON
 * `{read, url, text}` for each.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [chromium, ...urls] = process.argv.slice(2);
const modules = new URL('node_modules/', import.meta.url).pathname;
const run = promisify(execFile);
const say = (read, url, text) => console.log(JSON.stringify({ read, url, text }));

/** Opens each page by one tool of a server, and reads it by another; some want to be told in which of the browser's pages. */
const serve = async (name, args, open, read, list) => {
  const client = new Client({ name: 'peers', version: '1.0.0' });
  const transport = new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' });
  await client.connect(transport);
  const call = async (tool, params) => {
    const { content, isError } = await client.callTool({ name: tool, arguments: params }, undefined, {
      timeout: 120_000,
    });
    const text = content.map(({ text = '' }) => text).join('\n');
    if (isError) throw new Error(`${tool}: ${text}`);
    return text;
  };
  const where = list ? { pageId: Number(/^(\d+):/m.exec(await call(list, {}))?.[1]) } : {};
  for (const url of urls) {
    await call(open.tool, { ...open.params, ...where, url });
    say(name, url, await call(read, where));
  }
  await client.close();
};

await serve(
  'playwright-mcp',
  [
    `${modules}@playwright/mcp/cli.js`,
    '--headless',
    '--isolated',
    '--no-sandbox',
    '--viewport-size=1200x900',
    `--executable-path=${chromium}`,
  ],
  { tool: 'browser_navigate', params: {} },
  'browser_snapshot',
);
await serve(
  'chrome-devtools-mcp',
  [
    `${modules}chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js`,
    '--headless',
    '--isolated',
    '--viewport=1200x900',
    '--no-usage-statistics',
    '--chromeArg=--no-sandbox',
    `--executablePath=${chromium}`,
  ],
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
