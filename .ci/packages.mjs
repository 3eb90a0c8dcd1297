// Checks that the TypeScript SDK can start a command and use it over standard input and output, in both protocol eras.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, text] = process.argv.slice(2);
const [command, ...args] = JSON.parse(text);
const load = (path) => import(pathToFileURL(join(modules, '@modelcontextprotocol', path)));
const { Client } = await load('client/dist/index.mjs');
const { StdioClientTransport } = await load('client/dist/stdio.mjs');

const wallet_address = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';

for (const mode of ['auto', 'legacy']) {
  const client = new Client({ name: 'packages.mjs', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport({ command, args, env: process.env }));
  const { tools } = await client.listTools();
  assert(tools.some((tool) => tool.name === 'fetch_account_info'));
  const { structuredContent } = await client.callTool({ name: 'fetch_account_info', arguments: { wallet_address } });
  assert.equal(structuredContent.account_is_vesting, true);
  await client.close();
}
