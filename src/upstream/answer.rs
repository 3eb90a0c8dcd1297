//! Accepts a good upstream answer, and gives every other one its error kind.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use reqwest::Response;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::clock::Deadline;
use crate::error::{Error, Kind, Result, UpstreamStatus, json_path};

/// The most bytes that are read of a response that refuses a request.
const MAX_REFUSAL: usize = 64 << 10;
/// How long the body of such a response is read; the status is what matters.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// The upstream of an error, and the status of its response.
pub(super) fn origin(name: &str, status: Option<u16>) -> UpstreamStatus {
    UpstreamStatus {
        name: name.to_owned().into(),
        status,
    }
}

/// Checks that the response has the type JSON.
///
/// # Errors
/// `UpstreamInvalidResponse` for another type.
pub(super) fn check_json(name: &str, status: StatusCode, headers: &HeaderMap) -> Result<()> {
    if is_json(headers) {
        return Ok(());
    }
    let origin = origin(name, Some(status.as_u16()));
    let problem = "answered with another content type than JSON";
    Err(Error::upstream(
        Kind::UpstreamInvalidResponse,
        origin,
        problem,
    ))
}

/// The body of an answer with any status, of at most `max_bytes`.
pub(super) async fn read(name: &str, response: &mut Response, max_bytes: usize) -> Result<Bytes> {
    let status = response.status().as_u16();
    let announced = response.content_length().unwrap_or(0);
    if announced > max_bytes as u64 {
        return Err(too_large(name, status, max_bytes));
    }
    let mut body = BytesMut::with_capacity(announced as usize);
    while let Some(chunk) = chunk(name, response).await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large(name, status, max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The next part of the body.
pub(super) async fn chunk(name: &str, response: &mut Response) -> Result<Option<Bytes>> {
    let status = response.status().as_u16();
    let read = response.chunk().await;
    read.map_err(|error| interrupted(origin(name, Some(status)), error))
}

fn too_large(name: &str, status: u16, max_bytes: usize) -> Error {
    let problem = format!(
        "answered with more than {max_bytes} bytes, the most that is read of it; ask for less, or raise \
         `BIFOLD_MAX_UPSTREAM_BYTES`"
    );
    let origin = origin(name, Some(status));
    Error::upstream(Kind::UpstreamInvalidResponse, origin, problem)
}

/// The error of a response that refuses the request, with the beginning of its body.
pub(super) async fn refusal(name: &str, mut response: Response) -> Error {
    let error = status_error(name, &response);
    let mut whole = http::Response::new(beginning(&mut response).await);
    *whole.status_mut() = response.status();
    *whole.headers_mut() = std::mem::take(response.headers_mut());
    error.with_response(whole)
}

/// The first bytes of the body, as many as arrive soon.
pub(super) async fn beginning(response: &mut Response) -> Bytes {
    let mut body = BytesMut::new();
    let end = Deadline::after(REFUSAL_TIME);
    while let Some(Ok(Some(chunk))) = end.timeout(response.chunk()).await {
        let room = MAX_REFUSAL - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_REFUSAL {
            break;
        }
    }
    body.freeze()
}

/// Decodes the body of a good answer; the error names the JSON path of the first mismatch.
pub(super) fn decode<T: DeserializeOwned>(name: &str, body: &[u8]) -> Result<T> {
    let text = text(name, body)?;
    json_path::decode(text)
        .map_err(|error| mismatch(name, &json_path::path::<T>(text, &error), error))
}

/// The encoding is checked once, and not for each text of the body.
fn text<'b>(name: &str, body: &'b [u8]) -> Result<&'b str> {
    std::str::from_utf8(body).map_err(|error| {
        let problem = "answered with JSON that is not UTF-8";
        Error::upstream(
            Kind::UpstreamInvalidResponse,
            origin(name, Some(200)),
            problem,
        )
        .with_source(error)
    })
}

#[cold]
fn mismatch(name: &str, path: &str, error: serde_json::Error) -> Error {
    let problem = match (error.is_data(), path) {
        (false, _) => "answered with broken JSON".to_owned(),
        (true, "") => "answered with JSON of an unexpected shape".to_owned(),
        (true, path) => format!("answered with JSON of an unexpected shape at `{path}`"),
    };
    let origin = origin(name, Some(200));
    Error::upstream(Kind::UpstreamInvalidResponse, origin, problem).with_source(error)
}

/// The error of a request that received no answer.
pub(super) fn transport(name: &str, error: reqwest::Error) -> Error {
    let origin = origin(name, None);
    // The URL may contain a wallet address, which must not reach the log.
    let error = error.without_url();
    if error.is_timeout() {
        return Error::upstream(
            Kind::UpstreamTimeout,
            origin,
            "did not accept the connection in time",
        )
        .with_source(error);
    }
    if error.is_redirect() {
        let problem = "redirects to another host, which is not followed";
        return Error::upstream(Kind::UpstreamInvalidResponse, origin, problem).with_source(error);
    }
    let problem = match error.is_connect() {
        true => "could not be reached",
        false => "broke the connection before it answered",
    };
    Error::upstream(Kind::UpstreamUnreachable, origin, problem).with_source(error)
}

fn interrupted(origin: UpstreamStatus, error: reqwest::Error) -> Error {
    let problem = "broke the connection in the middle of its answer";
    Error::upstream(Kind::UpstreamUnreachable, origin, problem).with_source(error.without_url())
}

fn status_error(name: &str, response: &Response) -> Error {
    let status = response.status().as_u16();
    let origin = origin(name, Some(status));
    match status {
        404 => Error::upstream(Kind::NotFound, origin, "does not have what was requested"),
        429 => {
            let problem = "limits the request rate (HTTP 429)";
            Error::upstream(Kind::RateLimited, origin, problem).retry_after(retry_after(response))
        }
        status => {
            let problem = format!("answered with HTTP {status}");
            Error::upstream(Kind::UpstreamError, origin, problem).retry_after(retry_after(response))
        }
    }
}

/// The wait that `Retry-After` requires, in seconds or until a date (RFC 9110 §10.2.3); at most one day.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = OffsetDateTime::parse(value, &Rfc2822).ok()?;
            u64::try_from((date - OffsetDateTime::now_utc()).whole_seconds()).ok()?
        }
    };
    Some(Duration::from_secs(seconds.min(86_400)))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    let ending = essence.len().checked_sub("+json".len());
    essence.eq_ignore_ascii_case("application/json")
        || ending.is_some_and(|at| {
            essence.is_char_boundary(at) && essence[at..].eq_ignore_ascii_case("+json")
        })
}
