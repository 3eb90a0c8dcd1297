//! MCP Apps (SEP-1865): pages that clients show for the results of tools.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::resource::Resource;
use super::tool::Tool;

/// The media type of a page.
const MIME_TYPE: &str = "text/html;profile=mcp-app";
/// The scheme of the URIs of pages.
const SCHEME: &str = "ui://";

impl Tool {
    /// Lets clients that know MCP Apps show its results in the page of [`Resource::app`] at this URI. All other clients
    /// get the same result as before.
    ///
    /// ```
    /// use bifold::prelude::*;
    /// # /// A forecast.
    /// # #[derive(Deserialize, JsonSchema)] struct Weather {}
    /// # #[derive(Serialize, JsonSchema)] struct Forecast { celsius: i32 }
    /// # async fn forecast(_: Context, _: Weather) -> Result<Forecast> { Ok(Forecast { celsius: 20 }) }
    ///
    /// const VIEW: &str = "ui://weather/forecast";
    ///
    /// /// Draws the forecast.
    /// fn view() -> Content {
    ///     Content::text("<!doctype html><title>Forecast</title>…")
    /// }
    ///
    /// let server = Server::new("weather", "1.0.0")
    ///     .tool(Tool::new("forecast", forecast).get("/forecast").app(VIEW))
    ///     .resources([Resource::app(VIEW, Tool::sync("forecast_view", view).describe("Draws the forecast."))]);
    /// ```
    pub fn app(self, uri: impl Into<String>) -> Tool {
        self.meta("ui", json!({"resourceUri": uri.into()}))
    }

    /// The URI of the page that shows its results.
    pub(crate) fn app_uri(&self) -> Option<&str> {
        // A function of another server has what its entry says.
        let theirs = || self.entry()?.pointer("/_meta/ui/resourceUri")?.as_str();
        self.declared_app().or_else(theirs)
    }

    fn declared_app(&self) -> Option<&str> {
        self.metadata().get("ui")?.get("resourceUri")?.as_str()
    }
}

impl Resource {
    /// A page for [`Tool::app`] at a URI that begins with `ui://`: one HTML document, with its styles and scripts in it,
    /// which speaks with its host as the extension says. It may load nothing from any host, which `_meta` says in lists
    /// and beside the page; a tool with a `ui` of its own in [`Tool::meta`] says something else.
    pub fn app(uri: impl Into<Cow<'static, str>>, function: Tool) -> Resource {
        let function = match function.metadata().contains_key("ui") {
            true => function,
            false => function.meta("ui", json!({"csp": nothing()})),
        };
        Resource::new(uri, MIME_TYPE, function)
    }
}

/// The content security policy of a page that asks no host for anything.
fn nothing() -> Value {
    json!({"connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": []})
}

/// What is wrong with the page of a tool.
pub(super) fn problem(tool: &Tool, resources: &[impl AsRef<Resource>]) -> Option<String> {
    let (name, uri) = (tool.name(), tool.declared_app()?);
    let mut pages = resources.iter().map(AsRef::as_ref);
    let found = pages.find(|it| it.uri() == uri);
    match found {
        _ if !uri.starts_with(SCHEME) => Some(format!(
            "function `{name}`: the page `{uri}` needs a URI that begins with `{SCHEME}`"
        )),
        None => Some(format!(
            "function `{name}`: there is no page `{uri}`; register it with `Resource::app`"
        )),
        Some(_) => None,
    }
}
