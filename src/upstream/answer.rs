//! Accepts a good upstream answer, and gives every other one its error kind.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::error::{Error, Kind, Result, UpstreamStatus};

/// The body of a 2xx answer of type JSON, of at most `max_bytes`.
pub(super) async fn body(
    name: &'static str,
    mut response: Response,
    max_bytes: usize,
) -> Result<Bytes> {
    let origin = UpstreamStatus {
        name,
        status: Some(response.status().as_u16()),
    };
    check_status(origin, &response)?;
    if !is_json(&response) {
        let problem = "answered with another content type than JSON";
        return Err(Error::upstream(
            Kind::UpstreamInvalidResponse,
            origin,
            problem,
        ));
    }
    read(name, &mut response, max_bytes).await
}

/// The body of an answer with any status, of at most `max_bytes`.
pub(super) async fn read(
    name: &'static str,
    response: &mut Response,
    max_bytes: usize,
) -> Result<Bytes> {
    let origin = UpstreamStatus {
        name,
        status: Some(response.status().as_u16()),
    };
    let too_large = || {
        let problem = format!(
            "answered with more than {max_bytes} bytes, the most that is read of it; ask for less, or raise \
             `BIFOLD_MAX_UPSTREAM_BYTES`"
        );
        Error::upstream(Kind::UpstreamInvalidResponse, origin, problem)
    };
    let announced = response.content_length().unwrap_or(0);
    if announced > max_bytes as u64 {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(announced as usize);
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| interrupted(origin, error))?
    {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Decodes the body of a good answer; the error names the JSON path of the first mismatch.
pub(super) fn decode<T: DeserializeOwned>(name: &'static str, body: &[u8]) -> Result<T> {
    // The path is computed only after decoding has failed, so a good answer does not pay for it.
    serde_json::from_slice(body).map_err(|first| {
        let origin = UpstreamStatus {
            name,
            status: Some(200),
        };
        let mut json = serde_json::Deserializer::from_slice(body);
        let place = match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Err(error) if error.path().iter().len() > 0 => format!(" at `{}`", error.path()),
            _ => String::new(),
        };
        let problem = match first.classify() {
            serde_json::error::Category::Data => {
                format!("answered with JSON of an unexpected shape{place}")
            }
            _ => "answered with broken JSON".to_owned(),
        };
        Error::upstream(Kind::UpstreamInvalidResponse, origin, problem).with_source(first)
    })
}

/// The error of a request that received no answer.
pub(super) fn transport(name: &'static str, error: reqwest::Error) -> Error {
    let origin = UpstreamStatus { name, status: None };
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

fn check_status(origin: UpstreamStatus, response: &Response) -> Result<()> {
    match response.status().as_u16() {
        200..=299 => Ok(()),
        404 => Err(Error::upstream(
            Kind::NotFound,
            origin,
            "does not have what was requested",
        )),
        429 => {
            let problem = "limits the request rate (HTTP 429)";
            Err(Error::upstream(Kind::RateLimited, origin, problem)
                .retry_after(retry_after(response)))
        }
        status => {
            let problem = format!("answered with HTTP {status}");
            Err(Error::upstream(Kind::UpstreamError, origin, problem)
                .retry_after(retry_after(response)))
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

fn is_json(response: &Response) -> bool {
    let value = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = value
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}
