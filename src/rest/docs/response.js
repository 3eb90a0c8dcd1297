// Sending a request and showing what comes back.
const TEXTUAL = /^text\/|[/+](?:json|xml)\b|javascript|urlencoded|ecmascript|yaml/;
const size = bytes => bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`;

// The data of server-sent events, from text that comes in pieces.
function eventReader(onevent) {
  let rest = "";
  return (text, isEnd) => {
    const events = (rest + text).split(/\r?\n\r?\n/);
    rest = isEnd ? "" : events.pop();
    for (const event of events) {
      const lines = event.split(/\r?\n/);
      const of = field => lines.filter(it => it.startsWith(field + ":")).map(it => it.slice(field.length + 1).replace(/^ /, "")).join("\n");
      if (of("data")) onevent({ name: of("event") || "message", data: of("data") });
    }
  };
}

// A body, laid out for reading where it is JSON.
function shownText(text, type) {
  const block = codeBlock("Body");
  const value = isJsonType(type) ? tried(text) : undefined;
  // Without exact numbers a trip through them would round large ones.
  block.set(value != null && JSON.rawJSON ? pretty(value) : text, value == null);
  return block.node;
}

// What is wrong, in words: problem details, an error of JSON-RPC or a tool.
function complaint(text) {
  const body = tried(text), inner = body?.error ?? (body?.result?.isError ? body.result : undefined);
  if (inner) return { title: body.error ? `JSON-RPC error ${body.error.code}` : "The tool reports an error", detail: inner.message ?? inner.content?.map(it => it.text).filter(Boolean).join("\n") };
  return body?.detail || body?.title ? { title: body.title, detail: body.detail, facts: { kind: body.kind, field: body.field } } : undefined;
}

function responsePanel() {
  const status = h("p.status", { role: "status" });
  const place = h("div.result");
  const node = h("section.response", { "aria-label": "Response", hidden: true }, h("h3", "Response"), status, place);
  let latest = 0, stop, url;

  const told = (kind, text) => {
    status.className = "status " + kind;
    status.textContent = text;
  };

  const begin = () => {
    stop?.abort();
    stop = new AbortController();
    if (url) URL.revokeObjectURL(url);
    url = undefined;
    node.hidden = false;
    told("", "Calling…");
    place.replaceChildren(button("Stop", "", () => stop.abort()));
    return { mine: ++latest, signal: stop.signal };
  };

  const fail = (title, detail) => {
    node.hidden = false;
    told("bad", title);
    place.replaceChildren(h("div.wrong", h("p", detail)));
  };

  const headersOf = response => {
    const all = [...response.headers];
    return h("details", h("summary", `Headers (${all.length})`), h("dl.headers", all.map(([name, value]) => [h("dt", name), h("dd", value)])));
  };

  const download = (blob, type, response) => {
    url = URL.createObjectURL(blob);
    const name = /filename="?([^";]+)/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "download";
    return [type.startsWith("image/") && h("img", { src: url, alt: `The answer, an image of type ${type}` }),
      h("p", h("a.download", { href: url, download: name }, `Download ${name}`), h("span.fine", ` ${type || "no media type"}, ${size(blob.size)}`))];
  };

  // Events appear as they come.
  const follow = async (response, mine) => {
    const list = h("ol.events");
    let count = 0, last = "";
    const read = eventReader(({ name, data }) => {
      last = data;
      const value = tried(data);
      list.append(h("li", h("span.fine", `${++count} ${name}`), h("pre", coloured(value == null ? data : pretty(value)))));
    });
    place.append(list);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let done = false; !done && mine === latest;) {
      const part = await reader.read();
      done = part.done;
      read(part.value ?? "", done);
    }
    return { count, last };
  };

  // `source` is what the page of a tool needs to know.
  const call = async (request, ...source) => {
    const { mine, signal } = begin();
    const started = performance.now();
    for (const cookie of request.cookies) document.cookie = `${cookie}; path=${new URL(ROOT + "/").pathname}; samesite=strict`;
    try {
      const response = await fetch(request.url, { method: request.method, headers: request.headers, body: bodyOf(request), cache: "no-store", signal });
      const type = response.headers.get("content-type") ?? "";
      const name = `${response.status} ${response.statusText}`.trim();
      let text = "", bytes = "", shown;
      if (type.startsWith("text/event-stream")) {
        if (mine !== latest) return;
        told("", `${name}, events…`);
        place.replaceChildren(headersOf(response), button("Stop", "", () => stop.abort()));
        const { count, last } = await follow(response, mine);
        [text, bytes] = [last, `${count} event${count === 1 ? "" : "s"}`];
        place.children[1]?.remove();
      } else {
        const blob = await response.blob();
        bytes = size(blob.size);
        const isText = !type || TEXTUAL.test(type) && type !== "image/svg+xml";
        if (isText) text = await blob.text();
        shown = !blob.size ? h("p.fine", "The body is empty.") : isText ? shownText(text, type) : download(blob, type, response);
      }
      if (mine !== latest) return;
      const wrong = !response.ok || request.url === ROOT + "/mcp" ? complaint(text) : undefined;
      const took = Math.round(performance.now() - started);
      const id = ["x-request-id", "apigw-requestid", "x-amzn-requestid"].map(it => response.headers.get(it)).find(Boolean);
      told(response.ok && !wrong ? "good" : "bad", [name, `${took} ms`, bytes, id && `request ${id}`].filter(Boolean).join(" · "));
      const facts = pairsOf(wrong?.facts ?? {}).filter(([, it]) => it);
      const words = wrong && h("div.wrong", h("p", h("b", wrong.title)), wrong.detail && h("p", inline(wrong.detail)), facts.length > 0 && h("p.fine", facts.map(([key, it], i) => [i ? ", " : "", `${key} `, h("code", show(it))])));
      const above = words ?? state.view?.(text, ...source) ?? "";
      if (shown) place.replaceChildren(...[above, shown, headersOf(response)].flat(9).filter(Boolean));
      else place.prepend(above);
    } catch (error) {
      if (mine !== latest) return;
      if (signal.aborted) { status.textContent += " stopped"; place.querySelector("button")?.remove(); } else fail("No answer", error.message);
    }
  };
  return { node, call, fail };
}
