// Reading JSON Schemas: references, unions with null, and what is said of a value.
const MOST_STEPS = 40, DEEPEST = 8;

function pointed(reference, root) {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  const steps = reference.slice(1).split("/").slice(1)
    .map(it => decodeURIComponent(it).replaceAll("~1", "/").replaceAll("~0", "~"));
  // A schema's own definitions come first, then those of the whole document.
  for (const start of [root, state.document]) {
    const found = steps.reduce((at, step) => at?.[step], start);
    if (found != null) return found;
  }
  return undefined;
}

// The schema with its references followed, its `allOf` joined and null left out.
function plain(schema, root, depth = 0) {
  let at = isObject(schema) ? schema : {};
  for (let step = 0; step < MOST_STEPS; step++) {
    if (at.$ref != null) {
      const { $ref, ...rest } = at;
      const target = pointed($ref, root);
      at = { ...(isObject(target) ? target : {}), ...rest };
    } else if (Array.isArray(at.allOf) && depth < DEEPEST) {
      const { allOf, ...rest } = at;
      at = allOf.reduce((sum, it) => joined(sum, isObject(it) && it.$ref ? plain(it, root, depth + 1) : it), rest);
    } else {
      const key = ["anyOf", "oneOf"].find(it => Array.isArray(at[it]));
      const kept = at[key]?.filter(it => it?.type !== "null" && it?.const !== null);
      if (kept?.length !== 1) break;
      const { [key]: _, ...rest } = at;
      at = { ...kept[0], ...rest };
    }
  }
  return at;
}

const joined = (a, b) => !isObject(b) ? a : {
  ...b, ...a,
  ...((a.properties || b.properties) && { properties: { ...a.properties, ...b.properties } }),
  ...((a.required || b.required) && { required: [...(a.required ?? []), ...(b.required ?? [])] }),
};

const typesOf = schema => [].concat(schema.type ?? []).filter(type => type !== "null");

// The values that a schema allows, if it lists them.
function choices(schema, root) {
  if (Array.isArray(schema.enum)) return schema.enum.filter(it => it !== null).map(value => ({ value }));
  if (schema.const != null) return [{ value: schema.const }];
  const members = (schema.oneOf ?? schema.anyOf)?.map(it => plain(it, root));
  if (!members?.length || !members.every(it => it.const != null || it.enum)) return undefined;
  return members.flatMap(it => (it.enum ?? [it.const]).map(value => ({ value, about: it.description })));
}

const isBinary = schema => typesOf(schema).includes("string") && (schema.format === "binary" || Boolean(schema.contentMediaType && !schema.contentEncoding));

function kindOf(schema, root) {
  const options = choices(schema, root);
  if (options) return "choice";
  if ((schema.oneOf ?? schema.anyOf)?.length) return "variants";
  const types = typesOf(schema);
  if (isBinary(schema)) return "file";
  if (types.length > 1) return "json";
  if (types[0] === "object" || (!types.length && schema.properties)) {
    return Object.keys(schema.properties ?? {}).length ? "object" : isObject(schema.additionalProperties) ? "map" : "json";
  }
  if (types[0] === "array") return schema.prefixItems ? "json" : "array";
  return types[0] ?? "json";
}

// Required properties first, each part in the order in which it is declared, as far as that is known.
const rank = (list, name) => list.indexOf(name) + 1 || list.length + 1;
function ordered(schema, order = []) {
  const required = schema.required ?? [], list = order.length ? order : required;
  return Object.keys(schema.properties ?? {}).sort((a, b) =>
    required.includes(b) - required.includes(a) || rank(list, a) - rank(list, b));
}

function typeLabel(schema, root, depth = 0) {
  const name = typeof schema?.$ref === "string" ? schema.$ref.split("/").at(-1) : "";
  const at = plain(schema, root);
  if (isBinary(at)) return "file";
  if (choices(at, root)) return typesOf(at)[0] ?? "choice";
  const members = at.oneOf ?? at.anyOf;
  if (members && depth < 3) return [...new Set(members.map(it => typeLabel(it, root, depth + 1)))].join(" or ");
  const label = typesOf(at).map(type => type === "array" && at.items && depth < 3
    ? `array of ${typeLabel(at.items, root, depth + 1)}` : type).join(" or ");
  return name ? `${label || "any"} ${name}` : label || "any";
}

// What is said of a value besides its type, as nodes.
function constraints(schema, root) {
  const notes = [];
  const note = (label, ...values) => notes.push(h("span.note", label, values.map((value, i) => [i ? ", " : " ", h("code", show(value))])));
  const range = (low, high, unit) => {
    if (low != null && low === high) note(`exactly ${low}${unit}`);
    else if (low != null && high != null) note(`${low} to ${high}${unit}`);
    else if (low != null) note(`at least ${low}${unit}`);
    else if (high != null) note(`at most ${high}${unit}`);
  };
  const options = choices(schema, root);
  if (options && options.length <= 30) note("one of", ...options.map(it => it.value));
  range(schema.minimum, schema.maximum, "");
  if (schema.exclusiveMinimum != null) note(`more than ${schema.exclusiveMinimum}`);
  if (schema.exclusiveMaximum != null) note(`less than ${schema.exclusiveMaximum}`);
  if (schema.multipleOf != null) note(`a multiple of ${schema.multipleOf}`);
  range(schema.minLength, schema.maxLength, " characters");
  range(schema.minItems, schema.maxItems, " items");
  if (schema.uniqueItems) note("no item twice");
  if (schema.format) note("format", schema.format);
  if (schema.pattern) note("pattern", schema.pattern);
  if (schema.default != null) note("default", schema.default);
  const sample = schema.examples?.[0] ?? schema.example;
  if (sample != null) note("example", sample);
  return notes;
}

// A schema as a list of properties; what is nested is drawn when it is opened, which ends a recursion.
function shape(schema, root, depth = 0) {
  const at = plain(schema, root);
  if (depth > DEEPEST) return h("p.fine", typeLabel(schema, root));
  const members = kindOf(at, root) === "variants" ? at.oneOf ?? at.anyOf : undefined;
  if (members) {
    return h("ul.shape", members.map((it, i) => h("li", h("span.fine", i ? "or " : "either "), line(undefined, it, root, depth))));
  }
  if (at.items && typesOf(at).includes("array")) return h("div", h("p.fine", "each item"), shape(at.items, root, depth + 1));
  const names = ordered(at);
  if (!names.length) return h("p.fine", typeLabel(schema, root), " ", constraints(at, root), isObject(at.additionalProperties) && shape(at.additionalProperties, root, depth + 1));
  return h("ul.shape", names.map(name => h("li", line(name, at.properties[name], root, depth, at.required?.includes(name)))));
}

function line(name, schema, root, depth, required) {
  const at = plain(schema, root);
  const inner = (at.properties && Object.keys(at.properties).length) || isObject(at.items) || isObject(at.additionalProperties) ||
    (kindOf(at, root) === "variants");
  const scalarItems = isObject(at.items) && !["object", "array", "variants", "map"].includes(kindOf(plain(at.items, root), root));
  const head = [name != null && h("code.name", name), " ", h("span.type", typeLabel(schema, root)),
    required && h("span.must", "required"), constraints(at, root)];
  const about = at.description && h("div.about", inline(at.description));
  if (!inner || scalarItems) return [head, about];
  const more = h("details.inner", { open: depth < 1 && name != null }, h("summary", "Properties", h("span.hush", " of " + (name ?? "this choice"))));
  const draw = () => { if (more.open && !more.children[1]) more.append(shape(at, root, depth + 1)); };
  more.addEventListener("toggle", draw);
  draw();
  return [head, about, more];
}
