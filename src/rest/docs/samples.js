// Requests as code: what is typed in the form stands in each sample.
const quote = text => "'" + text.replaceAll("'", "'\\''") + "'";
const indent = (text, by) => text.replaceAll("\n", "\n" + by);
const isFile = it => it instanceof File;
const fileOf = it => it.name || "file";

// The request as every language needs it: which headers are written, and in which form the body comes.
function described({ method, url, headers, cookies, body }) {
  const at = body ? PREFERRED.indexOf(body.type) : -2, isForm = at > 0;
  const written = { ...headers, ...(cookies.length && { Cookie: cookies.join("; ") }) };
  if (isForm) delete written["Content-Type"];
  return {
    method, url, headers: written, value: body?.value, streams: headers.Accept === "text/event-stream", isForm, isMultipart: at === 1,
    isJson: isJsonType(body?.type), isRaw: Boolean(body) && !isForm && !isJsonType(body.type),
    pairs: isForm ? pairsOf(body.value).flatMap(([name, it]) => [].concat(it).map(one => [name, isFile(one) ? one : show(one)])) : [],
  };
}

function curl({ method, url, headers, value, streams, isMultipart, isJson, isRaw, pairs }) {
  const lines = pairsOf(headers).map(([key, it]) => "-H " + quote(`${key}: ${it}`));
  for (const [name, it] of pairs) lines.push((isFile(it) ? "-F" : isMultipart ? "--form-string" : "--data-urlencode") + " " + quote(`${name}=${isFile(it) ? "@" + fileOf(it) : it}`));
  if (isJson) lines.push("--data " + quote(pretty(value)));
  if (isRaw) lines.push("--data-binary " + quote(isFile(value) ? "@" + fileOf(value) : show(value)));
  const usual = isJson || isRaw || pairs.length ? "POST" : "GET";
  const first = ["curl", method !== usual && `-X ${method}`, hasDots(url) && "--path-as-is", streams && "-N", quote(url)];
  return [first.filter(Boolean).join(" "), ...lines].join(" \\\n  ");
}

const pythonic = value => pretty(value).replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g, it => ({ true: "True", false: "False", null: "None" })[it] ?? it);

function python({ method, url, headers, value, streams, isMultipart, isJson, isForm, isRaw, pairs }) {
  const lines = [compact(method), compact(url)], add = (name, text) => lines.push(`${name}=${indent(text, "    ")}`);
  const open = it => `open(${compact(fileOf(it))}, "rb")`;
  if (isJson) delete headers["Content-Type"];
  if (Object.keys(headers).length) add("headers", pythonic(headers));
  if (isJson) add("json", pythonic(value));
  if (isForm) add(isMultipart ? "files" : "data", `[${pairs.map(([name, it]) => `(${compact(name)}, ${isFile(it) ? open(it) : isMultipart ? `(None, ${compact(it)})` : compact(it)})`).join(", ")}]`);
  if (isRaw) add("data", isFile(value) ? open(value) : pythonic(show(value)) + ".encode()");
  if (streams) add("stream", "True");
  const end = streams ? "for line in response.iter_lines(decode_unicode=True):\n    print(line)" : "print(response.text)";
  return `import requests\n\nresponse = requests.request(\n    ${lines.join(",\n    ")},\n)\nresponse.raise_for_status()\n${end}`;
}

function javascript({ method, url, headers, value, streams, isMultipart, isJson, isForm, isRaw, pairs }) {
  const before = [], lines = [];
  if (method !== "GET") lines.push(`method: ${compact(method)}`);
  if (Object.keys(headers).length) lines.push("headers: " + indent(pretty(headers), "  "));
  if (isForm) {
    before.push(`const form = new ${isMultipart ? "FormData" : "URLSearchParams"}();`);
    for (const [name, it] of pairs) before.push(`form.append(${compact(name)}, ${isFile(it) ? "file" : compact(it)});`);
    lines.push("body: form");
  }
  if (isJson) lines.push(`body: JSON.stringify(${indent(pretty(value), "  ")})`);
  if (isRaw) lines.push("body: " + (isFile(value) ? "file" : compact(show(value))));
  const options = lines.length ? `, {\n  ${lines.join(",\n  ")},\n}` : "";
  const end = streams ? "for await (const part of response.body.pipeThrough(new TextDecoderStream())) console.log(part);" : "console.log(await response.text());";
  return [...before, `const response = await fetch(${compact(url)}${options});`, "if (!response.ok) throw new Error(await response.text());", end].join("\n");
}

function rust({ method, url, headers, value, isMultipart, isJson, isForm, isRaw, pairs }) {
  // Of a raw string, as many marks as no text has after a quotation mark.
  const text = it => !/["\\\n]/.test(it) ? `"${it}"` : /"#/.test(it) ? `r###"${it}"###` : `r#"${it}"#`;
  if (isJson) delete headers["Content-Type"];
  const chain = pairsOf(headers).map(([key, it]) => `.header(${text(key)}, ${text(it)})`);
  if (isJson) chain.push(`.json(&serde_json::json!(${indent(pretty(value), "        ")}))`);
  if (isMultipart) chain.push(`.multipart(reqwest::multipart::Form::new()${pairs.map(([name, it]) => isFile(it) ? `.file(${text(name)}, ${text(fileOf(it))}).await?` : `.text(${text(name)}, ${text(it)})`).join("")})`);
  else if (isForm) chain.push(`.form(&[${pairs.map(([name, it]) => `(${text(name)}, ${text(it)})`).join(", ")}])`);
  if (isRaw) chain.push(`.body(${isFile(value) ? `tokio::fs::read(${text(fileOf(value))}).await?` : text(show(value))})`);
  const calls = ["reqwest::Client::new()", `.request(reqwest::Method::${method}, ${text(url)})`, ...chain, ".send()", ".await?", ".error_for_status()?;"];
  return `#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {\n    let response = ${calls.join("\n        ")}\n    println!("{}", response.text().await?);\n    Ok(())\n}`;
}

const LANGUAGES = [["curl", curl], ["Python", python], ["JavaScript", javascript], ["Rust", rust]];

// The samples of one function; `refresh` writes them anew from the request.
function samples(entry) {
  const written = LANGUAGES.map(([label, write]) => ({ label, write: request => write(described(request)) }));
  if (entry.tool?.protocols.includes("mcp")) written.push({ label: "Agent", write: (_, args) => pretty(message(entry, args)) });
  for (const it of written) it.block = codeBlock(`${it.label} sample`);
  const refresh = (makeRequest, args) => {
    state.writing = true;
    try {
      const request = makeRequest();
      for (const { block, write } of written) block.set(write(request, args));
    } finally { state.writing = false; }
  };
  const panels = written.map(({ label, block }, i) => ({ label, panel: block.node, onchoose: () => { state.language = i; } }));
  return { node: tabs("Samples", panels, state.language), refresh };
}
