// From the arguments in a form to a request, over REST or MCP.
const MCP_VERSION = "2026-07-28";
const METHODS = ["get", "post", "put", "patch", "delete"];

// The media type of a body that the form offers first.
const PREFERRED = ["application/json", "multipart/form-data", "application/x-www-form-urlencoded"];
const typesOfBody = route => {
  const types = Object.keys(route.body?.content ?? {});
  return [...PREFERRED.filter(it => types.includes(it)), ...types.filter(it => !PREFERRED.includes(it))];
};
const isJsonType = type => /[/+]json\b/.test(type ?? "");

function restRoute(path, method, operation) {
  const parameters = (operation.parameters ?? []).map(it => plain(it, state.document));
  const body = operation.requestBody && plain(operation.requestBody, state.document);
  const ok = pairsOf(operation.responses ?? {}).filter(([code]) => code.startsWith("2")).map(([, it]) => plain(it, state.document));
  const streams = ok.some(it => it.content?.["text/event-stream"] && Object.keys(it.content).length > 1);
  return { kind: "rest", path, method: method.toUpperCase(), operation, parameters, body, streams, label: `${method.toUpperCase()} ${path}` };
}

// The fields of a route: its parameters, then the properties of its body, those that are required first.
function fieldsOf(route, entry, type) {
  const order = entry.tool?.order ?? [];
  const fields = (route.parameters ?? []).map(it => ({
    name: it.name, place: it.in, required: it.required ?? false, about: it.description,
    schema: it.schema ?? Object.values(it.content ?? {})[0]?.schema ?? {}, parameter: it,
  }));
  const whole = route.kind === "mcp" ? entry.tool.input_schema : route.body?.content?.[type]?.schema;
  const place = route.kind === "mcp" ? undefined : "body";
  if (whole !== undefined || type) {
    const at = plain(whole ?? {}, whole);
    const isSplit = route.kind === "mcp" || isJsonType(type) || PREFERRED.includes(type);
    if (isSplit && (at.type === "object" || at.properties) && !at.oneOf && !at.anyOf) {
      fields.push(...propertiesOf(at, order).map(it => ({ ...it, place })));
    } else {
      const schema = isSplit || !kindOf(at, whole).match(/^(string|json)$/) ? at : type.startsWith("text/") ? { type: "string", maxLength: 1e6, ...at } : { type: "string", format: "binary" };
      fields.push({ name: place ?? "arguments", schema, required: route.kind === "mcp" || (route.body?.required ?? false), place: "whole" });
    }
  }
  for (const field of fields) field.key = fields.some(it => it !== field && it.name === field.name) ? `${field.name} (${field.place})` : field.name;
  return fields.sort((a, b) => b.required - a.required || rank(order, a.name) - rank(order, b.name));
}

const encode = text => encodeURIComponent(text).replace(/[!'()*]/g, it => "%" + it.charCodeAt(0).toString(16).toUpperCase());
const parts = (value, explode) => Array.isArray(value) ? (explode ? value.map(show) : [value.map(show).join(",")]) : [show(value)];

function restRequest(route, fields, args, type, stream) {
  let path = route.path;
  const query = [], headers = {}, cookies = [], inBody = {};
  let whole;
  for (const { key, name, place, parameter } of fields) {
    const value = args[key];
    if (place === "path") path = path.replace(`{${name}}`, () => encode(value === undefined ? "" : parts(value, false)[0]));
    else if (value === undefined) continue;
    else if (place === "query") query.push(...parts(value, parameter.explode ?? true).map(it => `${encode(name)}=${encode(it)}`));
    else if (place === "header") headers[name] = show(value);
    else if (place === "cookie") cookies.push(`${name}=${encode(show(value))}`);
    else if (place === "whole") whole = value;
    else inBody[name] = value;
  }
  // What no field knows belongs to the body, so that the server's answer to it can be seen.
  if (type && isJsonType(type)) for (const key of Object.keys(args)) if (!fields.some(it => it.key === key)) inBody[key] = args[key];
  const body = !type ? undefined : { type, value: fields.some(it => it.place === "whole") ? whole : inBody };
  if (body && body.value !== undefined && type !== "multipart/form-data") headers["Content-Type"] = type;
  if (stream) headers.Accept = "text/event-stream";
  for (const it of credentials(route.operation)) {
    if (it.place === "query") query.push(`${encode(it.name)}=${encode(it.value)}`);
    else if (it.place === "cookie") cookies.push(`${it.name}=${it.value}`);
    else headers[it.name] = it.value;
  }
  return { method: route.method, url: ROOT + path + (query.length ? "?" + query.join("&") : ""), headers, cookies, body: body?.value === undefined ? undefined : body };
}

const message = (entry, args) => ({
  jsonrpc: "2.0", id: 1, method: "tools/call",
  params: {
    name: entry.name, arguments: args,
    _meta: {
      "io.modelcontextprotocol/protocolVersion": MCP_VERSION, "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": { name: `${catalog.name}-docs`, version: "1" },
    },
  },
});

const headerText = text => /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?")
  ? text : `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;

function mcpRequest(entry, args) {
  const headers = {
    "Content-Type": "application/json", Accept: "application/json, text/event-stream",
    "MCP-Protocol-Version": MCP_VERSION, "Mcp-Method": "tools/call", "Mcp-Name": entry.name,
  };
  for (const [name, schema] of pairsOf(entry.tool.input_schema?.properties ?? {})) {
    const value = args[name];
    if (schema["x-mcp-header"] && value !== undefined && !(value instanceof Object)) headers[`Mcp-Param-${schema["x-mcp-header"]}`] = headerText(show(value));
  }
  for (const it of credentials(entry.routes.find(route => route.operation)?.operation)) if (it.place === "header") headers[it.name] = it.value;
  return { method: "POST", url: ROOT + "/mcp", headers, cookies: [], body: { type: "application/json", value: message(entry, args) } };
}

// The body as `fetch` takes it.
function bodyOf({ body }) {
  if (!body) return undefined;
  const { type, value } = body;
  if (isJsonType(type)) return compact(value);
  const entries = pairsOf(isObject(value) ? value : {}).flatMap(([name, it]) => [].concat(it).map(one => [name, one instanceof File ? one : show(one)]));
  if (type === "application/x-www-form-urlencoded") return new URLSearchParams(entries);
  if (type !== "multipart/form-data") return value instanceof File ? value : show(value);
  const form = new FormData();
  for (const [name, it] of entries) form.append(name, it);
  return form;
}

const hasDots = url => /\/\.\.?(?=[/?]|$)/.test(url);
