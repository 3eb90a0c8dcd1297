// Checks that every message in the transcripts is valid by the official JSON schema of its revision, and that each kind of message occurs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';

const [modules, ...transcripts] = process.argv.slice(2);
const require = createRequire(join(modules, 'resolve.js'));
const { default: addFormats } = require('ajv-formats');
const tasks = await import(pathToFileURL(join(modules, '@modelcontextprotocol/ext-tasks/dist/core/v2/index.js')));

const MODERN = '2026-07-28';
/** The kinds of messages that the transcripts must contain: in every revision, in some, in one. */
const LISTS = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'];
const USES = ['tools/call', 'resources/read', 'prompts/get', 'completion/complete'];
const ALL = [...LISTS, ...USES, 'notifications/progress', 'error'];
const LEGACY = [...ALL, 'initialize', 'ping'];
const CHANGES = ['notifications/tools/list_changed', 'notifications/resources/updated', 'notifications/message'];
const ASKING = ['elicitation/create', 'sampling/createMessage', 'roots/list'];
const SESSION = ['logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'];
const STREAM = ['subscriptions/listen', 'notifications/subscriptions/acknowledged'];
const TASKS = ['task', 'tasks/get', 'tasks/update', 'tasks/cancel'];
const EXPECTED = {
  '2024-11-05': LEGACY,
  '2025-03-26': LEGACY,
  '2025-06-18': LEGACY,
  '2025-11-25': [...LEGACY, ...CHANGES, ...ASKING, ...SESSION],
  [MODERN]: [...ALL, ...CHANGES, ...STREAM, ...TASKS, 'server/discover', 'input_required']
};

/**
 * The schemas of all revisions. No package carries them as files, but the conformance suite has them in its bundle, in
 * declarations that end with the table of them all.
 */
function officialSchemas() {
  const bundle = readFileSync(join(modules, '@modelcontextprotocol/conformance/dist/index.js'), 'utf8');
  const table = /([\w$]+)=\{"2025-03-26":([\w$]+),"2025-06-18":[\w$]+,"2025-11-25":[\w$]+,\[([\w$]+)\]:[\w$]+\}/.exec(bundle);
  assert(table, 'the conformance suite has its schemas elsewhere');
  const [, name, first, newest] = table;
  const declarations = bundle.slice(bundle.indexOf(`${first}={$schema:`), table.index) + table[0];
  const schemas = JSON.parse(runInNewContext(`const ${newest}='${MODERN}';const ${declarations};JSON.stringify(${name})`));
  // The limits and the default of a number field need not be integers: the specification has corrected that since.
  for (const revision of ['2025-06-18', '2025-11-25']) {
    const { minimum, maximum, default: preset } = definitions(schemas[revision]).NumberSchema.properties;
    for (const bound of [minimum, maximum, preset]) if (bound) bound.type = 'number';
  }
  // The bundle does not have the oldest revision. It equals the next one without the fields that this one added; audio
  // content must not occur at all.
  const oldest = structuredClone(schemas['2025-03-26']);
  definitions(oldest).AudioContent = { not: {} };
  return { '2024-11-05': oldest, ...schemas };
}

function definitions(schema) {
  return schema.$defs ?? schema.definitions;
}

/** The schema of one revision, which finds definitions by name or by method. */
class Revision {
  constructor(schema) {
    const { default: Ajv } = require(schema.$defs ? 'ajv/dist/2020.js' : 'ajv');
    this.ajv = new Ajv({ strict: false, allErrors: true }).addFormat('byte', true);
    addFormats(this.ajv);
    this.ajv.addSchema(schema, 'mcp');
    this.path = schema.$defs ? 'mcp#/$defs/' : 'mcp#/definitions/';
    this.names = new Set(Object.keys(definitions(schema)));
    this.methods = new Map();
    this.errors = new Map();
    for (const [name, definition] of Object.entries(definitions(schema))) {
      const method = definition.properties?.method?.const;
      if (method && /(Request|[^t]Notification)$/.test(name)) this.methods.set(method, name);
      const code = definition.properties?.error?.allOf?.[1].properties.code.const;
      if (code) this.errors.set(code, name);
    }
  }

  /** The errors of a value against a definition. */
  faults(name, value) {
    const validate = this.ajv.getSchema(this.path + name);
    assert(validate, `the schema has no ${name}`);
    if (validate(value)) return [];
    return validate.errors.slice(0, 6).map((error) => `${name}${error.instancePath}: ${error.message}`);
  }

  /** The definition for the result of a method. */
  resultOf(method) {
    const name = this.methods.get(method)?.replace(/Request$/, 'Result');
    return this.names.has(name) ? name : this.methods.has(method) && 'EmptyResult';
  }
}

const EXTENSION = {
  task: tasks.CreateTaskResultV2Schema,
  'tasks/get': tasks.GetTaskResultV2Schema,
  'tasks/update': tasks.UpdateTaskResultV2Schema,
  'tasks/cancel': tasks.CancelTaskResultV2Schema
};

/** The kind of a message from the server, under which it is counted, and its errors. */
function judge(revision, request, message) {
  const schema = revisions[revision];
  if (message.method) {
    const name = schema.methods.get(message.method);
    return [message.method, name ? schema.faults(name, message) : ['no such method']];
  }
  if (message.error) {
    // The older schemas require an id that is not null, but the transport always allowed an error without one for a refused
    // request, and JSON-RPC wants null where the id cannot be read.
    const isOld = revision < '2025-11-25';
    if (!('id' in message) || (isOld && message.id === null)) message = { ...message, id: 0 };
    const names = [schema.errors.get(message.error.code), 'JSONRPCErrorResponse', 'JSONRPCError'];
    return ['error', schema.faults(names.find((name) => schema.names.has(name)), message)];
  }
  const envelope = schema.names.has('JSONRPCResultResponse') ? 'JSONRPCResultResponse' : 'JSONRPCResponse';
  const faults = schema.faults(envelope, message);
  const type = message.result?.resultType ?? 'complete';
  const kind = type === 'complete' ? request?.method : type;
  if (revision === MODERN && kind in EXTENSION) {
    const { error } = EXTENSION[kind].safeParse(message.result);
    return [kind, [...faults, ...(error?.issues ?? []).map((issue) => `${kind} ${issue.path.join('/')}: ${issue.message}`)]];
  }
  const name = kind === 'input_required' ? 'InputRequiredResult' : schema.resultOf(kind);
  return [kind, [...faults, ...(name ? schema.faults(name, message.result) : [`a result for ${kind}`])]];
}

/** The revision of a request. */
function revisionOf(exchange, request, messages) {
  const agreed = request?.method === 'initialize' && messages.find((message) => message.result)?.result.protocolVersion;
  const named = request?.params?._meta?.['io.modelcontextprotocol/protocolVersion'];
  // The default where the header is missing.
  const claimed = agreed || named || exchange.version || '2025-03-26';
  return claimed in revisions ? claimed : MODERN;
}

function parsed(text) {
  try {
    // A byte order mark is skipped, as the server does.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

/** The messages of a response: an event stream, a batch or one message; any other body has none. */
function messagesOf({ type, response }) {
  if (type.startsWith('text/event-stream')) {
    return [...response.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data));
  }
  return type.startsWith('application/json') && response ? [JSON.parse(response)].flat() : [];
}

const revisions = Object.fromEntries(Object.entries(officialSchemas()).map(([date, schema]) => [date, new Revision(schema)]));
const seen = Object.fromEntries(Object.keys(EXPECTED).map((revision) => [revision, new Map()]));
const wrong = new Set();

for (const transcript of transcripts) {
  for (const line of readFileSync(transcript, 'utf8').trimEnd().split('\n')) {
    const exchange = JSON.parse(line);
    const requests = [parsed(exchange.request)].flat();
    const messages = messagesOf(exchange);
    for (const message of messages) {
      const request = requests.find((request) => request?.id === message.id) ?? requests[0];
      const revision = revisionOf(exchange, request, messages);
      const [kind, faults] = judge(revision, request, message);
      seen[revision].set(kind, (seen[revision].get(kind) ?? 0) + 1);
      for (const fault of faults) wrong.add(`${revision} ${kind}: ${fault} in ${JSON.stringify(message).slice(0, 600)}`);
    }
  }
}

for (const [revision, kinds] of Object.entries(EXPECTED)) {
  for (const kind of kinds) if (!seen[revision].has(kind)) wrong.add(`${revision} ${kind}: no such message in the transcripts`);
  const count = [...seen[revision].values()].reduce((sum, n) => sum + n, 0);
  console.log(`${revision}: ${count} messages of ${seen[revision].size} kinds`);
}
for (const line of wrong) console.log(`  ${line}`);
process.exit(wrong.size > 0 ? 1 : 0);
