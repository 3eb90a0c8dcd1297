// Checks that real MCP clients find the authorization server, register, get a token, ask for more scopes, and refresh a token that has expired.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

import { startIssuer, visit } from './issuer.mjs';

const [notes, modules, folder, python] = process.argv.slice(2);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await import(
  pathToFileURL(join(modules, '@modelcontextprotocol/client/dist/index.mjs'))
);

const READ = 'notes:read';
const WRITE = 'notes:write';
/** No step of a client takes longer, even on a slow machine. */
const PATIENCE = 60_000;

/** Every process that was started, for the end. */
const children = new Set();

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes too long`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

async function freePort() {
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const mcp = `${base}/mcp`;

/** What the issuer saw of the current client. */
let seen = { registered: 0, tokens: [] };
const issuer = await startIssuer(modules, {
  resource: mcp,
  scopes: [READ, WRITE],
  registered: () => (seen.registered += 1),
  granted: (grant, token) => seen.tokens.push({ grant, token })
});

/** The server that is tested. */
const server = {
  child: undefined,

  /** Starts it anew, with the clock of the machine or with one that is an hour ahead. */
  async restart(isLater) {
    await this.stop();
    const env = { PATH: process.env.PATH, NOTES_DATABASE: ':memory:' };
    Object.assign(env, { BIFOLD_AUTH_ISSUER: issuer.url, BIFOLD_AUTH_SCOPES: READ, BIFOLD_PUBLIC_URL: base });
    if (isLater) env.BIFOLD_CLOCK = new Date(Date.now() + 3_600_000).toISOString();
    this.child = start(notes, ['serve', '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    for (let tries = 0; ; tries += 1) {
      const response = await fetch(`${base}/health`).catch(() => undefined);
      if (response?.ok) return;
      assert(tries < 200 && this.child.exitCode === null, 'the server does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },

  async stop() {
    if (!this.child || this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await within(ended, 'the end of the server');
  }
};

/** The scopes of a token. */
const scopesOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).scope.split(' ').sort();

/** The same token on REST: it may do what its scopes allow, and nothing without it. */
async function onRest(name, token, text) {
  const authorization = `Bearer ${token}`;
  const list = async (headers) => fetch(`${base}/api/notes`, { headers });
  assert.equal((await list({})).status, 401, name);
  const read = await list({ authorization });
  assert.equal(read.status, 200, name);
  assert.equal(read.headers.get('cache-control')?.includes('public') ?? false, false, name);
  const body = JSON.stringify({ text });
  const headers = { authorization, 'content-type': 'application/json' };
  const added = await fetch(`${base}/api/notes`, { method: 'POST', headers, body });
  const mayWrite = scopesOf(token).includes(WRITE);
  assert.equal(added.status, mayWrite ? 201 : 403, name);
  if (!mayWrite) assert.match(added.headers.get('www-authenticate'), /error="insufficient_scope".*scope="notes:read notes:write"/);
}

/** What programs in other languages ask of this one: a visit of the user, or the server with another clock. */
const control = createServer(async (request, response) => {
  try {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.url === '/visit') text = await visit(issuer.url, text);
    else await server.restart(request.url === '/later');
    response.end(text);
  } catch (error) {
    response.writeHead(500).end(String(error.stack));
  }
});
await new Promise((resolve) => control.listen(0, '127.0.0.1', resolve));
const controls = `http://127.0.0.1:${control.address().port}`;

/** The memory of the client of the TypeScript SDK, and its user. */
class Memory {
  redirectUrl = 'http://127.0.0.1:9/callback';
  clientMetadata = {
    client_name: 'authorization.mjs',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none'
  };
  clientInformation() {
    return this.information;
  }
  saveClientInformation(information) {
    this.information = information;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  discoveryState() {
    return this.discovered;
  }
  saveDiscoveryState(state) {
    this.discovered = state;
  }
  codeVerifier() {
    return this.verifier;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  async redirectToAuthorization(url) {
    this.callback = new URL(await visit(issuer.url, url));
  }
}

async function typescript() {
  const memory = new Memory();
  const open = () => new StreamableHTTPClientTransport(new URL(mcp), { authProvider: memory });
  const make = () => new Client({ name: 'authorization.mjs', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  let [client, transport] = [make(), open()];
  /** Does something that needs the user once. */
  const authorized = async (act) => {
    await assert.rejects(act, UnauthorizedError);
    await transport.finishAuth(memory.callback.searchParams);
  };
  await authorized(() => client.connect(transport));
  [client, transport] = [make(), open()];
  await client.connect(transport);
  const call = (name, args) => client.callTool({ name, arguments: args });
  assert.deepEqual((await call('list_notes', {})).structuredContent.notes, []);
  await onRest('typescript', memory.kept.access_token, 'typescript rest');

  const add = () => call('add_note', { text: 'typescript' });
  await authorized(add);
  assert.equal((await add()).structuredContent.text, 'typescript');
  await onRest('typescript', memory.kept.access_token, 'typescript rest');

  await server.restart(true);
  assert.deepEqual((await call('list_notes', {})).structuredContent.notes, []);
  await onRest('typescript', memory.kept.access_token, 'typescript later');
  await client.close();
}

/** A program that does the same in its own words, and exits with 0. */
async function program(command, args) {
  const child = start(command, args, { env: { ...process.env, MCP_URL: mcp, CONTROL_URL: controls }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await within(new Promise((resolve) => child.on('exit', resolve)), command);
  assert.equal(code, 0, output);
}

/** A local proxy on standard input and output, which opens a browser for its user. */
async function mcpRemote() {
  const store = mkdtempSync(join(folder, 'mcp-remote-'));
  const env = { PATH: process.env.PATH, HOME: store, MCP_REMOTE_CONFIG_DIR: store, BROWSER: 'true' };
  const args = [join(modules, 'mcp-remote/dist/proxy.js'), mcp, String(await freePort()), '--host', '127.0.0.1'];
  const child = start(process.execPath, args, { env, stdio: 'pipe' });
  const answers = new Map();
  let log = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    answers.get(message.id)?.(message);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    log += `${line}\n`;
    if (line.startsWith(`${issuer.url}/auth?`)) signIn(line).catch((error) => (log += `${error.stack}\n`));
  });
  /** The proxy prints the URL before it listens for the redirect. */
  async function signIn(url) {
    const callback = await visit(issuer.url, url);
    for (let tries = 0; tries < 200; tries += 1) {
      if (await fetch(callback).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the proxy does not listen');
  }
  let id = 0;
  const ask = async (method, params) => {
    id += 1;
    const answer = new Promise((resolve) => answers.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const message = await within(answer, `mcp-remote: ${method}`).catch((error) => assert.fail(`${error}\n${log}`));
    assert(message.result, `mcp-remote: ${JSON.stringify(message)}\n${log}`);
    return message.result;
  };
  const call = async (name, args) => (await ask('tools/call', { name, arguments: args })).structuredContent;
  const info = { name: 'authorization.mjs', version: '1.0.0' };
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: info });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  assert.deepEqual((await call('list_notes', {})).notes, []);
  assert.equal((await call('add_note', { text: 'mcp-remote' })).text, 'mcp-remote');
  await server.restart(true);
  assert.deepEqual((await call('list_notes', {})).notes, []);
  child.kill();
  await within(new Promise((resolve) => child.once('exit', resolve)), 'the end of mcp-remote');
  rmSync(store, { recursive: true });
}

/** Runs one client against a new server, and checks what the issuer saw of it. */
async function check(name, run) {
  seen = { registered: 0, tokens: [] };
  await server.restart(false);
  await run();
  assert.equal(seen.registered, 1, `${name} registers once`);
  const grants = seen.tokens.map(({ grant, token }) => `${grant}: ${scopesOf(token).join(' ')}`);
  assert.deepEqual(grants, [
    `authorization_code: ${READ}`,
    `authorization_code: ${READ} ${WRITE}`,
    `refresh_token: ${READ} ${WRITE}`
  ], name);
  for (const { token } of seen.tokens.slice(-1)) await onRest(name, token, `${name} at the end`);
  console.log(`${name}: 401, metadata, registration, PKCE, call; 403, more scopes, call; expired, refreshed, call; the same on REST`);
}

try {
  await check('typescript', typescript);
  await check('python', () => program(python, ['.ci/authorization.py']));
  await check('rmcp', () => program('cargo', ['test', '--quiet', '--test', 'it', 'rmcp::authorization', '--', '--ignored']));
  await check('mcp-remote', mcpRemote);
} finally {
  for (const child of children) child.kill();
  control.closeAllConnections();
  control.close();
  issuer.close();
  for (const child of children) child.kill('SIGKILL');
}
