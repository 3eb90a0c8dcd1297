// Credentials: kept in memory, sent with the requests that ask for them, and never written into a sample.
const schemes = () => pairsOf(state.document?.components?.securitySchemes ?? state.assumed ?? {})
  .map(([id, it]) => ({ id, ...plain(it, state.document) }));

function header(scheme, value) {
  if (scheme.type === "apiKey") return { place: scheme.in, name: scheme.name, value };
  return { place: "header", name: "Authorization", value: `Bearer ${value}` };
}
const placeholder = scheme => scheme.type === "apiKey" ? "YOUR_API_KEY" : "YOUR_TOKEN";

// The alternatives of which one must be met; MCP has no entry of its own in the document.
function alternatives(operation) {
  const known = schemes();
  const listed = operation ? operation.security ?? state.document?.security : known.map(({ id }) => ({ [id]: [] }));
  return (listed ?? []).map(it => known.filter(({ id }) => id in it));
}
const needsCredentials = operation => {
  const all = alternatives(operation);
  return all.length > 0 && all.every(it => it.length > 0);
};
const isGuarded = entry => entry.routes.some(it => it.operation && needsCredentials(it.operation));

// While samples are written no secret is looked at.
function credentials(operation) {
  const all = alternatives(operation).filter(it => it.length);
  const met = all.find(it => it.every(({ id }) => state.secrets.get(id)));
  if (state.writing) return (met ?? (needsCredentials(operation) ? all[0] : [])).map(it => header(it, placeholder(it)));
  return (met ?? []).map(it => header(it, state.secrets.get(it.id)));
}

function authorizeDialog(onsave) {
  const dialog = h("dialog", { "aria-labelledby": "auth-title" });
  const open = () => {
    const inputs = schemes().map(scheme => {
      const input = h("input", { type: "password", id: newId(), autocomplete: "off", spellcheck: "false" });
      input.value = state.secrets.get(scheme.id) ?? "";
      const kind = scheme.type === "apiKey" ? `API key in the ${scheme.in} ${scheme.name}` : "bearer token";
      return { scheme, input, node: h("div.field", h("label", { for: input.id }, h("b", scheme.id), " ", h("span.type", kind)), prose(scheme.description ?? "", "div.help"), input) };
    });
    const keep = event => {
      event.preventDefault();
      for (const { scheme, input } of inputs) state.secrets.set(scheme.id, input.value.trim());
      dialog.close();
      onsave();
    };
    dialog.replaceChildren(h("form.fields", { onsubmit: keep }, h("h2", { id: "auth-title" }, "Authorize"),
      h("p.fine", "Kept in the memory of this page until it is closed or reloaded."),
      inputs.map(({ node }) => node),
      h("div.actions", h("button.main", { type: "submit" }, "Use"), button("Cancel", "", () => dialog.close()))));
    dialog.showModal();
    inputs[0]?.input.focus();
  };
  document.body.append(dialog);
  return open;
}
