//! Answers one request for a function: collects its arguments, calls it, and builds the response.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::header::{HeaderName, LINK, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use matchit::Params;
use percent_encoding::percent_decode_str;

use super::accept::prefers_events;
use super::arguments::{self, Arguments};
use super::binding::Place;
use super::body::{self, Kind};
use super::events;
use super::headers;
use super::link;
use super::problem::{failure, refused};
use super::response;
use super::routes::RestApi;
use super::table::Endpoint;
use crate::context::answered::Answered;
use crate::context::{Context, Form, Protocol};
use crate::error::{Error, Result};
use crate::http::body::read_body;
use crate::http::refusal::Refusal;
use crate::registry::Answer;
use crate::telemetry::Outcome;

/// Parameters of a path, decoded.
pub(super) type PathParameters = Vec<(String, String)>;

/// Why the function is not called.
enum Rejection {
    Refusal(Refusal),
    Error(Error),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Rejection {
        Rejection::Refusal(refusal)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Rejection {
        Rejection::Error(error)
    }
}

/// The parameters of a path, percent-decoded once.
///
/// # Errors
/// `InvalidArgument` if the result is not UTF-8.
pub(super) fn decoded(params: &Params<'_, '_>) -> Result<PathParameters> {
    let decoded = params.iter().map(|(name, text)| {
        let text = percent_decode_str(text).decode_utf8();
        let text = text.map_err(|_| {
            Error::invalid_argument("$", "the path is not UTF-8 after percent-decoding")
        });
        Ok((name.to_owned(), text?.into_owned()))
    });
    decoded.collect()
}

/// Answers a request for this function.
pub(super) async fn answer(
    api: &RestApi,
    endpoint: &Endpoint,
    path: Result<PathParameters>,
    request: Request,
) -> Answered {
    let mut cx = Context::of(&request);
    let (parts, body) = request.into_parts();
    let takes_events = parts.method != Method::HEAD && prefers_events(&parts.headers);
    if takes_events && events::is_over(&parts) {
        return events::over();
    }
    let body = match read(endpoint, &parts, body, &cx).await {
        Ok(body) => body,
        Err(refusal) => return refused(refusal, cx.request_id()),
    };
    let found = arguments(api, endpoint, path, (&parts, &body)).await;
    let found = found.and_then(|it| {
        let allowed = api.registry.authorize(&endpoint.tool, &cx, &it);
        let key = allowed.and_then(|()| headers::once_key(&parts.headers));
        cx = cx.clone().with_once_key(key?);
        Ok(it)
    });
    let mut answered = match found {
        Ok(arguments) if takes_events => {
            let arguments = arguments.into_owned();
            events::answer(api, endpoint, cx, arguments).await
        }
        Ok(arguments) => {
            let called = cx.clone().on_protocol(Protocol::Rest, Form::Json);
            let result = api.registry.call(&endpoint.tool, called, &arguments).await;
            whole(endpoint, result, &cx, &parts)
        }
        Err(Rejection::Error(error)) => whole(endpoint, Err(error), &cx, &parts),
        Err(Rejection::Refusal(refusal)) => return refused(refusal, cx.request_id()),
    };
    if parts.method == Method::GET || parts.method == Method::HEAD {
        vary(endpoint, answered.headers_mut());
    }
    answered
}

/// The body; it is not read for routes without one.
async fn read(
    endpoint: &Endpoint,
    parts: &Parts,
    body: Body,
    cx: &Context,
) -> Result<Bytes, Refusal> {
    match endpoint.takes_body() && !has_stray_query(endpoint, parts) {
        true => read_body(&parts.headers, body, cx.body_limits()).await,
        false => Ok(Bytes::new()),
    }
}

/// Whether there is a query where none is allowed; this is checked before the body is read.
fn has_stray_query(endpoint: &Endpoint, parts: &Parts) -> bool {
    endpoint.route.is_none() && parts.uri.query().is_some_and(|it| !it.is_empty())
}

/// The JSON object of the arguments.
async fn arguments<'b>(
    api: &RestApi,
    endpoint: &Endpoint,
    path: Result<PathParameters>,
    (parts, body): (&Parts, &'b Bytes),
) -> Result<Cow<'b, str>, Rejection> {
    let query = parts.uri.query().unwrap_or("");
    if has_stray_query(endpoint, parts) {
        return Err(stray(parts).into());
    }
    let kind = match body.is_empty() {
        true => Kind::Json,
        false => Kind::of(&parts.headers, endpoint, &api.origins)?,
    };
    if endpoint.route.is_none() && matches!(kind, Kind::Json) {
        // A body with all arguments needs no schema, so none is made.
        return Ok(body::object(body)?);
    }
    let (tool, binding) = (&endpoint.tool, endpoint.binding());
    let mut arguments = Arguments::new(tool, binding);
    for (name, text) in path? {
        arguments.text(&name, &text)?;
    }
    if endpoint.takes_body() && !query.is_empty() && !takes_query(endpoint) {
        return Err(stray(parts).into());
    }
    arguments.texts(&arguments::pairs(query, "query")?, &Place::Query)?;
    headers::read(&mut arguments, tool, binding, &parts.headers)?;
    if !endpoint.takes_body() {
        return Ok(arguments.end().into());
    }
    Ok(body::read(arguments, (kind, &parts.headers), body, binding).await?)
}

fn takes_query(endpoint: &Endpoint) -> bool {
    let mut places = endpoint.binding().places().iter();
    places.any(|it| it.1 == Place::Query)
}

fn stray(parts: &Parts) -> Error {
    let key = arguments::first_key(parts.uri.query().unwrap_or(""));
    let problem = format!(
        "a {} takes its arguments in the body, not in the query",
        parts.method
    );
    Error::invalid_argument(key, problem)
}

/// The response to a call that has ended.
pub(super) fn whole(
    endpoint: &Endpoint,
    result: Result<Answer>,
    cx: &Context,
    parts: &Parts,
) -> Answered {
    let function = endpoint.tool.label();
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            let response = failure(&error, cx.request_id()).response;
            return Answered::new(response, Outcome::of_call(function, Some(error)));
        }
    };
    let is_get = parts.method == Method::GET || parts.method == Method::HEAD;
    let get = is_get.then_some(&parts.headers);
    // Only a GET has all its arguments in the URL.
    let next = answer.next_cursor().filter(|_| is_get);
    let next = next.and_then(|it| link::next(&parts.uri, it));
    let is_repeated = answer.is_repeated();
    let mut response = response::of_answer(answer, endpoint.tool.success_status(), cx, get);
    if is_repeated {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", yes);
    }
    if let Some(next) = next {
        response.headers_mut().insert(LINK, next);
    }
    Answered::new(response, Outcome::of_call(function, None))
}

/// Tells caches which request headers select the response.
fn vary(endpoint: &Endpoint, headers: &mut HeaderMap) {
    let places = endpoint.binding().places().iter();
    let mut names: Vec<HeaderName> = places
        .filter_map(|(_, place)| match place {
            Place::Header(name) => Some(name.clone()),
            Place::Cookie(_) => Some(http::header::COOKIE),
            Place::Path | Place::Query | Place::Body => None,
        })
        .collect();
    names.dedup();
    if endpoint.tool.has_progress() {
        names.push(http::header::ACCEPT);
    }
    for name in names {
        headers.append(VARY, HeaderValue::from(name));
    }
}

/// Runs a call in its own task, for a stream.
pub(super) fn running(
    api: &RestApi,
    endpoint: &Endpoint,
    cx: Context,
    arguments: String,
) -> futures_util::future::BoxFuture<'static, Result<Answer>> {
    let (registry, tool) = (api.registry.clone(), Arc::clone(&endpoint.tool));
    Box::pin(async move { registry.call(&tool, cx, &arguments).await })
}
