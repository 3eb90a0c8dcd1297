//! What `lambda_http` knows of a request beside the request itself, where that crate runs the application.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderValue, Uri};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::RequestInfo;
use crate::auth::Principal;
use crate::auth::authorizer::principal;
use crate::clock::{TimeLeft, time_until};
use crate::config::{Config, Transfer};

/// The parts of a request context that say who calls, as the event has them.
#[derive(Deserialize)]
struct Caller<'a> {
    #[serde(borrow, default)]
    authorizer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
}

impl RequestInfo {
    /// Takes over what the extensions of the request say, and removes the stage that `lambda_http` puts in front of every
    /// path. What the transport has said already stays.
    pub(super) fn or_of_lambda_http(mut self, request: &mut Request, config: &Config) -> Self {
        let extensions = request.extensions();
        if let Some(invocation) = extensions.lambda_context_ref() {
            let (id, trace) = (&invocation.request_id, invocation.xray_trace_id.as_deref());
            self.id.get_or_insert_with(|| id.clone());
            let left = time_until(invocation.deadline).map(TimeLeft::of);
            self.time_left = self.time_left.or(left);
            let trace = trace.and_then(|it| HeaderValue::from_str(it).ok());
            self.trace = self.trace.take().or(trace);
        }
        let Some(context) = extensions.request_context_ref() else {
            return self;
        };
        self.is_whole = transfer(context, config) == Transfer::Buffered;
        self.principal = self.principal.take().or_else(|| caller(context));
        self.peer = self.peer.or_else(|| peer(context, request));
        if let Some(uri) = stage(context).and_then(|it| without_stage(request.uri(), it)) {
            *request.uri_mut() = uri;
        }
        self
    }
}

/// How the settings say that the integration transfers responses.
fn transfer(context: &RequestContext, config: &Config) -> Transfer {
    match context {
        RequestContext::ApiGatewayV1(_) => config.response_transfer_mode,
        RequestContext::ApiGatewayV2(api) => match api.domain_name.as_deref() {
            Some(domain) if domain.contains(".lambda-url.") => config.invoke_mode,
            _ => Transfer::Buffered,
        },
        _ => Transfer::Buffered,
    }
}

fn caller(context: &RequestContext) -> Option<Principal> {
    let text = serde_json::to_string(context).ok()?;
    let caller: Caller<'_> = serde_json::from_str(&text).ok()?;
    // The identity of payload 2.0 says nothing of the caller.
    let is_first = matches!(context, RequestContext::ApiGatewayV1(_));
    principal(caller.authorizer, caller.identity.filter(|_| is_first))
}

/// The address of the client, as the integration has seen it. A load balancer appends it to a header of the client.
fn peer(context: &RequestContext, request: &Request) -> Option<IpAddr> {
    let address = match context {
        RequestContext::ApiGatewayV1(api) => api.identity.source_ip.as_deref(),
        RequestContext::ApiGatewayV2(api) => api.http.source_ip.as_deref(),
        RequestContext::Alb(_) => {
            let mut lines = request.headers().get_all("x-forwarded-for").iter();
            lines.next_back()?.to_str().ok()?.rsplit(',').next()
        }
        _ => None,
    };
    address?.trim().parse().ok()
}

fn stage(context: &RequestContext) -> Option<&str> {
    match context {
        RequestContext::ApiGatewayV1(api) => api.stage.as_deref(),
        RequestContext::ApiGatewayV2(api) => api.stage.as_deref(),
        _ => None,
    }
}

/// The target without the stage; `None` where it does not begin with the stage.
fn without_stage(uri: &Uri, stage: &str) -> Option<Uri> {
    let rest = uri.path().strip_prefix('/')?.strip_prefix(stage)?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let path = if rest.is_empty() { "/" } else { rest };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    target.parse().ok()
}
