//! Which requests a caller may make: the scopes of all functions that one of them, or a batch, would run.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::auth::Needs;
use crate::config::Listing;
use crate::context::Context;
use crate::error::Result;
use crate::mcp::http::endpoint::Endpoint;
use crate::mcp::messages::envelope::{self, Message, Request};
use crate::mcp::messages::version::Shape;
use crate::mcp::methods::prompts;
use crate::mcp::methods::rendered::Rendered;
use crate::mcp::methods::resources;
use crate::mcp::methods::tools::CallParams;
use crate::registry::Registry;

/// The methods that everybody may use where anything is public: they tell what there is, and run nothing.
const OPEN: [&str; 11] = [
    "initialize",
    "ping",
    "server/discover",
    "logging/setLevel",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    // Only the client that began a task knows its id, and it is bound to the principal.
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];

/// The part of the parameters that names what a request is about.
#[derive(Deserialize)]
struct About<'a> {
    #[serde(borrow, default)]
    name: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default, rename = "ref")]
    reference: Option<Box<About<'a>>>,
}

impl Endpoint {
    /// Whether the caller may make the request.
    ///
    /// # Errors
    /// `Unauthenticated` or `InsufficientScope`.
    pub(super) fn authorize(&self, request: &Request<'_>, cx: &Context) -> Result<()> {
        match self.needs(request) {
            Some(needs) => cx.authorize(|| needs),
            None if OPEN.contains(&&*request.method) && self.registry.has_public() => Ok(()),
            None => cx.require_principal(),
        }
    }

    /// Whether the caller may make every request of the batch.
    ///
    /// # Errors
    /// `Unauthenticated` or `InsufficientScope`, with the scopes of all.
    pub(super) fn authorize_batch(&self, batch: &[&RawValue], cx: &Context) -> Result<()> {
        let mut all: Option<Needs<'_>> = None;
        for message in batch {
            let Ok(Message::Request { id, method, params }) = envelope::read(message) else {
                continue;
            };
            let Ok(request) = Request::read(id, method, params, false) else {
                continue;
            };
            match (self.needs(&request), &mut all) {
                (Some(needs), Some(all)) => all.merge(needs),
                (Some(needs), None) => all = Some(needs),
                (None, _) => self.authorize(&request, cx)?,
            }
        }
        match all {
            Some(needs) => cx.authorize(|| needs),
            None => Ok(()),
        }
    }

    /// The lists of this caller, where they are not those of the whole catalog: the settings show it only what it may
    /// call, or a search instead of the tools.
    pub(super) fn personal_lists(&self, cx: &Context) -> Option<Arc<Rendered>> {
        let all = self.registry.functions();
        let is_personal = cx.config().auth_list != Listing::All && cx.is_guarded();
        let functions = match (is_personal, all.has_search()) {
            (false, false) => return None,
            (true, false) => all.of_caller(cx),
            (true, true) => all.of_caller(cx).listed(self.search.as_ref(), cx),
            (false, true) => all.clone().listed(self.search.as_ref(), cx),
        };
        let rendered = || {
            let registry = Arc::new(Registry::unchecked(functions.clone()));
            Arc::new(match cx.is_guarded() {
                true => self.rendered.for_some(registry),
                false => self.rendered.with(registry),
            })
        };
        let key = xxh3_64(functions.names().as_bytes());
        let found: Result<_, Infallible> =
            self.personal.get_or_insert_with(&key, || Ok(rendered()));
        Some(found.unwrap_or_else(|never| match never {}))
    }

    /// What the functions need that the request would run, if it would run any.
    fn needs(&self, request: &Request<'_>) -> Option<Needs<'_>> {
        let registry = &self.registry;
        if request.method == "tools/call" {
            let params = CallParams::of(&request.params).ok()?;
            let tool = registry.get(&params.name).filter(|it| it.on_mcp())?;
            return Some(registry.needs(tool, params.arguments()));
        }
        if !["prompts/get", "resources/read", "completion/complete"].contains(&&*request.method) {
            return None;
        }
        let about: About<'_> = serde_json::from_str(request.params.text()).ok()?;
        let about = about.reference.as_deref().unwrap_or(&about);
        let (name, uri) = (about.name.as_deref(), about.uri.as_deref());
        let prompt = name.and_then(|name| prompts::find(registry, name).ok());
        if let Some(prompt) = prompt {
            return Some(prompt.function().needs());
        }
        let uri = uri?;
        let template = registry.resources().iter().find(|it| it.uri() == uri);
        let found = resources::find(registry, Shape::Modern, uri).ok();
        let resource = template.or(found.map(|it| it.0))?;
        Some(resource.function().needs())
    }
}
