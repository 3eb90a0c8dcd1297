//! Events with payload 2.0: Function URLs and HTTP APIs.

use std::borrow::Cow;

use axum::extract::Request;
use http::header::COOKIE;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lambda::events::integration::Integration;
use crate::lambda::events::principal::principal;
use crate::lambda::events::request::{Lines, append, below, body, build, headers, without_stage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V2<'a> {
    #[serde(borrow)]
    raw_path: Cow<'a, str>,
    #[serde(borrow, default)]
    raw_query_string: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cookies: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    headers: Option<Lines<'a>>,
    #[serde(borrow)]
    request_context: Context<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    /// A REST API behind a custom domain has a raw path too, but never this.
    #[serde(borrow)]
    http: Http<'a>,
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    domain_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    authorizer: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Http<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

impl V2<'_> {
    pub(crate) fn integration(&self) -> Integration {
        match self.request_context.domain_name.as_deref() {
            Some(domain) if domain.contains(".lambda-url.") => Integration::FunctionUrl,
            // `cargo lambda watch` stands in for a Function URL.
            Some("localhost") => Integration::FunctionUrl,
            _ => Integration::HttpApi,
        }
    }

    pub(crate) fn principal(&self) -> Option<String> {
        principal(self.request_context.authorizer, None)
    }

    /// The HTTP request, its path without the stage and without `base`.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(crate) fn request(self, base: &str) -> Result<Request, String> {
        let context = self.request_context;
        let (stage, domain) = (context.stage.as_deref(), context.domain_name.as_deref());
        let path = below(without_stage(&self.raw_path, stage, domain), base);
        let mut headers = headers(self.headers.iter().flatten())?;
        if let Some(cookies) = self.cookies.filter(|cookies| !cookies.is_empty()) {
            append(&mut headers, COOKIE.as_str(), &cookies.join("; "))?;
        }
        let body = body(self.body, self.is_base64_encoded)?;
        build(
            &context.http.method,
            path,
            self.raw_query_string.as_deref().unwrap_or(""),
            headers,
            body,
        )
    }
}
