// Checks the OpenAPI document with TypeScript: types generated from it check this file, and a client with these types
// calls the server.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { paths } from './schema.d.ts';

const WALLET = 'pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8';
const [documentPath = ''] = process.argv.slice(2);
const document = JSON.parse(readFileSync(documentPath, 'utf8'));
const client = createClient<paths>({ baseUrl: document.servers[0].url });

const account = await client.GET('/api/account_info/{wallet_address}', { params: { path: { wallet_address: WALLET } } });
assert.equal(account.data?.account_type, 'Continuous Vesting Account');
const posted = await client.POST('/api/fetch_account_info', { body: { wallet_address: WALLET } });
assert.deepEqual(posted.data, account.data);
const query = { token_pair: 'HASH-USD', last_number_of_trades: 2 };
const price = await client.GET('/api/crypto_token_price', { params: { query } });
assert.equal(price.data?.trades?.length, 2);
const refused = await client.GET('/api/account_info/{wallet_address}', { params: { path: { wallet_address: 'pb1' } } });
assert.equal(refused.response.status, 400);
assert.equal(refused.error?.field, 'wallet_address');
console.log('typescript: a client with generated types called 4 operations');
