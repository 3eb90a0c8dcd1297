//! An event that is an HTTP request: of a Function URL, of API Gateway with either payload, or of a load balancer.
//!
//! Emulators, consoles and hand-made events leave out fields that the platform writes, or put them in another place.
//! Every field that is present is used.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::extract::Request;
use http::header::COOKIE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::auth::Principal;
use crate::auth::authorizer::principal;
use crate::http::base_url::{self, BaseUrl};
use crate::http::path;
use crate::lambda::events::field::{Field, Fields, flag, merged, names, text, texts};
use crate::lambda::events::integration::Integration;
use crate::lambda::events::request_parts::{
    append, body, build, declared_path, headers, strip_base, without_stage,
};
use crate::lambda::events::source::{address, of_balancer, of_identity};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpEvent<'a> {
    #[serde(borrow, default)]
    version: Field<'a>,
    #[serde(borrow, default)]
    raw_path: Field<'a>,
    #[serde(borrow, default)]
    path: Field<'a>,
    /// The path as the API declares it, with variables.
    #[serde(borrow, default)]
    resource: Field<'a>,
    #[serde(borrow, default, deserialize_with = "names")]
    path_parameters: Option<Fields<'a>>,
    #[serde(borrow, default)]
    http_method: Field<'a>,
    #[serde(borrow, default)]
    raw_query_string: Field<'a>,
    #[serde(borrow, default, deserialize_with = "names")]
    query_string_parameters: Option<Fields<'a>>,
    #[serde(borrow, default, deserialize_with = "names")]
    multi_value_query_string_parameters: Option<Fields<'a>>,
    #[serde(borrow, default)]
    cookies: Field<'a>,
    #[serde(borrow, default, deserialize_with = "names")]
    headers: Option<Fields<'a>>,
    #[serde(borrow, default, deserialize_with = "names")]
    multi_value_headers: Option<Fields<'a>>,
    #[serde(borrow, default)]
    request_context: Option<Context<'a>>,
    #[serde(borrow, default)]
    body: Field<'a>,
    #[serde(borrow, default)]
    is_base64_encoded: Field<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    /// Only payload 2.0 has this field; a raw path does not tell, because a REST API behind a custom domain has one too.
    #[serde(borrow, default)]
    http: Option<HttpDescription<'a>>,
    #[serde(borrow, default)]
    http_method: Field<'a>,
    /// The path as in the client's URL, with its prefix.
    #[serde(borrow, default)]
    path: Field<'a>,
    #[serde(borrow, default)]
    stage: Field<'a>,
    #[serde(borrow, default)]
    domain_name: Field<'a>,
    #[serde(borrow, default)]
    authorizer: Field<'a>,
    #[serde(borrow, default)]
    identity: Field<'a>,
    /// Only load balancers have this.
    #[serde(default)]
    elb: Option<IgnoredAny>,
    /// Only WebSocket APIs have this.
    #[serde(default)]
    connection_id: Option<IgnoredAny>,
}

/// The request line, and the address of the client, as payload 2.0 describes them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpDescription<'a> {
    #[serde(borrow, default)]
    method: Field<'a>,
    #[serde(borrow, default)]
    path: Field<'a>,
    #[serde(borrow, default)]
    source_ip: Field<'a>,
}

impl HttpEvent<'_> {
    /// Whether the event is an HTTP request. All fields are optional, so any event parses as this type.
    pub(crate) fn is_http_request(&self) -> bool {
        let context = self.request_context.as_ref();
        let is_socket = context.is_some_and(|it| it.connection_id.is_some());
        let has_line = context.is_some_and(|it| it.http.is_some());
        let has_path = self.path.is_some() || self.raw_path.is_some();
        !is_socket && (self.named_method().is_some() || (has_path && !has_line))
    }

    pub(crate) fn integration(&self) -> Integration {
        let is_balanced = self
            .request_context
            .as_ref()
            .is_some_and(|it| it.elb.is_some());
        match text(self.domain()).as_deref() {
            _ if is_balanced && self.multi_value_headers.is_some() => {
                Integration::LoadBalancerLists
            }
            _ if is_balanced => Integration::LoadBalancer,
            _ if !self.is_payload_v2() && self.version.is_some() => Integration::HttpApiV1,
            _ if !self.is_payload_v2() => Integration::RestApi,
            Some(domain) if domain.contains(".lambda-url.") => Integration::FunctionUrl,
            // `cargo lambda watch` emulates a Function URL.
            Some("localhost") => Integration::FunctionUrl,
            _ => Integration::HttpApi,
        }
    }

    pub(crate) fn principal(&self) -> Option<Principal> {
        let context = self.request_context.as_ref()?;
        let identity = context.identity.filter(|_| !self.is_payload_v2());
        principal(context.authorizer, identity)
    }

    /// The address that the request comes from, as the integration has seen it.
    pub(crate) fn source(&self) -> Option<IpAddr> {
        let context = self.request_context.as_ref()?;
        if context.elb.is_some() {
            return of_balancer(self.multi_value_headers.as_ref(), self.headers.as_ref());
        }
        let line = context.http.as_ref().and_then(|it| text(it.source_ip));
        let of_line = line.as_deref().and_then(address);
        of_line.or_else(|| of_identity(context.identity))
    }

    /// The HTTP request, whose path has neither the stage nor `base`. Some paths need the URL of the server, and where
    /// `needs_url` says so, every one does.
    ///
    /// # Errors
    /// A message for the caller, where the event holds something that HTTP does not allow.
    pub(crate) fn request(self, base: &str, needs_url: bool) -> Result<Request, String> {
        let query = self.query();
        let (first, second) = (&self.multi_value_headers, &self.headers);
        let mut headers = headers(first.as_ref(), second.as_ref())?;
        let cookies: Vec<_> = self.cookies.into_iter().flat_map(texts).collect();
        if !cookies.is_empty() {
            append(&mut headers, COOKIE.as_str(), &cookies.join("; "))?;
        }
        let whole = self.whole_path();
        let path = strip_base(self.below_stage(&whole), base);
        let served = (needs_url || path == base_url::DOCUMENT).then(|| {
            let prefix = self.prefix(&whole, path);
            BaseUrl::of_integration(&headers, text(self.domain()).as_deref(), &prefix)
        });
        let method = self.method();
        let body = body(text(self.body), flag(self.is_base64_encoded))?;
        let mut request = build(&method, path, &query, headers, body)?;
        if let Some(served) = served {
            request.extensions_mut().insert(served);
        }
        Ok(request)
    }

    /// Whether the event has payload format 2.0.
    fn is_payload_v2(&self) -> bool {
        let context = self.request_context.as_ref();
        let is_first =
            self.http_method.is_some() || context.is_some_and(|it| it.http_method.is_some());
        let is_declared = || text(self.version).is_some_and(|it| it.starts_with('2'));
        context.is_some_and(|it| it.http.is_some())
            || (!is_first && (self.raw_path.is_some() || is_declared()))
    }

    fn domain(&self) -> Field<'_> {
        self.request_context.as_ref()?.domain_name
    }

    fn named_method(&self) -> Field<'_> {
        let context = self.request_context.as_ref();
        let line = context.and_then(|it| it.http.as_ref()?.method);
        let method = line.or(self.http_method);
        method.or(context.and_then(|it| it.http_method))
    }

    /// The method; where the event has none, `POST` with a body and `GET` without.
    fn method(&self) -> Cow<'_, str> {
        let has_body = || text(self.body).is_some_and(|body| !body.is_empty());
        let usual = || if has_body() { "POST" } else { "GET" };
        text(self.named_method()).unwrap_or_else(|| usual().into())
    }

    /// The path with every prefix that the integration has left, normalized so that prefixes can be compared.
    fn whole_path(&self) -> Cow<'_, str> {
        let context = self.request_context.as_ref();
        let line = || context.and_then(|it| it.http.as_ref()?.path);
        let own = match self.is_payload_v2() {
            true => [self.raw_path, line(), self.path],
            false => [self.path, self.raw_path, None],
        };
        let of_client = context.and_then(|it| it.path);
        let mut paths = own.into_iter().chain([of_client]);
        let path = paths.find_map(text);
        let declared = || declared_path(self.resource, self.path_parameters.as_ref());
        match path.or_else(declared).unwrap_or(Cow::Borrowed("/")) {
            Cow::Borrowed(path) => path::normal(path),
            Cow::Owned(path) => path::normal(&path).into_owned().into(),
        }
    }

    /// The path without the stage. The path of an HTTP API begins with the stage; that of a REST API does so only where
    /// it is the whole path of the client's URL.
    fn below_stage<'p>(&self, path: &'p str) -> &'p str {
        let context = self.request_context.as_ref();
        let is_whole = self.path.is_none() && self.raw_path.is_none();
        let of_client = context.and_then(|it| it.path);
        let is_whole = is_whole || of_client.is_some_and(|it| text(Some(it)) == text(self.path));
        let has_stage = self.is_payload_v2() || self.version.is_some() || is_whole;
        let stage = context.filter(|_| has_stage).and_then(|it| it.stage);
        let domain = text(self.domain());
        without_stage(path, text(stage).as_deref(), domain.as_deref())
    }

    /// The prefix of `path` in the client's URL.
    fn prefix(&self, whole: &str, path: &str) -> String {
        let of_client = text(self.request_context.as_ref().and_then(|it| it.path));
        let of_client = of_client.filter(|_| !self.is_payload_v2());
        let of_client = of_client.as_deref().map(path::normal);
        let of_client = of_client.filter(|it| it.ends_with(path));
        let all = of_client.as_deref().unwrap_or(whole);
        all.strip_suffix(path).unwrap_or("").to_owned()
    }

    /// The query string. Payload 1.0 has only the decoded parameters. Payload 2.0 has the raw query and the parameters;
    /// hand-made events may have the parameters alone.
    fn query(&self) -> String {
        let raw = text(self.raw_query_string).filter(|it| !it.is_empty());
        if let Some(raw) = raw.as_deref().filter(|_| self.is_payload_v2()) {
            return raw.to_owned();
        }
        // Load balancers pass parameters on still encoded; API Gateway decodes them.
        let encode = match self.integration() {
            Integration::LoadBalancer | Integration::LoadBalancerLists => str::to_owned,
            _ => |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        };
        let first = self.multi_value_query_string_parameters.as_ref();
        let second = self.query_string_parameters.as_ref();
        let pairs: Vec<String> = merged(first, second, |one, other| one == other)
            .map(|(key, value)| format!("{}={}", encode(key), encode(&value)))
            .collect();
        match raw {
            Some(raw) if pairs.is_empty() => raw.into_owned(),
            _ => pairs.join("&"),
        }
    }
}
