// The page of a tool (MCP Apps, SEP-1865) for its result, in a frame that reaches nothing but this page. Part of the script only where a tool has one.
const APP_VERSION = "2026-01-26", TALLEST = 2000;
const SHADES = { "--color-background-primary": "--page", "--color-text-primary": "--ink", "--color-text-secondary": "--muted", "--color-border-primary": "--line", "--font-sans": "--sans" };

// It is read as MCP clients read it, with the credentials of a call.
async function appPage(entry) {
  const uri = entry.tool.app, { method, url, headers, body: { value } } = mcpRequest(entry, {});
  const body = compact({ ...value, method: "resources/read", params: { uri, _meta: value.params._meta } });
  const response = await fetch(url, { method, body, headers: { ...headers, Accept: "application/json", "Mcp-Method": "resources/read", "Mcp-Name": headerText(uri) } });
  const text = await response.text(), page = tried(text)?.result?.contents?.[0];
  if (page?.text == null && !page?.blob) throw Error(complaint(text)?.detail ?? `${response.status}`);
  return page.text ?? new TextDecoder().decode(Uint8Array.from(atob(page.blob), it => it.charCodeAt(0)));
}

const tell = (frame, message) => frame.contentWindow?.postMessage({ jsonrpc: "2.0", ...message }, "*");

function appContext() {
  const shades = getComputedStyle(document.documentElement);
  const variables = Object.fromEntries(pairsOf(SHADES).map(([name, ours]) => [name, shades.getPropertyValue(ours)]));
  return { theme: theme.ariaPressed === "true" ? "dark" : "light", displayMode: "inline", styles: { variables } };
}

function appFrame(entry, html, args, result) {
  const frame = h("iframe.app", { sandbox: "allow-scripts", width: "100%", height: 384, frameborder: 0, src: ROOT + "/docs/app", title: `View of ${entry.name}` });
  const heard = {
    "ui/initialize": () => ({ protocolVersion: APP_VERSION, hostInfo: { name: `${catalog.name}-docs`, version: "1" }, hostCapabilities: {}, hostContext: appContext() }),
    "ui/notifications/initialized": () => {
      tell(frame, { method: "ui/notifications/tool-input", params: { arguments: args } });
      tell(frame, { method: "ui/notifications/tool-result", params: result });
    },
    "ui/notifications/size-changed": ({ height }) => { if (height > 0) frame.style.height = `${Math.min(height, TALLEST)}px`; },
    ping: () => ({}),
  };
  addEventListener("message", function hear({ source, data }) {
    if (!frame.isConnected) return removeEventListener("message", hear);
    if (source !== frame.contentWindow || data?.jsonrpc !== "2.0" || !data.method) return;
    const answer = Object.hasOwn(heard, data.method) ? heard[data.method](data.params ?? {}) : undefined;
    if (data.id != null) tell(frame, { id: data.id, ...(answer ? { result: answer } : { error: { code: -32601, message: "this host does not have the method" } }) });
  });
  // The frame writes the page into itself.
  frame.addEventListener("load", () => frame.contentWindow.postMessage(html, "*"), { once: true });
  return frame;
}

state.retint = () => {
  for (const frame of document.querySelectorAll(".app")) tell(frame, { method: "ui/notifications/host-context-changed", params: appContext() });
};

// The result of a tool, which is the body of an answer on REST. `parse` would make exact numbers, which cannot be sent to a frame.
function toolResult(route, text) {
  try {
    const value = JSON.parse(text);
    // An event stream ends with the problem where the call fails.
    if (`${value.type}`.startsWith("urn:bifold:problem:")) return undefined;
    return route.kind === "mcp" ? value.result : { content: [{ type: "text", text }], structuredContent: isObject(value) ? value : { result: value } };
  } catch { return undefined; }
}

// The frame with the page for this answer; nothing for a function without a page.
state.view = (text, entry, route, args) => {
  const result = entry.tool?.app && toolResult(route, text);
  if (!result) return undefined;
  const place = h("div"), plainArgs = JSON.parse(compact(args));
  appPage(entry).then(html => place.replaceChildren(appFrame(entry, html, plainArgs, result)),
    error => place.replaceChildren(h("p.fine", `The view ${entry.tool.app} cannot be shown: ${error.message}`)));
  return place;
};
