// Ready settings for programs that speak MCP, with this server's name and address.
const clientName = () => catalog.name.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "") || "server";

// The header by which a client shows a token or key; with OAuth it needs none, because it signs in by itself.
function clientHeader() {
  const known = schemes();
  if (known.some(it => it.type === "oauth2" || it.type === "openIdConnect")) return undefined;
  const scheme = known.find(it => it.type === "http") ?? known.find(it => it.in === "header");
  return scheme && header(scheme, placeholder(scheme));
}

function clients() {
  const name = clientName(), url = ROOT + "/mcp", it = clientHeader();
  const headers = it && { [it.name]: it.value };
  const line = it && `${it.name}: ${it.value}`;
  const ask = it ? ` \\\n  --header ${quote(line)}` : "";
  const servers = entry => pretty({ mcpServers: { [name]: entry } });
  const remote = ["-y", "mcp-remote", url, ...(url.startsWith("http:") ? ["--allow-http"] : []), ...(it ? ["--header", line] : [])];
  return [
    ["Claude Code", [["In a terminal.", `claude mcp add --transport http ${name} ${quote(url)}${ask}`], ["Or in `.mcp.json` of a project.", servers({ type: "http", url, headers })]]],
    ["Claude Desktop", [["Settings, Connectors, Add custom connector: an `https` address that the internet reaches. This is the address.", url],
      ["For an address of your own machine, in `claude_desktop_config.json` (needs Node.js).", servers({ command: "npx", args: remote })]]],
    ["VS Code", [["In `.vscode/mcp.json` of a project, or in the file that `MCP: Open User Configuration` opens.", pretty({ servers: { [name]: { type: "http", url, headers } } })]]],
    ["Cursor", [["In `~/.cursor/mcp.json`, or `.cursor/mcp.json` of a project.", servers({ url, headers })]]],
    ["Codex", [["In `~/.codex/config.toml`.", `[mcp_servers.${name}]\nurl = ${compact(url)}${it ? `\nhttp_headers = { ${compact(it.name)} = ${compact(it.value)} }` : ""}`]]],
    ["Gemini CLI", [["In a terminal.", `gemini mcp add --transport http ${it ? `--header ${quote(line)} ` : ""}${name} ${quote(url)}`],
      ["Or in `~/.gemini/settings.json`.", servers({ httpUrl: url, headers })]]],
  ];
}

function connectPanel() {
  const panels = clients().map(([label, steps]) => ({
    label, panel: h("div", steps.map(([about, text]) => {
      const block = codeBlock(`${label} settings`);
      block.set(text);
      return [h("p.fine", inline(about)), block.node];
    })),
  }));
  return h("section.connect", { "aria-labelledby": "connect-title" }, h("h2", { id: "connect-title" }, "Connect an agent"),
    h("p", "MCP clients connect over Streamable HTTP at ", h("code.endpoint", ROOT + "/mcp"), "."), tabs("Clients", panels));
}
