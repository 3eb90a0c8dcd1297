// The functions of this caller. Part of the script only where each caller is shown its own: the page came with those that need no credentials.
let catalogText = one("#catalog").textContent;
state.reread = async headers => {
  if (!state.secrets.size) return;
  const response = await fetch(location.pathname, { headers });
  if (!response.ok) throw Error(`${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html"), text = page.querySelector("#catalog").textContent;
  if (text === catalogText) return;
  catalogText = text;
  catalog = JSON.parse(text);
  state.text = undefined;
};
