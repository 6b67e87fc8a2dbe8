/** The servers of tools that bproxy is compared with, each with a headless browser of its own. */

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

export const modules = new URL('node_modules/', import.meta.url).pathname;

/** @param {string} chromium */
export const playwright = (chromium) => [
  `${modules}@playwright/mcp/cli.js`,
  '--headless',
  '--isolated',
  '--no-sandbox',
  '--viewport-size=1200x900',
  `--executable-path=${chromium}`,
];

/** @param {string} chromium */
export const devtools = (chromium) => [
  `${modules}chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js`,
  '--headless',
  '--isolated',
  '--viewport=1200x900',
  '--no-usage-statistics',
  '--chromeArg=--no-sandbox',
  `--executablePath=${chromium}`,
];

/** Starts a server; `ask` calls one of its tools, and gives the text of the answer. @param {string[]} args */
export async function connect(args) {
  const client = new Client({ name: 'peers', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }));
  const ask = async (name, params) => {
    const answer = await client.callTool({ name, arguments: params }, undefined, { timeout: 120_000 });
    const text = answer.content.map(({ text = '' }) => text).join('\n');
    if (answer.isError) throw new Error(`${name} ${JSON.stringify(params)}: ${text}`);
    return text;
  };
  return { client, ask };
}
