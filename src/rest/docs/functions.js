// The functions and the section of each: its routes, form, samples and responses.
let catalog = JSON.parse(one("script#catalog").textContent);
// A gateway may put a stage in front of every path, so addresses start from this page's own prefix.
const ROOT = location.origin + location.pathname.replace(/\/+[^/]*\/*$/, "");
const state = { document: undefined, secrets: new Map(), language: 0, writing: false };

// Each function with its routes. The document is the contract of REST; the tools of MCP stand in the catalog.
function entriesOf(document) {
  const entries = new Map(catalog.functions.map(tool => [tool.name, {
    name: tool.name, title: tool.title, description: tool.description, tag: tool.tags?.[0], tool, routes: [],
  }]));
  for (const [path, item] of pairsOf(document?.paths ?? {})) {
    for (const method of METHODS.filter(it => isObject(item[it]))) {
      const operation = item[method], name = operation["x-tool"] ?? operation.operationId ?? `${method} ${path}`;
      if (!entries.has(name)) entries.set(name, { name, title: operation.summary, description: operation.description ?? "", tag: operation.tags?.[0], routes: [] });
      entries.get(name).routes.push(restRoute(path, method, operation));
    }
  }
  for (const entry of entries.values()) {
    // The function's own place comes before its further ones.
    const own = entry.tool?.path && `${entry.tool.method} ${entry.tool.path}`;
    entry.routes.sort((a, b) => (b.label === own) - (a.label === own));
    if (entry.tool?.protocols.includes("mcp")) entry.routes.push({ kind: "mcp", label: "MCP tools/call" });
    entry.text = [entry.name, entry.title, entry.description, entry.tag, ...entry.routes.map(it => it.path)].join("\n").toLowerCase();
  }
  return [...entries.values()].filter(it => it.routes.length);
}

const hashOf = entry => "#" + encodeURIComponent(entry.name);
const methodBadge = ({ method = "MCP" }) => h(`span.method.${method.toLowerCase()}`, method === "DELETE" ? "DEL" : method);
const pathNodes = path => path.split(/(\{[^}]+\})/).map((part, i) => (i % 2 ? h("span.slot", part) : part));

function grouped(entries) {
  const tags = (state.document?.tags ?? []).map(it => it.name), groups = new Map();
  for (const entry of entries) groups.set(entry.tag ?? "other", [...(groups.get(entry.tag ?? "other") ?? []), entry]);
  const place = tag => tags.indexOf(tag) < 0 ? tags.length : tags.indexOf(tag);
  return [...groups].sort(([a], [b]) => place(a) - place(b));
}

// The responses of a route. Those that look alike are drawn once.
function responsesOf(route) {
  const alike = new Map();
  for (const [code, it] of pairsOf(route.operation.responses ?? {})) {
    const response = plain(it, state.document), key = code.startsWith("2") ? code : compact(response.content ?? null);
    alike.set(key, [...(alike.get(key) ?? []), { code, response }]);
  }
  return [...alike.values()].map(list => h("div.answers", {},
    h("dl.codes", list.map(({ code, response }) => [h("dt." + (code.startsWith("2") ? "good" : "bad"), {}, code), h("dd", inline(response.description ?? ""))])),
    pairsOf(list[0].response.content ?? {}).map(([type, { schema }]) => h("details", { open: list[0].code.startsWith("2") },
      h("summary", h("code", type), typeof schema?.$ref === "string" && ` ${schema.$ref.split("/").at(-1)}`),
      schema && [prose(plain(schema, schema).description ?? "", "p.fine"), shape(schema, schema)]))));
}

// The form of one route, with a JSON editor beside it.
function argumentsForm(entry, route, type, earlier, onchange) {
  const fields = fieldsOf(route, entry, type);
  const root = route.kind === "mcp" ? entry.tool.input_schema : route.body?.content?.[type]?.schema;
  const form = group(fields, root, 0);
  if (earlier) form.set(earlier);
  const editor = h("textarea.mono", { rows: 10, "aria-label": "Arguments as JSON", disabled: true });
  let isJson = false;
  const read = () => [tried(editor.value)].find(isObject);
  editor.addEventListener("input", () => editor.setCustomValidity(read() ? "" : "This is not a JSON object."));
  const panels = [h("div", h("fieldset.bare", { "aria-label": "Arguments" }, form.control)), h("div", editor)];
  const select = json => () => {
    if (json === isJson) return;
    if (json) editor.value = pretty(form.get());
    else if (read()) form.set(read());
    isJson = json;
    panels[0].firstChild.disabled = json;
    editor.disabled = !json;
    onchange();
  };
  const hasFiles = form.made.some(({ field }) => field.isFile);
  const node = !fields.length ? h("p.fine", "This function takes no arguments.")
    : hasFiles ? panels[0] : tabs("Arguments", [{ label: "Form", panel: panels[0], onchoose: select(false) }, { label: "JSON", panel: panels[1], onchoose: select(true) }]);
  const whole = fields.length === 1 && route.kind === "mcp" && fields[0].place === "whole";
  const get = () => { const args = isJson ? read() ?? {} : form.get(); return whole && !isJson ? args.arguments ?? {} : args; };
  return { node, fields, get };
}

function section(entry) {
  const sample = samples(entry), response = responsePanel(), slot = h("div"), answers = h("div"), extras = h("div");
  let form, route, type, stream;
  const makeRequest = () => route.kind === "mcp" ? mcpRequest(entry, form.get()) : restRequest(route, form.fields, form.get(), type, stream?.checked);
  // The tool does not have the arguments that only REST takes.
  const known = entry.tool?.input_schema?.properties;
  const refresh = () => sample.refresh(makeRequest, Object.fromEntries(pairsOf(form.get()).filter(([name, it]) => !isFile(it) && (!route.operation || !known || name in known))));
  const draw = () => {
    form = argumentsForm(entry, route, type, form?.get(), refresh);
    slot.replaceChildren(form.node);
    refresh();
  };
  const choose = at => {
    route = entry.routes[at];
    const types = route.kind === "rest" ? typesOfBody(route) : [];
    type = types[0];
    stream = route.streams && h("input", { type: "checkbox", id: newId() });
    const select = types.length > 1 && h("select", { id: newId(), onchange: () => { type = types[select.selectedIndex]; draw(); } }, types.map(it => h("option", it)));
    extras.replaceChildren(...[select && h("div.field", h("label", { for: select.id }, "Body as"), select),
      stream && h("div.field.check", h("label", { for: stream.id }, "Stream events"), stream)].filter(Boolean));
    const output = entry.tool?.output_schema;
    answers.replaceChildren(...(route.operation ? [h("h3", "Responses"), ...responsesOf(route)] : output ? [h("h3", "Result"), shape(output, output)] : []));
    draw();
  };
  const onsubmit = event => {
    event.preventDefault();
    const request = makeRequest();
    if (hasDots(request.url)) return response.fail("Not sent", "A browser cannot send “.” or “..” as a path segment; the curl command can.");
    response.call(request, entry, route, form.get());
  };
  const routes = entry.routes.length > 1 && h("select", { id: newId(), onchange: () => choose(routes.selectedIndex) }, entry.routes.map(it => h("option", it.label)));
  choose(0);
  return h("article", { "aria-labelledby": "title" },
    h("p.crumb", entry.tag ?? "other"),
    h("h1", { id: "title", tabindex: -1 }, h("code", broken(entry.name))),
    entry.title && entry.title !== entry.name && h("p.lead", entry.title),
    h("ul.routes", entry.routes.map(it => h("li", methodBadge(it), " ", h("code", it.path ? pathNodes(it.path) : "tools/call")))),
    prose(entry.description),
    isGuarded(entry) && h("p.fine", "Asks for authorization. ", button("Authorize", "", () => authorize())),
    h("div.columns", {},
      h("div", h("form.try", { autocomplete: "off", autocapitalize: "off", spellcheck: "false", onsubmit, oninput: refresh, onchange: refresh }, h("h2", "Arguments"),
        routes && h("div.field.send", h("label", { for: routes.id }, "Send as"), routes), extras, slot,
        h("div.actions", h("button.main", { type: "submit" }, "Send"))), response.node),
      h("div.side", h("h2", "Samples"), sample.node)),
    answers);
}
