// The page around the functions: overview, list, search, theme; the hash names what is shown.
function overview() {
  const { title, version, description, instructions, website } = catalog;
  const links = [["OpenAPI document", ROOT + "/openapi.json"], ["Health", ROOT + "/health"]];
  if (/^https?:/.test(website ?? "")) links.push(["Website", website]);
  return h("article", { "aria-labelledby": "title" },
    h("h1", { id: "title", tabindex: -1 }, iconNode(), title, " ", h("small", version)),
    prose(description, "p.lead"), prose(instructions),
    h("p.links", links.map(([label, href]) => [h("a", { href, rel: "noreferrer" }, label), " "])),
    state.problem && h("div.wrong", { role: "alert" }, h("p", state.problem), schemes().length > 0 && button("Authorize", "", () => authorize())),
    catalog.functions.some(it => it.protocols.includes("mcp")) && connectPanel(),
    h("h2", "Functions"), !entries.length && h("p", "No function is served."),
    grouped(entries).map(([tag, list]) => h("div", h("h3.tag", tag), h("ul.index", list.map(entry =>
      h("li", linkTo(entry, "b"), h("span.fine", inline(entry.title ?? entry.description.trim().split("\n")[0]))))))));
}

// A lock behind the name, from the style sheet, says that the function asks for authorization.
const linkTo = (entry, spec) => h("a", { href: hashOf(entry) },
  methodBadge(entry.routes[0]), h(isGuarded(entry) ? spec + ".guarded" : spec, broken(entry.name)));

// Pictures come from this page or this server alone.
function iconNode() {
  const icon = catalog.icons?.find(it => it.src.startsWith("data:image/") || it.src.startsWith(location.origin + "/"));
  return icon && h("img.icon", { src: icon.src, alt: "", width: 32, height: 32 });
}

let entries = [], authorize;
const search = one("#side input"), menu = one(".menu"), theme = one(".theme");

function drawList() {
  const link = entry => h("li", linkTo(entry, "span"));
  one("#side .list").replaceChildren(h("ul", h("li", h("a", { href: "#" }, "Overview"))),
    ...grouped(entries).map(([tag, list]) => h("div.group", h("h2", tag), h("ul", list.map(link)))));
  filter();
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = new Set(entries.filter(it => words.every(word => it.text.includes(word))).map(hashOf));
  for (const part of document.querySelectorAll("#side .group")) {
    for (const item of part.querySelectorAll("li")) item.hidden = !found.has(item.firstChild.getAttribute("href"));
    part.hidden = !part.querySelector("li:not([hidden])");
  }
  const count = `${entries.length} function${entries.length === 1 ? "" : "s"}`;
  one(".count").textContent = !words.length ? count : found.size ? `${found.size} of ${count}` : `No function matches “${search.value.trim()}”.`;
}

function toggleMenu(open) {
  menu.ariaExpanded = open;
  document.body.classList.toggle("open", open);
}

let shown;
function follow(isFirst) {
  const entry = entries.find(it => location.hash === hashOf(it) || location.hash === "#" + it.name);
  if (shown === entry && !isFirst) return;
  shown = entry;
  one("main").replaceChildren(entry ? section(entry) : overview());
  document.title = entry ? `${entry.name}, ${catalog.title}` : `${catalog.title} ${catalog.version}`;
  const here = entry ? hashOf(entry) : "#";
  for (const link of document.querySelectorAll("#side a")) {
    const isHere = link.getAttribute("href") === here;
    link.ariaCurrent = isHere ? "page" : null;
    if (isHere) link.scrollIntoView({ block: "nearest" });
  }
  toggleMenu(false);
  scrollTo(0, 0);
  if (!isFirst) one("#title").focus({ preventScroll: true });
}

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  const isDark = (name ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  theme.ariaPressed = isDark;
  state.retint?.();
  return isDark;
}

async function load() {
  state.problem = undefined;
  const headers = {};
  state.assumed = undefined;
  for (const it of credentials(undefined)) if (it.place === "header") headers[it.name] = it.value;
  try {
    const response = await fetch(ROOT + "/openapi.json", { headers });
    const text = await response.text();
    if (response.ok) {
      await state.reread?.(headers);
      // What is typed stays, unless this caller is shown other functions.
      if (text === state.text) return;
      state.text = text;
      state.document = parse(text);
    } else {
      state.problem = `The OpenAPI document is not given out: ${response.status}`;
      if (response.status === 401) state.assumed = { token: { type: "http", scheme: "bearer" }, key: { type: "apiKey", in: "header", name: "X-API-Key" } };
    }
  } catch (error) { state.problem = `The OpenAPI document cannot be read: ${error.message}`; }
  one(".authorize").hidden = !schemes().length;
  entries = entriesOf(state.document);
  drawList();
  follow(true);
}

search.addEventListener("input", filter);
search.addEventListener("keydown", event => {
  if (event.key !== "Enter") return;
  const first = one("#side .group:not([hidden]) li:not([hidden]) a");
  if (first) location.hash = first.getAttribute("href");
});
addEventListener("keydown", event => {
  if (event.key === "Escape") {
    if (event.target === search) { search.value = ""; filter(); search.blur(); }
    toggleMenu(false);
  }
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog")) return;
  event.preventDefault();
  toggleMenu(true);
  search.focus();
});
addEventListener("hashchange", () => follow());
menu.addEventListener("click", () => toggleMenu(menu.ariaExpanded !== "true"));
theme.addEventListener("click", () => {
  const name = setTheme(document.documentElement.dataset.theme) ? "light" : "dark";
  setTheme(name);
  try { localStorage.setItem("docs-theme", name); } catch { /* It is not remembered. */ }
});
try { setTheme(localStorage.getItem("docs-theme") ?? undefined); } catch { setTheme(); }
one(".skip").addEventListener("click", event => { event.preventDefault(); one("#title").focus(); });
one(".brand").append(...[iconNode(), h("b", catalog.title), h("small", catalog.version)].filter(Boolean));
authorize = authorizeDialog(load);
one(".authorize").addEventListener("click", authorize);
load();
