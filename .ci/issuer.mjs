// An authorization server on this machine, for `authorization.mjs`: clients register themselves, and its only user agrees to everything.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/** What a client may ask for beside the scopes of the server that is tested. */
const OWN_SCOPES = ['openid', 'offline_access'];
/** The life of an access token, in seconds: the server that is tested is later started with a clock that is an hour ahead. */
const FIRST = 600;
const REFRESHED = 4 * 3600;

/** Starts it. `scopes` are those of the server whose URL is `resource`; `granted` is told each token with its grant type. */
export async function startIssuer(modules, { resource, scopes, registered, granted }) {
  const { Provider } = await import(pathToFileURL(join(modules, 'oidc-provider/lib/index.js')));
  const listener = createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${listener.address().port}`;

  const getResourceServerInfo = (_, indicator) => {
    if (indicator !== resource) throw new Error(`a token for ${indicator} was asked for`);
    return { scope: scopes.join(' '), audience: indicator, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
  };
  const provider = new Provider(url, {
    scopes: [...OWN_SCOPES, ...scopes],
    cookies: { keys: ['only on this machine'] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo, useGrantedResource: () => true }
    },
    pkce: { required: () => true },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    ttl: {
      AccessToken: (ctx) => (ctx.oidc.params.grant_type === 'refresh_token' ? REFRESHED : FIRST),
      Grant: 86400,
      Interaction: 600,
      RefreshToken: 86400,
      Session: 86400
    }
  });
  // A client registers with the scopes of its first challenge, and must be able to ask for more of them later.
  provider.use(async (ctx, next) => {
    if (ctx.method === 'POST' && ctx.path === '/reg') {
      ctx.req.body = JSON.parse(await text(ctx.req));
      delete ctx.req.body.scope;
    }
    return next();
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
    let result = { login: { accountId: 'ada' } };
    if (prompt.name === 'consent') {
      const { Grant } = provider;
      const grant = grantId ? await Grant.find(grantId) : new Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      grant.addResourceScope(resource, params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    const to = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true });
    ctx.redirect(to);
  });
  provider.on('registration_create.success', registered);
  provider.on('grant.success', (ctx) => granted(ctx.oidc.params.grant_type, ctx.body.access_token));
  provider.on('server_error', (_, error) => console.error('issuer:', error));
  listener.on('request', provider.callback());
  return { url, close: () => listener.closeAllConnections() ?? listener.close() };
}

/** What the user does with the URL of an authorization request: follows it to the redirect to the client, and returns that. */
export async function visit(issuer, start) {
  const cookies = new Map();
  let url = new URL(start);
  for (let steps = 0; url.origin === issuer; steps += 1) {
    if (steps > 20) throw new Error(`the authorization does not end: ${url}`);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      value ? cookies.set(name, value) : cookies.delete(name);
    }
    const to = response.headers.get('location');
    if (!to) throw new Error(`the issuer answers ${response.status} to ${url}: ${await response.text()}`);
    url = new URL(to, url);
  }
  if (url.searchParams.has('error')) throw new Error(`the issuer refuses: ${url}`);
  return url.href;
}
