// Serves an MCP server of standard input and output over HTTP: `bridge.js PROGRAM ARGUMENT…` prints the address. Each
// connection gets a server of its own, and messages are passed on as they are, but for the names in `OURS`.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const [command, ...args] = process.argv.slice(2);
/** What the conformance suite asks for by names of its own, and what bproxy has of the same kind. */
const OURS = {
  test_simple_text: { name: 'text', arguments: {} },
  test_image_content: { name: 'screenshot', arguments: {} },
  test_tool_with_progress: { name: 'wait', arguments: { strategy: 'text', target: 'no such text', timeout: 6000 } },
  test_error_handling: { name: 'click', arguments: { target: '#nope' } },
  test_prompt_with_arguments: { name: 'look_up', arguments: { site: 'testValue1', question: 'testValue2' } },
  'test://static-binary': { uri: 'bproxy://downloads/1' },
};
const translated = (message) => {
  const ours = OURS[message.params?.name ?? message.params?.uri];
  return ours ? { ...message, params: { ...message.params, ...ours } } : message;
};

/** @type {Map<string, StreamableHTTPServerTransport>} */
const connections = new Map();

async function connect() {
  const server = new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' });
  const client = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void connections.set(id, client),
  });
  client.onmessage = (message) => server.send(translated(message));
  client.onclose = () => server.close();
  // A notification of progress belongs to the request whose number its token is, as clients give them.
  server.onmessage = (message) => client.send(message, { relatedRequestId: message.params?.progressToken });
  await Promise.all([server.start(), client.start()]);
  return client;
}

const http = createServer(async (request, response) => {
  const body = request.method === 'POST' ? await json(request) : undefined;
  const client = connections.get(request.headers['mcp-session-id']) ?? (await connect());
  await client.handleRequest(request, response, body);
});
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${http.address().port}/mcp`));
