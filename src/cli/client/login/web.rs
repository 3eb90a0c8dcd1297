//! Requests to authorization servers, which answer with JSON.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::cli::Failure;
use crate::clock::Deadline;
use crate::config::Config;
use crate::upstream::{Client, keeps_secrets};

/// What a form leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Sends requests, each of which must be answered in time.
pub(in crate::cli::client) struct Web<'a> {
    pub(in crate::cli::client) config: &'a Config,
    pub(in crate::cli::client) wait: Duration,
}

impl Web<'_> {
    /// A document; `None` where the server has none.
    pub(super) async fn get(&self, url: &str) -> Result<Option<Value>, Failure> {
        let (status, body) = self.send(Method::GET, url, "", Bytes::new()).await?;
        match status.is_success() {
            true => Ok(serde_json::from_slice(&body).ok()),
            false => Ok(None),
        }
    }

    pub(super) async fn post_json(&self, url: &str, body: &Value) -> Result<Value, Failure> {
        self.post(url, "application/json", body.to_string()).await
    }

    pub(super) async fn post_form(
        &self,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        self.post(url, "application/x-www-form-urlencoded", form(fields))
            .await
    }

    async fn post(&self, url: &str, kind: &str, body: String) -> Result<Value, Failure> {
        let (status, body) = self.send(Method::POST, url, kind, body.into()).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() && answer.is_object() {
            return Ok(answer);
        }
        // Only what OAuth defines for people is repeated: the rest may have a secret.
        let said = |name: &str| answer[name].as_str().unwrap_or("").to_owned();
        let problem = format!("{} {}", said("error"), said("error_description"));
        let problem = super::super::report::clean(problem.trim());
        Err(format!(
            "`{}` answered with HTTP {}: {problem}",
            place(url),
            status.as_u16()
        )
        .into())
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        kind: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let uri = checked(url)?;
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(ACCEPT, "application/json");
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        let client = Client::new(self.config, url)?;
        let response = client
            .send(&place(url), request.body(body)?, Deadline::after(self.wait))
            .await?;
        let status = response.status();
        Ok((status, response.into_body()))
    }
}

/// The URL, if what is sent to it is encrypted or stays on this machine.
pub(super) fn checked(url: &str) -> Result<Uri, Failure> {
    let uri: Uri = url
        .parse()
        .map_err(|_| format!("`{}` is not a URL", place(url)))?;
    match keeps_secrets(url) {
        true => Ok(uri),
        false => Err(format!(
            "`{}` is not an https URL, so no login is sent to it",
            place(url)
        )
        .into()),
    }
}

/// The URL without its query, which may have a secret.
fn place(url: &str) -> String {
    super::super::report::clean(url.split(['?', '#']).next().unwrap_or(""))
}

/// The fields as a form, or as a query.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, FORM).to_string();
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}
