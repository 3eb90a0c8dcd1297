// What the docs page is shown instead of the server's own functions: every kind of parameter, body and answer, recursion,
// texts that look like HTML, and credentials.

const node = {
  type: 'object',
  description: 'A <script>window.wasRun = true</script> node',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 2 },
    kids: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
    parent: { anyOf: [{ $ref: '#/components/schemas/Node' }, { type: 'null' }] }
  }
};

const line = {
  type: 'object',
  required: ['sku', 'count'],
  properties: {
    sku: { type: 'string', pattern: '^[A-Z]{3}$' },
    count: { type: 'integer', minimum: 1, maximum: 99 },
    size: { enum: ['S', 'M', 'L'], default: 'M' }
  }
};

const customer = {
  type: 'object',
  description: 'Buys it.',
  required: ['name', 'email'],
  properties: { name: { type: 'string', minLength: 1 }, email: { type: 'string', format: 'email' }, vip: { type: 'boolean', default: false } }
};

const delivery = {
  oneOf: [
    { type: 'object', required: ['kind', 'street'], properties: { kind: { const: 'post' }, street: { type: 'string' } } },
    { type: 'object', required: ['kind'], properties: { kind: { const: 'pickup' }, shop: { type: 'integer' } } }
  ]
};

const order = {
  type: 'object',
  required: ['lines', 'customer'],
  properties: {
    big: { type: 'integer' },
    customer,
    delivery,
    gift: { type: 'boolean' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    lines: { type: 'array', minItems: 1, maxItems: 2, items: line },
    tree: { $ref: '#/components/schemas/Node' }
  }
};

const parameter = (name, place, schema, required = false) => ({ name, in: place, required, schema });
const text = { type: 'string' };
const problem = (description) => ({ description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } });
const answers = (content) => ({ 200: { description: 'The result', content }, 400: problem('An argument is wrong'), 404: problem('It is not there') });
const json = (schema) => ({ 'application/json': { schema } });
const operation = (name, tag, rest) => ({ operationId: name, 'x-tool': name, tags: [tag], ...rest });

const placeOrder = operation('place_order', 'orders', {
  summary: 'Place an order',
  security: [{ token: [] }, { key: [] }],
  parameters: [
    parameter('dry_run', 'query', { type: 'boolean' }),
    parameter('id', 'path', text, true),
    parameter('session', 'cookie', text),
    parameter('tags', 'query', { type: 'array', items: text }),
    parameter('X-Trace', 'header', text)
  ],
  requestBody: { required: true, content: json(order) },
  responses: answers(json({ $ref: '#/components/schemas/Node' }))
});

const file = { type: 'string', format: 'binary' };
const upload = operation('upload', 'files', {
  requestBody: {
    content: {
      'multipart/form-data': { schema: { type: 'object', required: ['file'], properties: { file, title: text } } },
      'application/octet-stream': { schema: file }
    }
  },
  responses: answers(json({}))
});

const paths = {
  '/api/orders/{id}': { put: placeOrder },
  '/api/files': { post: upload },
  '/api/picture': { get: operation('picture', 'files', { responses: answers({ 'image/png': { schema: file } }) }) },
  '/api/watch': { get: operation('watch', 'files', { responses: answers({ ...json({}), 'text/event-stream': { schema: text } }) }) }
};

export const shop = {
  openapi: '3.1.0',
  info: { title: 'The <shop>', version: '1.2.3' },
  tags: [{ name: 'orders' }, { name: 'files' }],
  security: [],
  paths,
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' }, key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } },
    schemas: { Node: node, Problem: { type: 'object', properties: { detail: text } } }
  }
};

const tool = (name, protocols, input_schema, rest) => ({ name, title: null, description: `About ${name}.`, protocols, method: null, path: null, tags: [], input_schema, output_schema: null, ...rest });

export const catalog = {
  name: 'my shop',
  title: 'The <shop>',
  version: '1.2.3',
  description: 'Sells <b>things</b>.',
  instructions: null,
  website: 'https://example.com/',
  icons: [{ src: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>' }, { src: 'https://example.com/never-loaded.png' }],
  functions: [
    tool('place_order', ['mcp', 'rest'], { ...order, required: ['id', ...order.required], properties: { id: text, ...order.properties } }, {
      method: 'PUT', path: '/api/orders/{id}', tags: ['orders']
    }),
    tool('only.mcp', ['mcp'], { type: 'object', required: ['text'], properties: { text: { ...text, 'x-mcp-header': 'Text' } } })
  ]
};

// Many functions, as a large application has them.
export const large = {
  ...shop,
  paths: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [
    `/api/thing_${i}/{id}`,
    { get: operation(`thing_${i}`, `group ${i % 9}`, { parameters: [parameter('id', 'path', { type: 'integer' }, true)], responses: answers(json({})) }) }
  ]))
};

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

// The answers of the shop: a picture, events, a problem, and else the request itself.
export function answer(request) {
  const path = new URL(request.url()).pathname;
  if (path.endsWith('/picture')) return { contentType: 'image/png', body: Buffer.from(PIXEL, 'base64') };
  if (path.endsWith('/watch')) return { contentType: 'text/event-stream', body: 'event: progress\ndata: {"done":1}\n\nevent: result\ndata: {"done":2}\n\n' };
  if (path.endsWith('/none')) {
    const body = { type: 'x', title: 'Not found', detail: 'there is no order `none`', kind: 'not_found', field: 'id' };
    return { status: 404, contentType: 'application/problem+json', body: JSON.stringify(body) };
  }
  return { contentType: 'application/json', body: JSON.stringify({ method: request.method(), url: request.url(), headers: request.headers(), body: request.postData() }) };
}
