// Checks that the TypeScript SDK can use both servers in both protocol eras: the bundled functions, and every request of a function to its client.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [bundled, everything, modules, transcript] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(modules, '@modelcontextprotocol', path)));
const { Client, StreamableHTTPClientTransport } = await load('client/dist/index.mjs');
const { createTaskSessionFromClient, resultFromTaskOutcome } = await load('ext-tasks/dist/client/index.js');

const MODERN = '2026-07-28';
const WALLET = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';
// The same wallet with two letters swapped: well-formed, but its checksum is wrong.
const MISTYPED = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvkm8';
const SNAPSHOT = new URL('../tests/it/snapshots/tools_list.json', import.meta.url);
const TOOLS = JSON.parse(readFileSync(SNAPSHOT)).map((tool) => tool.name);

const INFO = { name: 'clients.mjs', version: '1.0.0' };
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const TASKS = 'io.modelcontextprotocol/tasks';
/** The answers of this client's user, model and workspace. */
const ANSWERS = {
  'elicitation/create': () => ({ action: 'accept', content: { name: 'Ada', username: 'ada', email: 'ada@example.com', context: 'tea', confirm: true } }),
  'sampling/createMessage': () => ({ role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'none' }),
  'roots/list': () => ({ roots: [{ uri: 'file:///project', name: 'work' }] })
};

const kept = [];

/** Fetches, and records the exchange for `schemas.mjs`. */
async function recorded(url, init) {
  const response = await fetch(url, init);
  kept.push(keep(init, response.clone()));
  return response;
}

async function keep({ headers, body }, response) {
  const version = new Headers(headers).get('mcp-protocol-version') ?? '';
  const decoder = new TextDecoder();
  let said = '';
  try {
    for await (const chunk of response.body ?? []) said += decoder.decode(chunk, { stream: true });
  } catch {
    // The client must close the streams that have no end.
  }
  const line = { version, type: response.headers.get('content-type') ?? '', request: body ?? '', response: said };
  appendFileSync(transcript, `${JSON.stringify(line)}\n`);
}

async function connected(url, mode) {
  const client = new Client(INFO, { capabilities: CAPABILITIES, versionNegotiation: { mode } });
  for (const [method, answer] of Object.entries(ANSWERS)) client.setRequestHandler(method, answer);
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: recorded }));
  return client;
}

const text = (result) => result.content[0].text;

async function usesFunctions(client) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), TOOLS);
  const account = (wallet_address) => client.callTool({ name: 'fetch_account_info', arguments: { wallet_address } });
  const found = await account(WALLET);
  assert.equal(found.structuredContent.account_is_vesting, true);
  assert.deepEqual(JSON.parse(text(found)), found.structuredContent);
  assert.equal((await account(MISTYPED)).isError, true);
  await assert.rejects(client.callTool({ name: 'no_such_function', arguments: {} }), { code: -32602 });

  const { resources } = await client.listResources();
  assert(resources.some((resource) => resource.uri === 'bifold://markets'));
  const { resourceTemplates } = await client.listResourceTemplates();
  assert(resourceTemplates.some((template) => template.uriTemplate === 'wallet://{wallet_address}/summary'));
  const { contents } = await client.readResource({ uri: `wallet://${WALLET}/summary` });
  assert.equal(contents[0].mimeType, 'application/json');
  await assert.rejects(client.readResource({ uri: 'bifold://nothing' }));

  const { prompts } = await client.listPrompts();
  assert(prompts.some((prompt) => prompt.name === 'market_briefing'));
  const { messages } = await client.getPrompt({ name: 'market_briefing', arguments: { token_pair: 'HASH-USD' } });
  assert.match(messages[0].content.text, /HASH-USD/);
  const ref = { type: 'ref/prompt', name: 'market_briefing' };
  const { completion } = await client.complete({ ref, argument: { name: 'token_pair', value: 'hash' } });
  assert(completion.values.includes('HASH-USD'));
}

async function isAsked(client) {
  const call = async (name, args = {}) => text(await client.callTool({ name, arguments: args }));
  assert.match(await call('test_elicitation', { message: 'Who are you?' }), /accept.*ada@example\.com/);
  assert.match(await call('test_sampling', { prompt: 'The capital of France?' }), /Paris/);
  assert.match(await call('test_input_required_result_list_roots'), /file:\/\/\/project/);
  assert.match(await call('test_input_required_result_multiple_inputs'), /Paris Ada, you have 1 roots/);
  const { messages } = await client.getPrompt({ name: 'test_input_required_result_prompt', arguments: {} });
  assert.match(messages[0].content.text, /tea/);
}

async function hears(client, modern) {
  const reports = [];
  const onprogress = (report) => reports.push(report.progress);
  await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, { onprogress });
  assert.deepEqual(reports, [0, 50, 100]);

  const logged = [];
  client.setNotificationHandler('notifications/message', (message) => logged.push(message.params.level));
  if (!modern) await client.setLoggingLevel('info');
  const _meta = modern ? { 'io.modelcontextprotocol/logLevel': 'info' } : {};
  await client.callTool({ name: 'test_tool_with_logging', arguments: {}, _meta });
  assert.deepEqual(logged, ['info', 'info', 'info']);
}

async function follows(client, modern) {
  const uri = 'test://watched-resource';
  const heard = (method) => new Promise((resolve) => client.setNotificationHandler(method, resolve));
  const changed = [heard('notifications/resources/updated'), heard('notifications/tools/list_changed')];
  const subscription = modern && (await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] }));
  if (!modern) await client.subscribeResource({ uri });
  await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
  const [updated] = await Promise.all(changed);
  assert.equal(updated.params.uri, uri);
  if (subscription) await subscription.close();
  else await client.unsubscribeResource({ uri });
}

/** Dispatches the messages of the Tasks extension, which the SDK leaves to the host. */
async function runsTasks(client) {
  const clientCapabilities = { ...CAPABILITIES, extensions: { [TASKS]: {} } };
  let id = 0;
  const rawDispatch = async (request, options) => {
    const { method, params } = request;
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    Object.assign(headers, { 'mcp-protocol-version': MODERN, 'mcp-method': method, 'mcp-name': params.name ?? params.taskId });
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, ...request });
    const message = await (await recorded(everything, { method: 'POST', headers, body, signal: options?.signal })).json();
    return message.error ? { kind: 'error', error: message.error } : { kind: 'result', result: message.result };
  };
  const v2RequestFraming = { protocolVersion: MODERN, clientInfo: INFO, clientCapabilities };
  const onInputRequest = () => ANSWERS['elicitation/create']();
  const session = createTaskSessionFromClient(client, { endpointId: 'everything', rawDispatch, v2RequestFraming, onInputRequest });
  const run = async (name, args) => {
    const execution = await session.callTool(name, args);
    assert.equal(execution.kind, 'task', name);
    const { outcome } = await execution.settle();
    return text(resultFromTaskOutcome(outcome));
  };
  const done = [run('slow_compute', { seconds: 0.05, label: 'it' }), run('confirm_delete', { filename: 'a.txt' }), run('multi_input')];
  assert.deepEqual(await Promise.all(done), ['it took 0.05 s.', '`a.txt` is deleted.', 'Hello, Ada Ada!']);
  const endless = await session.callTool('slow_compute', { seconds: 600 });
  await endless.cancel();
  assert.equal((await endless.settle()).outcome.status, 'cancelled');
  await session.close();
}

for (const [name, mode, version] of [
  ['legacy', 'legacy', '2025-11-25'],
  ['auto', 'auto', MODERN],
  ['pinned', { pin: MODERN }, MODERN]
]) {
  const modern = version === MODERN;
  const client = await connected(bundled, mode);
  assert.equal(client.getNegotiatedProtocolVersion(), version);
  await usesFunctions(client);
  await client.close();

  const asked = await connected(everything, mode);
  await isAsked(asked);
  await hears(asked, modern);
  await follows(asked, modern);
  if (modern) await runsTasks(asked);
  await asked.close();
  console.log(`typescript ${name}: ${version}; lists, calls, reads, fills in, completes; asked, told and following${modern ? '; tasks' : ''}`);
}
await Promise.all(kept);
