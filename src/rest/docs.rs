//! The page at `/docs`: one file with the registry's catalog written into it.

use serde_json::{Value, json};

use crate::registry::{Info, Registry, Tool};

const PAGE: &str = include_str!("docs.html");

/// The page with everything that it shows.
pub(super) fn page(registry: &Registry, info: &Info) -> String {
    let catalog = json!({
        "title": info.title.as_ref().unwrap_or(&info.name),
        "version": info.version,
        "description": info.instructions.as_deref().unwrap_or(""),
        "functions": registry.tools().iter().map(|it| function(it)).collect::<Vec<_>>(),
    });
    // An escaped `<` keeps a `</script>` in a description from ending the element that holds the catalog.
    PAGE.replacen(
        "{{catalog}}",
        &catalog.to_string().replace('<', "\\u003c"),
        1,
    )
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
        "input_schema": tool.arguments(),
        "output_schema": tool.result(),
    })
}
