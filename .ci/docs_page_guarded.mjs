// Checks the docs page of a server that asks for an API key, in a real browser: what it shows, and that the key stays in the memory of the page.
// `personal` is a server that shows each caller only what it may call, which is nothing without the key.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [base, personal, modules, key] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, 'resolve.js'))('playwright-core');

// Otherwise the browser contacts its vendor's hosts at every start, which fails in a closed network.
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
quiet.push('--disable-background-networking', '--disable-component-update', '--disable-sync');
const profile = mkdtempSync(join(tmpdir(), 'docs-page-guarded-'));
const browser = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', args: quiet });
const page = await browser.newPage();
page.setDefaultTimeout(10000);
const sent = [];
page.on('request', (request) => sent.push({ url: request.url(), key: request.headers()['x-api-key'] }));

const response = page.locator('.response');
const send = () => page.getByRole('button', { name: 'Send', exact: true }).click();
const open = async (name, server = base) => {
  await page.goto('about:blank');
  await page.goto(`${server}/docs#${name}`, { waitUntil: 'networkidle' });
  await page.locator('#title').waitFor();
};
const authorize = async (value) => {
  await page.getByRole('banner').getByRole('button', { name: 'Authorize' }).click();
  await page.getByLabel('api_key').fill(value);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
};

// After authorization the page has the functions of the caller, with their MCP calls and their charts.
async function ownFunctions() {
  const name = 'fetch_market_candles';
  const shown = page.locator('#side .group li');
  await open(name, personal);
  assert.equal(await shown.count(), 0, 'functions are shown without a key');
  await authorize(key);
  await page.locator('h1', { hasText: name }).waitFor();
  for (const route of ['GET /api/market_candles/{token_pair}', 'MCP tools/call']) {
    await page.getByLabel('Send as').selectOption(route);
    await page.locator('form.try [data-name="token_pair"]').fill('HASH-USD');
    await send();
    const chart = page.locator('.response iframe.app').contentFrame().locator('#chart line.rise');
    await chart.first().waitFor({ state: 'attached' });
  }
  // What is typed stays if the functions are the same; without the key none is shown again.
  const typed = page.locator('form.try [data-name="token_pair"]');
  await typed.fill('ETH-USD');
  const read = page.waitForResponse((it) => it.url().endsWith('/docs'));
  await authorize(key);
  await (await read).finished();
  await page.waitForLoadState('networkidle');
  assert.equal(await typed.inputValue(), 'ETH-USD');
  await authorize('');
  await page.locator('h1', { hasNotText: name }).waitFor();
  assert.equal(await shown.count(), 0, 'functions are shown after the key was removed');
}

try {
  await open('list_notes');
  const locks = page.locator('#side .guarded');
  assert.equal(await locks.count(), 4, 'each guarded function has a lock');
  const lock = await locks.first().evaluate((it) => window.getComputedStyle(it, '::after').content);
  assert.match(lock, /🔒/u);
  assert(await page.getByText('Asks for authorization.').isVisible());
  await send();
  await response.filter({ hasText: '401 Unauthorized' }).waitFor();
  await response.filter({ hasText: 'send an API key' }).waitFor();

  await authorize(key);
  await send();
  await response.filter({ hasText: '200 OK' }).waitFor();
  await page.getByLabel('Send as').selectOption('MCP tools/call');
  await send();
  await response.filter({ hasText: '"structuredContent"' }).waitFor();

  await page.evaluate(() => (window.location.hash = '#add_note'));
  await page.locator('h1', { hasText: 'add_note' }).waitFor();
  await page.locator('form.try [data-name="text"]').fill('a note');
  await send();
  await response.filter({ hasText: '403 Forbidden' }).waitFor();
  await response.filter({ hasText: 'notes:write' }).waitFor();

  assert(sent.some((it) => it.key === key), 'the key is sent in its header');
  assert(!sent.some((it) => it.url.includes(key)), 'the key stands in an address');
  assert(!(await page.content()).includes(key), 'the key stands in the page');
  const kept = await page.evaluate(() => [window.localStorage.length, window.sessionStorage.length, window.document.cookie]);
  assert.deepEqual(kept, [0, 0, ''], 'the key is kept in a storage');
  assert.deepEqual(await browser.cookies(), []);
  await open('list_notes');
  await send();
  await response.filter({ hasText: '401 Unauthorized' }).waitFor();
  await ownFunctions();
  console.log('docs of a guarded server: locks, 401 without a key, 200 with it, 403 without its scope; the functions and charts of the caller after authorization; the key is kept in memory alone');
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
