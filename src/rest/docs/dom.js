// Elements, texts and colours. Everything from a schema becomes a text node, never HTML.
const pairsOf = Object.entries;
const one = selector => document.querySelector(selector);

const isObject = value => value !== null && typeof value === "object" && !Array.isArray(value);

// An element `tag.class.class` with its attributes, which may be left out, and its children.
function h(spec, ...children) {
  const [tag, ...classes] = spec.split("."), [first] = children;
  const attributes = isObject(first) && !(first instanceof Node) ? children.shift() : {};
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of pairsOf(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value != null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(9).filter(child => child || child === 0));
  return node;
}

let ids = 0;
// No function's name holds a colon, so these ids never meet the id of a section.
const newId = () => `id:${++ids}`;
const say = text => { one("#live").textContent = text; };

// A long name may break after each underscore.
const broken = name => name.split(/(?<=_)/).map(part => [part, h("wbr")]);
const inline = text => String(text).split(/`([^`]+)`/).map((part, i) => (i % 2 ? h("code", part) : part));
const prose = (text, spec = "p") => String(text ?? "").trim().split(/\n\s*\n/).filter(Boolean).map(part => h(spec, {}, inline(part)));

// Numbers that a double cannot hold are kept as they are written, where the browser offers that.
function exact(text) {
  const number = Number(text);
  if (String(number) === text || !JSON.rawJSON) return number;
  try { return JSON.rawJSON(text); } catch { return number; }
}
const parse = text => JSON.parse(text, (_, value, source) =>
  typeof value === "number" && source?.source ? exact(source.source) : value);
// The value of a JSON text, or nothing.
function tried(text) {
  try { return parse(text); } catch { return undefined; }
}
const compact = value => JSON.stringify(value);
const pretty = value => JSON.stringify(value, null, 2);
const show = value => (typeof value === "string" ? value : compact(value));

// Strings with the colon of a key, numbers, and the words of every language that is shown.
const TOKENS = /("(?:[^"\\]|\\[^])*"|'[^']*')(\s*:)?|((?<![\w.])-?\d[\d_.]*(?:[eE][+-]?\d+)?\b)|\b(?:true|false|null|True|False|None|import|with|open|for|of|in|if|print|const|new|throw|await|async|fn|let|curl|claude|code|codex|gemini|npx)\b/g;
const LONGEST_COLOURED = 200_000;

// The text as nodes, with a class for keys, strings, numbers and words.
function coloured(text) {
  if (text.length > LONGEST_COLOURED) return [text];
  const nodes = [];
  let last = 0;
  for (const { 0: all, 1: string, 2: colon, 3: number, index } of text.matchAll(TOKENS)) {
    nodes.push(text.slice(last, index), h("span." + (colon ? "key" : string ? "string" : number ? "number" : "word"), string ?? all), colon ?? "");
    last = index + all.length;
  }
  return [...nodes, text.slice(last)];
}

// The clipboard interface is missing on plain http, where a selection can still be copied.
async function copy(button, source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) return;
  }
  const label = button.firstChild;
  label.data = "Copied";
  say("Copied");
  setTimeout(() => { label.data = "Copy"; say(""); }, 1500);
}

// A block of code with a button that copies it; its text can be set again.
function codeBlock(title) {
  const code = h("code");
  const button = h("button.quiet.copy", { type: "button", onclick: () => copy(button, code) }, "Copy", h("span.hush", " " + title));
  const node = h("div.code", button, h("pre", { tabindex: 0, role: "group", "aria-label": title }, code));
  return { node, set: (text, isPlain) => code.replaceChildren(...(isPlain ? [text] : coloured(text))) };
}

// Tabs as the ARIA practices describe them: one is in the tab order, the arrow keys go to the others.
function tabs(label, entries, chosen = 0) {
  const panels = entries.map(entry => entry.panel);
  const buttons = entries.map((entry, i) => h("button", { type: "button", role: "tab", id: newId(), onclick: () => choose(i) }, entry.label));
  for (const [i, panel] of panels.entries()) {
    panel.id ||= newId();
    panel.role = "tabpanel";
    panel.setAttribute("aria-labelledby", buttons[i].id);
    buttons[i].setAttribute("aria-controls", panel.id);
  }
  function choose(at) {
    for (const [i, button] of buttons.entries()) {
      button.ariaSelected = i === at;
      button.tabIndex = i === at ? 0 : -1;
      panels[i].hidden = i !== at;
    }
    entries[at].onchoose?.();
  }
  const onkeydown = event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (buttons.indexOf(event.target) + step + buttons.length) % buttons.length;
    choose(at);
    buttons[at].focus();
  };
  choose(Math.min(chosen, entries.length - 1));
  return h("div.tabs", h("div", { role: "tablist", "aria-label": label, onkeydown }, buttons), panels);
}
