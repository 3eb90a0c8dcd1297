// Checks that the TypeScript SDK can use real MCP servers through a bifold that mounts them, in both protocol eras.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [gateway, modules, folder] = process.argv.slice(2);
const path = join(modules, '@modelcontextprotocol/client/dist/index.mjs');
const { Client, StreamableHTTPClientTransport } = await import(pathToFileURL(path));

const ANSWERS = {
  'elicitation/create': ({ params }) => ({
    action: 'accept',
    content: Object.fromEntries(Object.keys(params.requestedSchema?.properties ?? {}).filter((name) => name === 'name').map((name) => [name, 'Ada']))
  }),
  'sampling/createMessage': () => ({ role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'none' }),
  'roots/list': () => ({ roots: [{ uri: 'file:///project', name: 'work' }] })
};

async function connected(mode) {
  const info = { name: 'mounts.mjs', version: '1.0.0' };
  const client = new Client(info, { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode } });
  for (const [method, answer] of Object.entries(ANSWERS)) client.setRequestHandler(method, answer);
  await client.connect(new StreamableHTTPClientTransport(new URL(gateway)));
  return client;
}

const text = (result) => result.content[0].text;

for (const [name, mode] of [['legacy', 'legacy'], ['modern', { pin: '2026-07-28' }]]) {
  const client = await connected(mode);
  const call = async (tool, args = {}, options) => {
    const result = await client.callTool({ name: tool, arguments: args }, options);
    assert(!result.isError, `${tool}: ${JSON.stringify(result)}`);
    return result;
  };
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  for (const tool of ['everything_echo', 'remote_echo', 'files_list_directory', 'memory_read_graph', 'time_get_current_time', 'fast_add', 'second_fetch_account_info']) {
    assert(names.includes(tool), `${tool} is not in ${names}`);
  }
  assert(names.every((tool) => tool.length <= 64));

  // Calls, each with the result of its own server.
  for (const mount of ['everything', 'remote']) {
    assert.equal(text(await call(`${mount}_echo`, { message: 'hello' })), 'Echo: hello');
    assert.match(text(await call(`${mount}_get-sum`, { a: 2, b: 3 })), /5/);
    const structured = await call(`${mount}_get-structured-content`, { location: 'New York' });
    assert.equal(typeof structured.structuredContent.temperature, 'number');
    assert.equal((await call(`${mount}_get-tiny-image`)).content.some((block) => block.type === 'image'), true);
  }
  assert.match(text(await call('files_list_directory', { path: folder })), /hello\.txt/);
  const entities = [{ name: `bifold-${name}`, entityType: 'server', observations: ['mounts'] }];
  await call('memory_create_entities', { entities });
  assert.match(text(await call('memory_read_graph')), new RegExp(`bifold-${name}`));
  assert.match(text(await call('time_get_current_time', { timezone: 'UTC' })), /UTC/);
  assert.equal((await call('fast_add', { a: 20, b: 3 })).structuredContent.result, 23);
  const wallet_address = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';
  assert.equal((await call('second_fetch_account_info', { wallet_address })).structuredContent.account_is_vesting, true);
  const failed = await client.callTool({ name: 'files_read_text_file', arguments: { path: '/etc/passwd' } });
  assert.equal(failed.isError, true);

  // Documents, prompts, proposals.
  const { resources } = await client.listResources();
  const listed = resources.find((resource) => resource.uri.includes('//everything/'));
  const { contents } = await client.readResource({ uri: listed.uri });
  assert.equal(contents[0].uri, listed.uri);
  const { resourceTemplates } = await client.listResourceTemplates();
  assert(resourceTemplates.some((template) => template.uriTemplate === 'note://fast/{name}'));
  assert.equal((await client.readResource({ uri: 'note://fast/x' })).contents[0].text, 'note x');
  const links = await call('everything_get-resource-links', { count: 2 });
  const link = links.content.find((block) => block.type === 'resource_link');
  assert.equal((await client.readResource({ uri: link.uri })).contents[0].uri, link.uri);
  const { prompts } = await client.listPrompts();
  assert(prompts.some((prompt) => prompt.name === 'fast_greet'));
  const { messages } = await client.getPrompt({ name: 'everything_args-prompt', arguments: { city: 'Bern' } });
  assert.match(messages[0].content.text, /Bern/);
  const ref = { type: 'ref/prompt', name: 'remote_completable-prompt' };
  const { completion } = await client.complete({ ref, argument: { name: 'department', value: 'E' } });
  assert(completion.values.includes('Engineering'), JSON.stringify(completion));

  // Progress, questions, cancellation.
  for (const tool of ['everything_trigger-long-running-operation', 'remote_trigger-long-running-operation', 'fast_report']) {
    const reports = [];
    const args = tool.startsWith('fast') ? {} : { duration: 0.3, steps: 3 };
    await call(tool, args, { onprogress: (report) => reports.push(report.progress) });
    assert.deepEqual(reports, [1, 2, 3], tool);
  }
  for (const mount of ['everything', 'remote']) {
    const elicited = await call(`${mount}_trigger-elicitation-request`);
    assert.match(JSON.stringify(elicited.content), /Ada/);
    const sampled = await call(`${mount}_trigger-sampling-request`, { prompt: 'The capital of France?', maxTokens: 10 });
    assert.match(JSON.stringify(sampled.content), /Paris/);
    const stop = new AbortController();
    const long = client.callTool({ name: `${mount}_trigger-long-running-operation`, arguments: { duration: 60, steps: 600 } }, { signal: stop.signal, onprogress: () => stop.abort() });
    await assert.rejects(long);
  }
  await client.close();
  console.log(`typescript ${name}: ${tools.length} tools; calls, reads, fills in, completes, is told, is asked, cancels`);
}
