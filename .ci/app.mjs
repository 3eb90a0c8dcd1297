// Checks the market view, an MCP App, with the reference host of the extension in a real browser: what the server declares, both charts, light and dark, and that nothing is asked of the network.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [url, modules, screenshots] = process.argv.slice(2);
const require = createRequire(join(modules, 'resolve.js'));
const { chromium } = require('playwright-core');
const esbuild = require('esbuild');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const load = (path) => import(pathToFileURL(join(modules, '@modelcontextprotocol', path)));
const { Client, StreamableHTTPClientTransport } = await load('client/dist/index.mjs');

const EXTENSION = 'io.modelcontextprotocol/ui';
const MIME = 'text/html;profile=mcp-app';
const CALLS = {
  fetch_market_candles: { token_pair: 'HASH-USD' },
  fetch_order_book: { token_pair: 'HASH-USD', quote_size: '100000' }
};

async function connected(capabilities) {
  const client = new Client({ name: 'app.mjs', version: '1.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const client = await connected({ extensions: { [EXTENSION]: { mimeTypes: [MIME] } } });
const { tools } = await client.listTools();
const uris = Object.keys(CALLS).map((name) => tools.find((tool) => tool.name === name)._meta.ui.resourceUri);
assert.deepEqual(uris, [uris[0], uris[0]]);
const { resources } = await client.listResources();
const listed = resources.find((resource) => resource.uri === uris[0]);
const { contents } = await client.readResource({ uri: uris[0] });
const [{ text: html, mimeType, _meta }] = contents;
assert.deepEqual([listed.mimeType, mimeType], [MIME, MIME]);
// Empty lists: the view asks for no host at all.
const csp = { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] };
assert.deepEqual([listed._meta.ui.csp, _meta.ui.csp], [csp, csp]);
assert(Buffer.byteLength(html) < 60_000, `${Buffer.byteLength(html)} bytes`);

// A client that knows no apps gets the same data.
const plain = await connected({});
const results = {};
for (const [name, args] of Object.entries(CALLS)) {
  results[name] = await client.callTool({ name, arguments: args });
  const other = await plain.callTool({ name, arguments: args });
  assert.deepEqual(other.structuredContent, results[name].structuredContent);
  assert.deepEqual(JSON.parse(other.content[0].text), other.structuredContent);
}

const host = `
  import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge';
  window.show = async (html, theme, args, result) => {
    const frame = document.createElement('iframe');
    frame.sandbox = 'allow-scripts';
    frame.style = 'width: 100%; height: 480px; border: 0';
    document.body.replaceChildren(frame);
    const bridge = new AppBridge(null, { name: 'host', version: '1' }, {}, { hostContext: { theme } });
    const ready = new Promise((resolve) => { bridge.oninitialized = resolve; });
    bridge.onsizechange = ({ height }) => { frame.style.height = height + 'px'; };
    await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
    frame.srcdoc = html;
    await ready;
    await bridge.sendToolInput({ arguments: args });
    await bridge.sendToolResult(result);
    window.bridge = bridge;
  };`;
const bundled = await esbuild.build({
  stdin: { contents: host, resolveDir: modules }, nodePaths: [modules], bundle: true, write: false, format: 'iife', platform: 'browser', logLevel: 'error'
});

const profile = mkdtempSync(join(tmpdir(), 'app-'));
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', args: quiet, viewport: { width: 760, height: 560 } });
const page = await browser.newPage();
page.setDefaultTimeout(10_000);
const complaints = [];
page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`console: ${message.text()}`));
page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
page.on('request', (request) => /^(about|data|blob):/.test(request.url()) || complaints.push(`request: ${request.url()}`));
await page.addScriptTag({ content: bundled.outputFiles[0].text });

// What a host makes of the empty lists of \`csp\`.
const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
const guarded = html.replace('<meta charset', `<meta http-equiv="Content-Security-Policy" content="${policy}"><meta charset`);

async function shown(theme, name, result = results[name]) {
  await page.evaluate((all) => window.show(...all), [guarded, theme, CALLS[name], result]);
  const view = page.frames().at(-1);
  await view.evaluate(axe);
  const { violations } = await view.evaluate(() => window.axe.run(window.document));
  assert.deepEqual(violations.map((it) => `${name} ${theme}: ${it.id}: ${it.nodes[0].html}`), []);
  return view;
}

for (const theme of ['light', 'dark']) {
  const { candles } = results.fetch_market_candles.structuredContent;
  let view = await shown(theme, 'fetch_market_candles');
  assert.equal(await view.locator('#chart line.rise, #chart line.fall').count(), candles.length);
  await view.locator('#chart').press('End');
  assert.match(await view.locator('#read').textContent(), new RegExp(`close ${candles.at(-1).close}`));
  assert.equal(await view.locator('tr').count(), candles.length + 1);
  await page.screenshot({ path: `${screenshots}-candles-${theme}.png` });

  const book = results.fetch_order_book.structuredContent;
  view = await shown(theme, 'fetch_order_book');
  assert.equal(await view.locator('#chart path').count(), 2);
  assert.match(await view.locator('#facts').textContent(), new RegExp(`bid ${book.best_bid}, ask ${book.best_ask}`));
  await page.screenshot({ path: `${screenshots}-book-${theme}.png` });
}

// A failure, and a host that passes only text.
const failed = await shown('light', 'fetch_order_book', { isError: true, content: [{ type: 'text', text: 'no such market' }] });
assert.equal(await failed.locator('#read').textContent(), 'no such market');
assert(await failed.locator('#chart').isHidden());
const { content } = results.fetch_order_book;
const older = await shown('light', 'fetch_order_book', { content });
assert.equal(await older.locator('#chart path').count(), 2);
await page.evaluate(() => window.bridge.teardownResource({}));

assert.deepEqual(complaints, []);
await browser.close();
rmSync(profile, { recursive: true });
await Promise.all([client.close(), plain.close()]);
console.log(`market view: ${Buffer.byteLength(html)} bytes; candles and order book, light and dark, in the reference host; the same data without it`);
