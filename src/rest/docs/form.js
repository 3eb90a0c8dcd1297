// Schemas as form fields. A field has a node, `get` (undefined is left out) and `set`.
const changed = node => node.dispatchEvent(new Event("input", { bubbles: true }));
const button = (label, about, onclick) => h("button.quiet", { type: "button", onclick }, label, about && h("span.hush", " " + about));

function expression(pattern) {
  try { return new RegExp(pattern, "u"); } catch { return undefined; }
}

// What the attributes of an input cannot say.
function fault(schema, text) {
  if (text === "") return "";
  const number = Number(text), { multipleOf: step } = schema;
  if (schema.exclusiveMinimum != null && number <= schema.exclusiveMinimum) return `Must be more than ${schema.exclusiveMinimum}.`;
  if (schema.exclusiveMaximum != null && number >= schema.exclusiveMaximum) return `Must be less than ${schema.exclusiveMaximum}.`;
  if (step && Math.abs(number / step - Math.round(number / step)) > 1e-9) return `Must be a multiple of ${step}.`;
  if (schema.pattern && typesOf(schema).includes("string") && expression(schema.pattern)?.test(text) === false) return `Must match ${schema.pattern}`;
  const length = [...text].length;
  if (schema.minLength > length) return `Must have at least ${schema.minLength} characters.`;
  return "";
}

const INPUT_TYPES = { integer: "number", number: "number", email: "email", uri: "url", date: "date", password: "password" };

// An input for one text or number.
function scalar(schema, kind, common, required) {
  const sample = schema.examples?.[0] ?? schema.example ?? schema.default;
  const hint = schema.default != null ? `default ${show(schema.default)}` : sample != null ? `e.g. ${show(sample)}` : undefined;
  const isNumber = kind === "integer" || kind === "number";
  const isLong = schema.maxLength > 300;
  const attributes = {
    ...common, required, placeholder: hint, maxlength: isNumber ? undefined : schema.maxLength,
    min: schema.minimum, max: schema.maximum, step: isNumber ? (kind === "integer" ? 1 : "any") : undefined,
  };
  const input = isLong ? h("textarea", { ...attributes, rows: 4 })
    : h("input", { ...attributes, type: INPUT_TYPES[isNumber ? kind : schema.format] ?? "text" });
  const check = () => input.setCustomValidity(fault(schema, input.value));
  input.addEventListener("input", check);
  const set = value => { input.value = value == null ? "" : show(value); check(); };
  if (required && sample != null) set(sample);
  return { control: input, set, get: () => input.value === "" ? undefined : isNumber ? exact(input.value) : input.value };
}

// A select over listed values. An optional one can be left out.
function choice(schema, options, common, required) {
  const left = schema.default == null ? "left out" : `left out (default ${show(schema.default)})`;
  const sample = schema.default ?? schema.examples?.[0];
  const select = h("select", common, !required && h("option", left), options.map(({ value, about }) =>
    h("option", { selected: required && compact(value) === compact(sample) }, show(value) + (about ? ` (${about.split(/[.\n]/)[0]})` : ""))));
  const set = value => { select.selectedIndex = Math.max(options.findIndex(it => compact(it.value) === compact(value)) + !required, 0); };
  return { control: select, set, get: () => options[select.selectedIndex - !required]?.value };
}

// A box that was never touched is left out, unless the value is required.
function checkbox(schema, common, required) {
  let touched = Boolean(required);
  const box = h("input", { ...common, type: "checkbox", onchange: () => { touched = true; } });
  box.checked = schema.default === true;
  const set = value => { touched = Boolean(required) || value != null; box.checked = value ?? schema.default === true; };
  return { control: box, set, get: () => touched ? box.checked : undefined, isBox: true };
}

function jsonArea(schema, common, required) {
  const sample = schema.examples?.[0] ?? schema.default;
  const area = h("textarea.mono", { ...common, rows: 4, required, placeholder: sample == null ? "JSON" : compact(sample) });
  const read = () => tried(area.value);
  const check = () => area.setCustomValidity(area.value.trim() && read() == null ? "This is not JSON." : "");
  area.addEventListener("input", check);
  const set = value => { area.value = value == null ? "" : pretty(value); check(); };
  if (required) set(sample ?? (typesOf(schema)[0] === "array" ? [] : typesOf(schema)[0] === "object" ? {} : undefined));
  return { control: area, set, get: read };
}

function fileInput(schema, common, required) {
  const input = h("input", { ...common, type: "file", required, accept: schema.contentMediaType });
  return { control: input, set: () => {}, get: () => input.files[0], isFile: true };
}

// The items of an array or the entries of a map, which can be added and removed.
function rows(schema, root, name, depth, isMap) {
  const item = isMap ? schema.additionalProperties : schema.items ?? {};
  const list = h("div.nest"), label = name || "value";
  let entries = [];
  const limits = () => {
    add.disabled = entries.length >= (schema.maxItems ?? schema.maxProperties ?? Infinity);
    for (const [i, entry] of entries.entries()) entry.remove.disabled = entries.length <= (schema.minItems ?? 0);
  };
  const append = (value, key) => {
    const entry = { field: make(isMap ? "value" : `${label}[]`, item, root, { required: true, depth: depth + 1 }) };
    entry.key = isMap && h("input.key", { type: "text", required: true, placeholder: "key", "aria-label": `key in ${label}`, value: key ?? "" });
    entry.remove = button("Remove", `item of ${label}`, () => {
      entries = entries.filter(it => it !== entry);
      entry.node.remove();
      limits();
      changed(list);
      add.focus();
    });
    entry.node = h("div.row", entry.key, entry.field.node, entry.remove);
    if (value != null) entry.field.set(value);
    entries.push(entry);
    list.append(entry.node);
    limits();
    return entry;
  };
  const add = button(isMap ? "Add entry" : "Add item", `to ${label}`, () => {
    const entry = append();
    changed(list);
    entry.node.querySelector("input, select, textarea, button")?.focus();
  });
  const set = value => {
    entries = [];
    list.replaceChildren();
    if (isMap) for (const [key, it] of pairsOf(isObject(value) ? value : {})) append(it, key);
    else for (const it of Array.isArray(value) ? value : []) append(it);
    limits();
  };
  for (let i = 0; i < Math.min(schema.minItems ?? 0, 20); i++) append();
  limits();
  const values = () => entries.map(({ field }) => field.get() ?? null);
  const get = () => isMap ? Object.fromEntries(entries.map(({ key }, i) => [key.value, values()[i]])) : values();
  return { control: h("div.nest", list, add), set, get, isEmpty: () => entries.length === 0 };
}

// Whether a value may be meant by one of several schemas; enough to choose a form for it.
function fits(schema, value, root) {
  const at = plain(schema, root), options = choices(at, root), types = typesOf(at);
  const type = Array.isArray(value) ? "array" : Number.isInteger(value) && !types.includes("number") ? "integer" : typeof value;
  if (options ? !options.some(it => compact(it.value) === compact(value)) : types.length && !types.includes(type)) return false;
  return !isObject(value) || (at.required ?? []).every(key => key in value) && pairsOf(at.properties ?? {}).every(([key, it]) =>
    value[key] == null || plain(it, root).const == null || fits(it, value[key], root));
}

function variants(schema, root, name, depth) {
  const members = schema.oneOf ?? schema.anyOf;
  const titles = members.map((it, i) => {
    const at = plain(it, root), tag = Object.values(at.properties ?? {}).map(property => choices(plain(property, root), root)).find(list => list?.length === 1);
    return at.title ?? (tag ? show(tag[0].value) : at.required?.length === 1 ? at.required[0] : `${typeLabel(it, root)} ${i + 1}`);
  });
  const place = h("div.nest");
  let field;
  const choose = at => {
    field = make("", members[at], root, { required: true, depth: depth + 1 });
    place.replaceChildren(field.node);
  };
  const select = h("select", { "aria-label": `kind of ${name || "value"}`, onchange: () => choose(select.selectedIndex) }, titles.map(title => h("option", title)));
  choose(0);
  const set = value => {
    select.selectedIndex = Math.max(0, members.findIndex(it => fits(it, value, root)));
    choose(select.selectedIndex);
    field.set(value);
  };
  return { control: h("div.nest", select, place), set, get: () => field.get() };
}

// The properties of an object, each a field.
function group(fields, root, depth) {
  const made = fields.map(it => ({ ...it, field: make(it.name, it.schema, root, { ...it, mark: it.required, depth }) }));
  const get = () => Object.fromEntries(made.map(({ key, name, field }) => [key ?? name, field.get()]).filter(([, value]) => value != null));
  const set = values => { for (const { key, name, field } of made) field.set(values?.[key ?? name]); };
  return { control: h("div.fields", made.map(({ field }) => field.node)), get, set, made };
}

const propertiesOf = (schema, order) => ordered(schema, order).map(name =>
  ({ name, schema: schema.properties[name], required: schema.required?.includes(name) ?? false }));

// The control of a nested value, which an optional one shows once it is wanted.
function nested(kind, schema, root, name, depth) {
  if (kind === "array" || kind === "map") return rows(schema, root, name, depth, kind === "map");
  if (kind === "variants") return variants(schema, root, name, depth);
  return { ...group(propertiesOf(schema), root, depth + 1) };
}

function optional(build, name) {
  const place = h("div.nest");
  let inner;
  const show = () => {
    inner = build();
    place.replaceChildren(inner.control, button("Remove", name, () => { hide(); changed(place); place.querySelector("button").focus(); }));
  };
  const hide = () => {
    inner = undefined;
    place.replaceChildren(button("Add", name, () => { show(); changed(place); place.querySelector("input, select, textarea, button")?.focus(); }));
  };
  hide();
  return { control: place, get: () => inner?.get(), set: value => { if (value == null) return hide(); show(); inner.set(value); } };
}

// The field of a value of this schema, with its label and what is to be known of it.
function make(name, schema, root, { required = false, mark, depth = 0, place, about } = {}) {
  const at = plain(schema, root);
  const kind = depth > DEEPEST ? "json" : kindOf(at, root);
  const id = newId();
  const described = about ?? at.description;
  const notes = constraints(at, root);
  const common = { id, "data-name": name || undefined, "aria-describedby": described || notes.length ? id + "d" : undefined };
  const isNested = /^(object|array|map|variants)$/.test(kind);
  const options = choices(at, root);
  const field = isNested ? (kind === "object" || kind === "variants") && !required
    ? optional(() => nested(kind, at, root, name, depth), name) : nested(kind, at, root, name, depth)
    : kind === "choice" ? choice(at, options, common, required)
      : kind === "boolean" ? checkbox(at, common, required)
        : kind === "file" ? fileInput(at, common, required)
          : kind === "json" || kind === "null" ? jsonArea(at, common, required) : scalar(at, kind, common, required);
  const get = () => field.isEmpty?.() && !required ? undefined : field.get();
  const label = [name && h("code.name", name), " ", h("span.type", typeLabel(schema, root)), " ",
    place && [h("span.place", place === "whole" ? "body" : place), " "], mark && h("span.must", "required")];
  const help = (described || notes.length > 0) && h("div.help", { id: id + "d" }, described && h("span", inline(described), " "), notes);
  const node = isNested
    ? h("fieldset.field", { "data-name": name || undefined, "aria-describedby": common["aria-describedby"] }, h("legend", label), help, field.control)
    : h(field.isBox ? "div.field.check" : "div.field", {}, h("label", { for: id }, label), help, field.control);
  return { ...field, node, get };
}
