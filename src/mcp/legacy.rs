//! The revisions from 2024-11-05 to 2025-11-25, served without a session: `initialize` leaves nothing behind.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::fault::Fault;
use super::message::Request;
use super::peer::{Peer, read_level};
use super::read::ReadParams;
use super::turn::Turn;
use super::version::{Shape, Version};
use super::{Endpoint, Reply, method};
use crate::context::Context;
use crate::excerpt::{said, sentence};
use crate::updates::Topic;

#[derive(Deserialize)]
struct Initialize<'a> {
    #[serde(borrow, rename = "protocolVersion")]
    version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct SetLevel<'a> {
    #[serde(borrow)]
    level: &'a RawValue,
}

/// Answers one request of a client that speaks `version`.
pub(super) async fn answer(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> Reply {
    match dispatch(endpoint, version, request, cx).await {
        Ok(reply) => reply,
        Err(fault) => Reply::fault(Some(request.id), fault.legacy()),
    }
}

async fn dispatch(
    endpoint: &Endpoint,
    version: Version,
    request: &Request<'_>,
    cx: &Context,
) -> Result<Reply, Fault> {
    let payloads = &endpoint.payloads;
    let shape = Shape::of(version);
    match &*request.method {
        "initialize" => {
            let result = payloads.initialize(negotiate(request)?);
            payloads.reply(request, "initialize", &result, cx)
        }
        "ping" => payloads.reply(request, "ping", payloads.nothing(), cx),
        "logging/setLevel" => {
            let params: SetLevel<'_> = request.read_params()?;
            read_level(params.level.get())?;
            // Nobody keeps it: a process without sessions does not know the client again.
            payloads.reply(request, "logging/setLevel", payloads.nothing(), cx)
        }
        "resources/subscribe" | "resources/unsubscribe"
            if endpoint.updates.has(Topic::Contents) =>
        {
            let params: ReadParams<'_> = request.read_params()?;
            endpoint.subscribable(shape, &params.uri)?;
            // Every stream of this era hears of all documents, so there is nothing to be kept.
            payloads.reply(request, "resources/subscribe", payloads.nothing(), cx)
        }
        _ => {
            let peer = || Peer::legacy(endpoint, version, request, cx);
            let turn = Turn { shape, request, cx };
            method::answer(endpoint, turn, None, peer).await
        }
    }
}

/// The version that the client asks for where it is served, else the latest of this era.
fn negotiate(request: &Request<'_>) -> Result<Version, Fault> {
    let text = request.params.map_or("{}", |params| params.get());
    let asked: Initialize<'_> = serde_json::from_str(text)
        .map_err(|error| format!("`params.protocolVersion`: {}", sentence(&said(&error))))
        .map_err(Fault::invalid_params)?;
    Ok(Version::parse(&asked.version).unwrap_or(Version::LATEST))
}
