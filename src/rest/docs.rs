//! The page at `/docs`: it reads the OpenAPI document, and has what only MCP shows written into it.

mod squeeze;

use serde_json::{Value, json};

use crate::registry::{Info, Registry, Tool};

const STYLE: &str = include_str!("docs/style.css");
/// One script, whose parts share its names.
const SCRIPT: &[&str] = &[
    include_str!("docs/dom.js"),
    include_str!("docs/schema.js"),
    include_str!("docs/form.js"),
    include_str!("docs/auth.js"),
    include_str!("docs/request.js"),
    include_str!("docs/samples.js"),
    include_str!("docs/response.js"),
    include_str!("docs/connect.js"),
    include_str!("docs/functions.js"),
];
/// The part that shows the pages of tools, if there may be some.
const SCRIPT_OF_APPS: &str = include_str!("docs/app.js");
/// The part that reads the functions again, if each caller is shown only its own.
const SCRIPT_OF_CALLERS: &str = include_str!("docs/personal.js");
/// The last part, which starts the script.
const SCRIPT_START: &str = include_str!("docs/main.js");
const PAGE: &str = include_str!("docs/page.html");
/// The page of a frame, which writes into itself the page of a tool that it is sent: an address of its own gives the
/// frame a policy of its own, under which scripts run that can reach nothing.
pub(super) const FRAME: &str = include_str!("docs/app.html");

/// The page with everything that it shows. If it shows each caller only its own functions (`is_personal`), it reads them
/// again after its reader has entered credentials.
pub(super) fn page(registry: &Registry, info: &Info, is_personal: bool) -> String {
    let catalog = json!({
        "name": info.name,
        "title": info.title.as_ref().unwrap_or(&info.name),
        "version": info.version,
        "description": info.description,
        "instructions": info.instructions,
        "website": info.website,
        "icons": info.icons,
        "functions": registry.tools().iter().map(|it| function(it)).collect::<Vec<_>>(),
    });
    // The policy allows no script to be added when a caller turns out to have a function with a page.
    let has_apps = is_personal || registry.tools().iter().any(|it| it.app_uri().is_some());
    let apps = if has_apps { SCRIPT_OF_APPS } else { "" };
    let personal = if is_personal { SCRIPT_OF_CALLERS } else { "" };
    let script = [&SCRIPT.concat(), apps, personal, SCRIPT_START].concat();
    let parts = [
        ("style", squeeze::style(STYLE)),
        ("script", squeeze::script(&script)),
        // An escaped `<` keeps a `</script>` in a description from ending the element that holds the catalog.
        ("catalog", catalog.to_string().replace('<', "\\u003c")),
    ];
    filled(&PAGE.replace(">\n<", "><"), &parts)
}

/// The template with each `{{name}}` replaced once; what is put in is not searched again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut pieces = template.split("{{");
    page.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let (name, after) = piece.split_once("}}").unwrap_or((piece, ""));
        let part = parts.iter().find(|it| it.0 == name);
        page.push_str(part.map_or("", |it| it.1.as_str()));
        page.push_str(after);
    }
    page
}

fn function(tool: &Tool) -> Value {
    json!({
        "name": tool.name(),
        "title": tool.display_title(),
        "description": tool.description(),
        "protocols": tool.protocols(),
        "method": tool.place().map(|place| place.0),
        "path": tool.place().map(|place| format!("/api{}", place.1)),
        "tags": tool.groups(),
        "order": tool.parameter_names(),
        "input_schema": tool.arguments(),
        "output_schema": tool.result(),
        "app": tool.app_uri(),
    })
}
