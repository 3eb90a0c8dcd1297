//! One request and its response: the URL, the headers, the credentials, and what is kept of the response.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{ACCEPT, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, Request, Response, Url};

use super::answer;
use super::cache::CachedBody;
use super::channel::{Channel, FetchRequest};
use super::credentials::{Credential, Placement};
use super::limit::Permit;
use super::outgoing::{Accept, Outgoing};
use crate::error::{Error, Result};
use crate::telemetry::trace::Trace;

/// What the caller needs of a good response.
#[derive(Clone, Copy)]
pub(super) enum Want<'a> {
    /// An entry for the cache, which may renew this one.
    Entry(Option<&'a Arc<CachedBody>>),
    /// The whole response.
    Whole,
    /// The response whose body was not read yet.
    Stream,
}

/// A good response.
pub(super) enum Received {
    Entry(CachedBody),
    Whole(http::Response<Bytes>),
    Stream(Response, Option<Permit>),
}

/// The base URL of an upstream.
pub(super) struct Base {
    text: String,
    /// The base URL as it is parsed, and its path; made when it is first needed.
    parsed: OnceLock<Option<(Url, String)>>,
}

impl Channel {
    /// Sends the request as the span `span`; returns the status and what is wanted of the response.
    ///
    /// # Errors
    /// No response, one that refuses the request, or one that is not as expected.
    pub(super) async fn exchange(
        &self,
        client: &Client,
        request: FetchRequest<'_>,
        credential: Option<&Arc<Credential>>,
        span: &Trace,
    ) -> Result<(u16, Received)> {
        let FetchRequest { outgoing, want, .. } = request;
        let (name, cached) = (self.name(), request.cached());
        let http_request = self.http_request(outgoing, cached, credential, span)?;
        let sent = client.execute(http_request).await;
        let mut response = sent.map_err(|error| answer::transport(name, error))?;
        let status = response.status();
        if let Some(cached) = cached.filter(|_| status == StatusCode::NOT_MODIFIED) {
            return Ok((status.as_u16(), Received::Entry(cached.renewed())));
        }
        if !status.is_success() {
            return Err(answer::refusal(name, response).await);
        }
        let received = match want {
            Want::Entry(cached) => self.entry(outgoing, response, cached).await?,
            Want::Stream => Received::Stream(response, None),
            Want::Whole => {
                let body = answer::read(name, &mut response, self.max_bytes).await?;
                if outgoing.accept == Accept::Json && !body.is_empty() {
                    answer::check_json(name, status, response.headers())?;
                }
                let mut whole = http::Response::new(body);
                *whole.status_mut() = status;
                Received::Whole(whole)
            }
        };
        Ok((status.as_u16(), received))
    }

    async fn entry(
        &self,
        outgoing: &Outgoing,
        mut response: Response,
        cached: Option<&Arc<CachedBody>>,
    ) -> Result<Received> {
        if outgoing.accept == Accept::Json {
            answer::check_json(self.name(), response.status(), response.headers())?;
        }
        let (etag, modified) = (header(&response, ETAG), header(&response, LAST_MODIFIED));
        let body = answer::read(self.name(), &mut response, self.max_bytes).await?;
        let policy = self.upstream.cache.policy(&outgoing.target);
        let entry = CachedBody::new(body, etag, modified, policy, cached);
        Ok(Received::Entry(entry))
    }

    /// The request with all its headers.
    fn http_request(
        &self,
        outgoing: &Outgoing,
        cached: Option<&Arc<CachedBody>>,
        credential: Option<&Arc<Credential>>,
        span: &Trace,
    ) -> Result<Request> {
        let mut url = self.base.url(&outgoing.target).ok_or_else(|| {
            Error::internal(format!(
                "a request to upstream `{}` has an invalid URL",
                self.name()
            ))
        })?;
        let placement = credential.map(|it| &it.placement);
        if let Some(Placement::Query(name, secret)) = placement {
            url.query_pairs_mut().append_pair(name, secret.reveal());
        }
        let mut request = Request::new(outgoing.method.clone(), url);
        *request.body_mut() = outgoing.body.clone().map(Into::into);
        let headers = request.headers_mut();
        *headers = span.headers();
        let accept = match outgoing.accept {
            Accept::Json => HeaderValue::from_static("application/json"),
            Accept::Any => HeaderValue::from_static("*/*"),
        };
        headers.insert(ACCEPT, accept);
        add_conditions(headers, cached);
        if let Some(Placement::Header(name, value)) = placement {
            headers.insert(name, value.clone());
        }
        // What the function sets itself comes last: it replaces all of these.
        if !outgoing.headers.is_empty() {
            replace(headers, &outgoing.headers);
        }
        Ok(request)
    }
}

impl Received {
    /// Keeps the permit until the body was read.
    pub(super) fn with_permit(self, permit: Option<Permit>) -> Received {
        match self {
            Received::Stream(response, _) => Received::Stream(response, permit),
            received => received,
        }
    }
}

impl Base {
    pub(super) fn new(text: String) -> Base {
        Base {
            text,
            parsed: OnceLock::new(),
        }
    }

    /// The URL of a path with its query.
    fn url(&self, target: &str) -> Option<Url> {
        let is_plain = target.starts_with('/')
            && target
                .as_bytes()
                .get(1)
                .is_some_and(|it| it.is_ascii_alphanumeric());
        let parsed = self.parsed.get_or_init(|| {
            let url = Url::parse(&self.text).ok()?;
            let path = url.path().trim_end_matches('/').to_owned();
            Some((url, path))
        });
        match parsed {
            // Scheme and host are not parsed again. A path such as `//host` would be taken for another host here.
            Some((url, path)) if is_plain => {
                let options = Url::options().base_url(Some(url));
                match path.is_empty() {
                    true => options.parse(target),
                    false => options.parse(&format!("{path}{target}")),
                }
                .ok()
            }
            _ => Url::parse(&format!("{}{target}", self.text)).ok(),
        }
    }
}

/// Adds the headers with which the upstream sends a body only if its answer has changed.
fn add_conditions(headers: &mut HeaderMap, cached: Option<&Arc<CachedBody>>) {
    if let Some(cached) = cached {
        headers.extend(cached.etag.clone().map(|it| (IF_NONE_MATCH, it)));
        headers.extend(cached.modified.clone().map(|it| (IF_MODIFIED_SINCE, it)));
    }
}

fn replace(headers: &mut HeaderMap, own: &HeaderMap) {
    for name in own.keys() {
        headers.remove(name);
    }
    for (name, value) in own {
        headers.append(name, value.clone());
    }
}

fn header(response: &Response, name: HeaderName) -> Option<HeaderValue> {
    response.headers().get(name).cloned()
}

#[cfg(test)]
mod tests {
    use super::Base;

    #[test]
    fn a_path_never_changes_the_host_and_is_parsed_as_if_it_were_appended() {
        for base in [
            "https://a.example",
            "https://a.example:8443/v1",
            "http://127.0.0.1:1/b/c",
        ] {
            let parsed = Base::new(base.to_owned());
            for target in [
                "",
                "/",
                "/x",
                "/x/../y",
                "//evil.example",
                "/\\evil.example",
                "/\t/evil.example",
                "/.",
                "/..",
                "?q=1",
                "/x?q=//evil.example",
                "/x#f",
                "/%2e%2e/x",
                "/größe?ä=ö",
            ] {
                let url = parsed.url(target).unwrap();
                let whole: reqwest::Url = format!("{base}{target}").parse().unwrap();
                assert_eq!(url, whole, "{base} {target:?}");
                assert_eq!(url.origin(), reqwest::Url::parse(base).unwrap().origin());
            }
        }
    }
}
