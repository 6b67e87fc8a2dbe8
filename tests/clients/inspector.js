// The official inspector's command line as an MCP client: a process for each call, as a person at a terminal starts it.
//
// It is driven over lines of JSON, as tests/fixtures/mcp/client.js says: `inspector.js PROGRAM ARGUMENT…`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const server = process.argv.slice(2);
const launcher = new URL(
  'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
  import.meta.url,
);
// It hands on no more of the environment than it is told to.
const told = Object.entries(process.env).filter(([name]) => name.startsWith('BPROXY_'));
const environment = told.flatMap(([name, value]) => ['-e', `${name}=${value}`]);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** What the method needs besides its name. */
const flags = {
  'tools/list': () => ['--strict'],
  'tools/call': ({ name, arguments: given }) => ['--tool-name', name, '--tool-args-json', JSON.stringify(given)],
  'resources/list': () => [],
  'resources/read': ({ uri }) => ['--uri', uri],
  'prompts/list': () => [],
  'prompts/get': ({ name, arguments: given }) => [
    ...['--prompt-name', name, '--prompt-args'],
    ...Object.entries(given).map(([place, value]) => `${place}=${value}`),
  ],
};

say({ server: { name: 'bproxy' } });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  const call = ['--method', method, ...flags[method](params)];
  const args = [launcher.pathname, '--cli', ...environment, ...call, '--', ...server];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [printed, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  // What a tool says of its failure is printed as its answers are.
  say(printed ? { id, result: JSON.parse(printed) } : { id, error: complaint });
}
