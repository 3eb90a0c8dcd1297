// The page of a tool (MCP Apps, SEP-1865) for its result, in a frame that reaches nothing but this page.
const APP_VERSION = "2026-01-26", TALLEST = 2000;
const SHADES = { "--color-background-primary": "--page", "--color-text-primary": "--ink", "--color-text-secondary": "--muted", "--color-border-primary": "--line", "--font-sans": "--sans" };

// It is read as MCP clients read it, with the credentials of a call.
async function appPage(entry) {
  const uri = entry.tool.app, { method, url, headers, body } = mcpRequest(entry, "resources/read", uri, { uri });
  const response = await fetch(url, { method, headers: { ...headers, Accept: "application/json" }, body: compact(body.value) });
  const text = await response.text(), page = tried(text)?.result?.contents?.[0];
  if (page?.text == null && !page?.blob) throw Error(complaint(text)?.detail ?? `${response.status}`);
  return page.text ?? new TextDecoder().decode(Uint8Array.from(atob(page.blob), it => it.charCodeAt(0)));
}

const isDark = () => theme.ariaPressed === "true";
const tell = (frame, message) => frame.contentWindow?.postMessage({ jsonrpc: "2.0", ...message }, "*");

function appContext() {
  const style = getComputedStyle(document.documentElement);
  const variables = Object.fromEntries(pairsOf(SHADES).map(([name, ours]) => [name, style.getPropertyValue(ours)]));
  return { theme: isDark() ? "dark" : "light", displayMode: "inline", styles: { variables } };
}

function appFrame(entry, html, args, result) {
  const frame = h("iframe.app", { sandbox: "allow-scripts", src: ROOT + "/docs/app", title: `View of ${entry.name}` });
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

function tellTheme() {
  for (const frame of document.querySelectorAll(".app")) tell(frame, { method: "ui/notifications/host-context-changed", params: appContext() });
}

// The result of a tool, which is the body of an answer on REST. `parse` would make exact numbers, which cannot be sent to a frame.
function toolResult(route, text) {
  try {
    const value = JSON.parse(text);
    return route.kind === "mcp" ? value.result : { content: [{ type: "text", text }], structuredContent: value };
  } catch { return undefined; }
}

// The frame with the page for this answer; nothing for a function without a page.
function appView(entry, route, args, text) {
  const result = entry.tool?.app && toolResult(route, text);
  if (!result) return undefined;
  const place = h("div"), plainArgs = JSON.parse(compact(args));
  appPage(entry).then(html => place.replaceChildren(appFrame(entry, html, plainArgs, result)),
    error => place.replaceChildren(h("p.fine", `The view ${entry.tool.app} cannot be shown: ${error.message}`)));
  return place;
}
