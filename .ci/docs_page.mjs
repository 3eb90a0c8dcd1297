// Checks the docs page in a real browser: the functions of the server, which it calls, then those of a made-up shop that has every kind of form, under the page's own content security policy and at every spelling of its path.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { answer, catalog, large, shop } from './docs_page_shop.mjs';

const [base, modules, screenshot] = process.argv.slice(2);
const require = createRequire(join(modules, 'resolve.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const WALLET = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';
const CATALOG = /(id="catalog">)[^<]*/;

const document = await (await fetch(`${base}/openapi.json`)).json();
const operations = Object.values(document.paths).flatMap((it) => Object.values(it));
const functions = [...new Set(operations.map((it) => it['x-tool']))];
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
const page = await browser.newPage();
page.setDefaultTimeout(10000);
const complaints = [];
page.on('console', (message) => {
  if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
});
page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
page.on('request', (request) => {
  const url = new URL(request.url());
  if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== base) complaints.push(`request: ${url}`);
});

const field = (name) => page.locator(`form.try [data-name="${name}"]`);
const send = () => page.getByRole('button', { name: 'Send', exact: true }).click();
const tab = (name) => page.getByRole('tab', { name, exact: true }).click();
const response = page.locator('.response');
const sample = () => page.locator('.side [role=tabpanel]:visible code').textContent();
const open = async (name) => {
  await page.goto('about:blank');
  await page.goto(`${base}/docs#${name}`, { waitUntil: 'networkidle' });
  await page.locator('#title').waitFor();
};

// The rules of WCAG that a program can judge, contrast among them.
async function accessible(where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(window.document));
  assert.deepEqual(violations.map((it) => `${where}: ${it.id}: ${it.nodes[0].html}`), []);
}

async function narrow(where) {
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await page.evaluate(() => window.document.documentElement.scrollWidth), 320, `${where} is wider than 320 px`);
  await page.setViewportSize({ width: 1280, height: 1000 });
}

async function realFunctions() {
  await open('');
  for (const name of functions) await page.locator(`#side a[href="#${name}"]`).waitFor();
  await accessible('overview');
  await narrow('overview');

  await open('fetch_account_info');
  await field('wallet_address').fill(WALLET);
  assert.match(await sample(), new RegExp(`^curl '${base}/api/account_info/${WALLET}'$`));
  await send();
  await response.filter({ hasText: 'Continuous Vesting Account' }).waitFor();
  assert.match(await response.locator('.status').textContent(), /^200 OK · \d+ ms · \d+ B · request /);
  await page.screenshot({ path: screenshot });
  await page.getByLabel('Send as').selectOption('MCP tools/call');
  assert.equal(await field('wallet_address').inputValue(), WALLET, 'what was typed is lost with another route');
  await send();
  await response.filter({ hasText: '"structuredContent"' }).waitFor();

  await open('call_many');
  await field('calls').getByRole('button', { name: 'Add item' }).click();
  await field('name').fill('get_registry_summary');
  await send();
  await response.filter({ hasText: '"succeeded": 1' }).waitFor();
}

// The page of a function, in its frame: drawn from the answer of either protocol, in the colours of the docs page, and cut off from everything.
async function view(name, args, route, drawn) {
  await open(name);
  for (const [key, value] of Object.entries(args)) await field(key).fill(value);
  await page.getByLabel('Send as').selectOption(route);
  await send();
  const frame = page.locator('.response iframe.app');
  await frame.waitFor();
  const inside = frame.contentFrame();
  await inside.locator(drawn).first().waitFor({ state: 'attached' });
  assert.equal(await frame.getAttribute('title'), `View of ${name}`);
  // The frame becomes as high as its page says, which browsers lay out only where it can be seen.
  await frame.scrollIntoViewIfNeeded();
  const heights = async () => [await frame.evaluate((it) => it.clientHeight), await inside.locator('body').evaluate((it) => Math.ceil(it.getBoundingClientRect().height))];
  for (let turn = 0, both = await heights(); both[0] !== both[1]; turn++, both = await heights()) {
    assert(turn < 200, `the frame is ${both[0]} px high, its page ${both[1]}`);
  }
  const told = await inside.locator('body').evaluate(async () => {
    const reached = await Promise.allSettled([window.fetch('/health'), window.fetch('https://example.com/')]);
    const image = await new Promise((resolve) => {
      const picture = new window.Image();
      picture.onload = () => resolve('loaded');
      picture.onerror = () => resolve('refused');
      picture.src = '/health';
    });
    let storage = 'refused';
    try { storage = typeof window.localStorage; } catch { /* It has no origin. */ }
    let parent = 'refused';
    try { parent = window.parent.document.title; } catch { /* It has no origin. */ }
    return { origin: window.origin, reached: reached.map((it) => it.status), image, storage, parent };
  });
  assert.deepEqual(told, { origin: 'null', reached: ['rejected', 'rejected'], image: 'refused', storage: 'refused', parent: 'refused' });
  const expected = complaints.splice(0);
  assert(expected.length >= 3 && expected.every((it) => /Content Security Policy/.test(it)), expected.join('\n'));
  const inner = page.frames().at(-1);
  await inner.evaluate(axe);
  const { violations } = await inner.evaluate(() => window.axe.run(window.document));
  assert.deepEqual(violations.map((it) => `view: ${it.id}: ${it.nodes[0].html}`), []);
  return inside;
}

async function views() {
  const inside = await view('fetch_market_candles', { token_pair: 'HASH-USD' }, 'GET /api/market_candles/{token_pair}', '#chart line.rise');
  const colour = () => inside.locator('body').evaluate((it) => window.getComputedStyle(it).backgroundColor);
  const colourOfPage = () => page.evaluate(() => window.getComputedStyle(window.document.body).backgroundColor);
  assert.equal(await colour(), await colourOfPage());
  const light = await colour();
  await page.screenshot({ path: screenshot.replace('.png', '-candles.png') });
  await page.getByRole('button', { name: 'Dark' }).click();
  await inside.locator(':root[data-theme=dark]').waitFor();
  assert.notEqual(await colour(), light);
  assert.equal(await colour(), await colourOfPage());
  await page.screenshot({ path: screenshot.replace('.png', '-candles-dark.png') });
  await narrow('view');
  await page.getByRole('button', { name: 'Dark' }).click();

  await view('fetch_order_book', { token_pair: 'HASH-USD' }, 'MCP tools/call', '#chart path');
  await page.screenshot({ path: screenshot.replace('.png', '-book.png') });

  // A failure is told in words alone.
  await field('token_pair').fill('NO-SUCH');
  await send();
  await page.locator('.response .wrong').waitFor();
  assert.equal(await page.locator('iframe.app').count(), 0);
  assert.deepEqual(complaints.splice(0).filter((it) => !/status of 404/.test(it)), []);
  await page.evaluate(() => window.localStorage.clear());
}

// With a trailing slash, relative links would break, and the page must still have its content security policy.
async function policy() {
  const answer = await page.goto(`${base}//docs/`, { waitUntil: 'networkidle' });
  assert.doesNotMatch(answer.headers()['content-security-policy'] ?? 'unsafe', /unsafe/);
  const link = page.locator('.links a', { hasText: 'OpenAPI document' });
  assert.equal(await link.evaluate((it) => it.href), `${base}/openapi.json`);
  assert.equal(await page.locator('code.endpoint').textContent(), `${base}/mcp`);
  const blocked = await page.evaluate(async () => {
    const told = [];
    const both = new Promise((resolve) => {
      window.document.addEventListener('securitypolicyviolation', (event) => {
        if (told.push(event.effectiveDirective) === 2) resolve();
      });
    });
    const script = window.document.createElement('script');
    script.textContent = 'window.wasRun = true';
    window.document.body.append(script);
    const style = window.document.createElement('style');
    style.textContent = 'body { color: red }';
    window.document.body.append(style);
    await both;
    return { told, wasRun: 'wasRun' in window };
  });
  assert.deepEqual(blocked, { told: ['script-src-elem', 'style-src-elem'], wasRun: false });
  const expected = complaints.splice(0);
  assert(expected.length === 2 && expected.every((it) => /Content Security Policy/.test(it)), expected.join('\n'));
}

// From here the page is the server's, and what it shows is made up. A stage stands before every path.
async function stage(document, functions) {
  await page.unrouteAll();
  await page.route(`${base}/prod/**`, (route, request) => route.fulfill(answer(request)));
  await page.route(`${base}/prod/openapi.json`, (route) => route.fulfill({ json: document }));
  await page.route(`${base}/prod/docs`, async (route) => {
    const answer = await route.fetch({ url: `${base}/docs` });
    const data = JSON.stringify({ ...catalog, functions }).replaceAll('<', '\\u003c');
    await route.fulfill({ response: answer, body: (await answer.text()).replace(CATALOG, (_, start) => start + data) });
  });
}
const visit = async (name) => {
  await page.goto('about:blank');
  await page.goto(`${base}/prod/docs#${name}`, { waitUntil: 'networkidle' });
  await page.locator('#title').waitFor();
};

async function forms() {
  await visit('place_order');
  const names = await page.locator('form.try .fields').first().locator('> *').evaluateAll((all) => all.map((it) => (it.dataset.name ?? it.querySelector('[data-name]').dataset.name)));
  assert.deepEqual(names.slice(0, 3), ['id', 'lines', 'customer'], 'required parameters come first, in declared order');
  await send();
  assert.equal(await page.evaluate(() => window.document.activeElement.dataset.name), 'id', 'the browser does not stop at the first empty field');

  await field('id').fill('a/b');
  await field('customer').locator('[data-name=name]').fill('Ann');
  await field('email').fill('ann@example.com');
  await field('count').fill('3');
  await field('sku').fill('abc');
  assert.match(await field('sku').evaluate((it) => it.validationMessage), /must match/i);
  await field('sku').fill('ABC');
  await field('gift').check();
  await field('big').fill('12345678901234567890');
  const lines = field('lines');
  await lines.getByRole('button', { name: 'Add item' }).click();
  assert(await lines.getByRole('button', { name: 'Add item' }).isDisabled(), 'more items can be added than the schema allows');
  await lines.getByRole('button', { name: 'Remove' }).last().click();
  await field('delivery').getByRole('button', { name: 'Add' }).click();
  await page.getByLabel('kind of delivery').selectOption('pickup');
  await field('labels').getByRole('button', { name: 'Add entry' }).click();
  await page.getByLabel('key in labels').fill('colour');
  await field('labels').locator('[data-name=value]').fill('red');
  await field('tree').getByRole('button', { name: 'Add' }).click();
  await field('tree').locator('[data-name=name]').fill('root');
  await field('kids').getByRole('button', { name: 'Add item' }).click();
  await field('kids').locator('[data-name=name]').fill('leaf');
  await field('tags').getByRole('button', { name: 'Add item' }).click();
  await field('tags[]').fill('x y');
  await field('session').fill('s1');
  await field('X-Trace').fill('t1');
  await accessible('form');

  const url = `${base}/prod/api/orders/a%2Fb?tags=x%20y`;
  const wanted = [
    ['curl', `curl -X PUT '${url}' \\\n`, 'Cookie: session=s1', 'X-Trace: t1', 'Authorization: Bearer YOUR_TOKEN'],
    ['Python', `    "PUT",\n    "${url}",`, '"gift": True', '"big": 12345678901234567890'],
    ['JavaScript', `await fetch("${url}", {\n  method: "PUT"`, '"gift": true'],
    ['Rust', `.request(reqwest::Method::PUT, "${url}")`, '.json(&serde_json::json!({'],
    ['Agent', '"method": "tools/call"', '"name": "place_order"', '"id": "a/b"', '"kind": "pickup"']
  ];
  for (const [language, ...parts] of wanted) {
    await tab(language);
    const text = await sample();
    for (const part of parts) assert(text.includes(part), `${language}: ${part}\n${text}`);
  }

  await tab('JSON');
  const editor = page.getByLabel('Arguments as JSON');
  const args = JSON.parse(await editor.inputValue());
  assert.deepEqual(args.tree, { name: 'root', kids: [{ name: 'leaf' }] });
  assert.deepEqual(args.lines, [{ sku: 'ABC', count: 3 }]);
  await editor.fill(JSON.stringify({ ...args, customer: { ...args.customer, name: 'Bob' } }));
  await tab('Form');
  assert.equal(await field('customer').locator('[data-name=name]').inputValue(), 'Bob');
  assert.equal(await page.getByLabel('kind of delivery').inputValue(), 'pickup');

  await page.getByRole('banner').getByRole('button', { name: 'Authorize' }).click();
  await accessible('dialog');
  await page.getByLabel('token').fill('s3cr3t');
  await page.getByRole('button', { name: 'Use', exact: true }).click();
  await tab('curl');
  assert(!(await sample()).includes('s3cr3t'), 'a credential stands in a sample');
  await send();
  await response.filter({ hasText: '200 OK' }).waitFor();
  const sent = JSON.parse(await response.locator('pre').textContent());
  assert.equal(sent.url, url);
  assert.equal(sent.headers.authorization, 'Bearer s3cr3t');
  assert.equal(sent.headers['x-trace'], 't1');
  assert.equal(JSON.parse(sent.body).customer.name, 'Bob');
  assert.deepEqual(await page.evaluate(() => [Object.keys(window.localStorage), window.sessionStorage.length]), [[], 0]);

  await field('id').fill('none');
  await send();
  await page.locator('.response .wrong', { hasText: 'there is no order none' }).waitFor();
  assert.deepEqual(complaints.splice(0).filter((it) => !/404/.test(it)), []);
  await accessible('problem');
  await narrow('form');
  assert(await page.getByText('A <script>window.wasRun = true</script> node').first().isVisible());
  assert.equal(await page.evaluate(() => 'wasRun' in window), false);
}

async function answers() {
  await visit('picture');
  await send();
  await page.getByRole('link', { name: 'Download' }).waitFor();
  assert.equal(await response.locator('img').evaluate(async (it) => (await it.decode(), it.naturalWidth)), 1);

  await visit('watch');
  await page.getByLabel('Stream events').check();
  assert.match(await sample(), /-N .*\n? *-H 'Accept: text\/event-stream'/s);
  await send();
  await response.filter({ hasText: '2 events' }).waitFor();
  assert.equal(await response.locator('.events li').count(), 2);

  await visit('upload');
  await field('file').setInputFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
  assert.equal(await sample(), `curl '${base}/prod/api/files' \\\n  -F 'file=@note.txt'`);
  await send();
  await response.filter({ hasText: 'multipart/form-data' }).waitFor();

  await visit('only.mcp');
  await field('text').fill('é');
  assert.match(await sample(), /Mcp-Param-Text: =\?base64\?w6k=\?=/);
}

async function finding() {
  await stage(large, []);
  await visit('');
  await page.keyboard.press('/');
  await page.keyboard.type('thing_77');
  assert.equal(await page.locator('.count').textContent(), '1 of 100 functions');
  await page.keyboard.press('Enter');
  await page.locator('h1', { hasText: 'thing_77' }).waitFor();
  assert.equal(await page.locator('#side [aria-current=page]').textContent(), 'GETthing_77');
  assert.equal(await page.title(), 'thing_77, The <shop>');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.count').textContent(), '100 functions');

  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await page.locator('#side').isVisible(), false);
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.locator('#side a', { hasText: 'thing_5' }).first().click();
  assert.equal(await page.locator('#side').isVisible(), false);
  await page.setViewportSize({ width: 1280, height: 1000 });
}

async function darkness() {
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await stage(shop, catalog.functions);
  await visit('place_order');
  const colour = () => page.evaluate(() => window.getComputedStyle(window.document.body).backgroundColor);
  const dark = await colour();
  await accessible('dark form');
  await page.getByRole('button', { name: 'Dark' }).click();
  assert.notEqual(await colour(), dark);
  await page.getByRole('button', { name: 'Dark' }).click();
  assert.equal(await colour(), dark);
}

async function connecting() {
  await visit('');
  assert(await page.getByText('Sells <b>things</b>.').isVisible());
  const url = `${base}/prod/mcp`;
  const wanted = {
    'Claude Code': `claude mcp add --transport http my-shop '${url}' \\\n  --header 'Authorization: Bearer YOUR_TOKEN'`,
    'Claude Desktop': 'mcp-remote',
    'VS Code': '"servers": {\n    "my-shop": {\n      "type": "http"',
    Cursor: '"mcpServers": {\n    "my-shop": {\n      "url"',
    Codex: `[mcp_servers.my-shop]\nurl = "${url}"`,
    'Gemini CLI': '"httpUrl"'
  };
  for (const [client, part] of Object.entries(wanted)) {
    await tab(client);
    const text = (await page.locator('.connect [role=tabpanel]:visible code').allTextContents()).join('\n');
    assert(text.includes(part) && text.includes(url), `${client}: ${text}`);
  }
  await stage({ ...shop, paths: {}, tags: [] }, []);
  await visit('');
  await page.getByText('No function is served.').waitFor();
}

try {
  await realFunctions();
  await views();
  await policy();
  await stage(shop, catalog.functions);
  await forms();
  await answers();
  await finding();
  await darkness();
  await connecting();
  assert.deepEqual(complaints, []);
  console.log(`docs: ${functions.length} functions listed, fetch_account_info and call_many answered; candles and an order book drawn; forms, samples, answers, search and themes work, and axe finds nothing`);
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
