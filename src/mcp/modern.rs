//! Revision 2026-07-28: every request says in `_meta` who asks and in which version.

use http::HeaderMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::fault::Fault;
use super::message::Request;
use super::peer::Peer;
use super::task::ask;
use super::turn::Turn;
use super::version::{MODERN, Shape};
use super::{Endpoint, Reply, headers, method};
use crate::context::Context;
use crate::error::Error;
use crate::excerpt::{said, sentence};

/// The keys of `params._meta` that this revision requires.
#[derive(Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

/// Whether the key of the version is there, whatever it holds.
#[derive(Deserialize)]
struct Probe {
    #[serde(default, rename = "_meta")]
    meta: Option<Keys>,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<IgnoredAny>,
}

impl<'a> Meta<'a> {
    /// Whether the parameters carry a version, good or bad.
    pub(super) fn is_modern(params: &RawValue) -> bool {
        let probe: Option<Probe> = serde_json::from_str(params.get()).ok();
        let keys = probe.and_then(|probe| probe.meta);
        keys.is_some_and(|keys| keys.version.is_some())
    }

    /// The version and the client's capabilities, both of which must be there.
    fn required(params: Option<&'a RawValue>) -> Result<(Cow<'a, str>, &'a RawValue), Fault> {
        let text = params.map_or("{}", RawValue::get);
        let params: Params<'_> = serde_json::from_str(text).map_err(|error| {
            Fault::invalid_meta(format!("`params._meta`: {}", sentence(&said(&error))))
        })?;
        let missing = |key: &str| {
            Fault::invalid_meta(format!(
                "`params._meta` lacks `io.modelcontextprotocol/{key}`"
            ))
        };
        let meta = params.meta.ok_or_else(|| missing("protocolVersion"))?;
        let version = meta.version.ok_or_else(|| missing("protocolVersion"))?;
        let capabilities = meta
            .capabilities
            .ok_or_else(|| missing("clientCapabilities"))?;
        match capabilities.get().starts_with('{') {
            true => Ok((version, capabilities)),
            false => Err(Fault::invalid_meta(
                "`params._meta`: `io.modelcontextprotocol/clientCapabilities` must be an object",
            )),
        }
    }
}

/// Answers one request; the checks stand in the order in which the specification lets them be told apart.
pub(super) async fn answer(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> Reply {
    match dispatch(endpoint, headers, request, cx).await {
        Ok(reply) => reply,
        Err(fault) => Reply::fault(Some(request.id), fault),
    }
}

async fn dispatch(
    endpoint: &Endpoint,
    headers: Option<&HeaderMap>,
    request: &Request<'_>,
    cx: &Context,
) -> Result<Reply, Fault> {
    let (version, capabilities) = Meta::required(request.params)?;
    headers::check_version(headers, &version)?;
    if version != MODERN {
        return Err(Fault::unsupported_version(&version));
    }
    headers::check_method(headers, &request.method)?;
    let payloads = &endpoint.payloads;
    match &*request.method {
        "server/discover" => payloads.reply(request, "server/discover", payloads.discover(), cx),
        "subscriptions/listen" => endpoint.listen(request),
        "tasks/get" | "tasks/update" | "tasks/cancel" => {
            let answer = ask::answer(endpoint, headers, request, capabilities, cx);
            cx.timeout(answer).await.unwrap_or_else(|| {
                let error = Error::deadline_exceeded();
                Err(Fault::of_error(Shape::Modern, &request.method, &error))
            })
        }
        _ => {
            let shape = Shape::Modern;
            let turn = Turn { shape, request, cx };
            let peer = || Peer::modern(endpoint, request, capabilities, cx);
            method::answer(endpoint, turn, headers, peer).await
        }
    }
}
