// Checks in a real browser that the docs page lists every function, needs no other host, and can call a GET and a POST function, under its content security policy and at every spelling of its path.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [base, modules, screenshot] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, 'resolve.js'))('playwright-core');
const WALLET = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';

const document = await (await fetch(`${base}/openapi.json`)).json();
// Every function has a POST path with its name, besides its other path; the operation's id distinguishes the two.
const functions = Object.entries(document.paths)
  .map(([path, operations]) => [path.slice('/api/'.length), operations.post?.operationId])
  .filter(([name, id]) => id === `${name}_post`)
  .map(([name]) => name);
assert(functions.length > 0, 'the document has no function');

// Otherwise the browser contacts its vendor's hosts at every start, which fails in a closed network.
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
quiet.push('--disable-background-networking', '--disable-component-update', '--disable-sync');
const profile = mkdtempSync(join(tmpdir(), 'docs-page-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  args: quiet,
  viewport: { width: 1280, height: 1000 }
});
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== base) complaints.push(`request: ${url}`);
  });

  await page.goto(`${base}/docs`, { waitUntil: 'networkidle' });
  for (const name of functions) {
    await page.locator(`details.tool[id="${name}"] > summary`).waitFor({ timeout: 5000 });
  }

  const tool = page.locator('details.tool[id="fetch_account_info"]');
  if (!(await tool.evaluate((details) => details.open))) await tool.locator('> summary').click();
  await tool.locator('form.try input[name="wallet_address"]').fill(WALLET);
  await tool.locator('form.try button[type="submit"]').click();
  await tool.locator('output', { hasText: 'Continuous Vesting Account' }).waitFor({ timeout: 10000 });

  const batch = page.locator('details.tool[id="call_many"]');
  await batch.locator('> summary').click();
  await batch.locator('form.try textarea[name="calls"]').fill('[{"name": "get_registry_summary"}]');
  await batch.locator('form.try button[type="submit"]').click();
  await batch.locator('output', { hasText: '"succeeded": 1' }).waitFor({ timeout: 10000 });
  // With a trailing slash, relative links would break, and the page must still have its content security policy.
  const policy = (await page.goto(`${base}//docs/`, { waitUntil: 'networkidle' })).headers()['content-security-policy'];
  assert.doesNotMatch(policy ?? 'unsafe', /unsafe/);
  const link = page.locator('.links a', { hasText: 'OpenAPI document' });
  assert.equal(await link.evaluate((it) => it.href), `${base}/openapi.json`);
  assert.equal(await page.locator('code.endpoint').textContent(), `${base}/mcp`);
  const blocked = await page.evaluate(async () => {
    const told = [];
    const both = new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => {
        if (told.push(event.effectiveDirective) === 2) resolve();
      });
    });
    const script = document.createElement('script');
    script.textContent = 'window.wasRun = true';
    document.body.append(script);
    const style = document.createElement('style');
    style.textContent = 'body { color: red }';
    document.body.append(style);
    await both;
    return { told, wasRun: 'wasRun' in window };
  });
  assert.deepEqual(blocked, { told: ['script-src-elem', 'style-src-elem'], wasRun: false });
  const expected = complaints.splice(0);
  assert(expected.length === 2 && expected.every((it) => /Content Security Policy/.test(it)), expected.join('\n'));

  await page.goto(`${base}/docs`, { waitUntil: 'networkidle' });
  await tool.scrollIntoViewIfNeeded();
  await page.screenshot({ path: screenshot });

  assert.deepEqual(complaints, []);
  console.log(`docs: ${functions.length} functions listed, fetch_account_info and call_many answered`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
