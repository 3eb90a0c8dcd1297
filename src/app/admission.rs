//! Which requests are taken at all, by the host and the origin that they name: one rule for every path and protocol.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, StatusCode};

use super::entry::protocol_of;
use super::{App, mcp_http};
use crate::config::Config;
use crate::context::Context;
use crate::context::answered::Answered;
use crate::http::host::{Hosts, Mistake};
use crate::http::refusal::Refusal;
use crate::http::{cors, origin};
use crate::rest;
use crate::telemetry::Outcome;

impl App {
    /// Answers a request that came over a listener on that address or through an integration: what a browser asks before
    /// it sends what a page wants to send, or else what is routed.
    pub(super) async fn answer(
        &self,
        mut request: Request,
        listener: Option<IpAddr>,
        cx: Context,
    ) -> Answered {
        if let Err(refusal) = self.admit(&mut request, listener) {
            return refused(&request, refusal, &cx);
        }
        let snapshot = self.catalog.snapshot();
        let page = snapshot.cors.page(request.headers());
        let mut answered = match page.is_some() && cors::is_preflight(&request) {
            true => {
                let outcome = Outcome::of_method("preflight");
                Answered::new(snapshot.cors.preflight(), outcome)
            }
            false => {
                request.extensions_mut().insert(cx);
                match &self.own {
                    None => self.let_in(&snapshot, request).await,
                    Some(own) => Box::pin(own.answer(self, snapshot, request)).await,
                }
            }
        };
        cors::share(&mut answered.response, page);
        answered
    }

    /// Whether a client may make this request, which came over a listener on that address or through an integration.
    ///
    /// # Errors
    /// Its host or its origin is not taken.
    fn admit(&self, request: &mut Request, listener: Option<IpAddr>) -> Result<(), Refusal> {
        self.hosts.check(request, listener).map_err(of_host)?;
        of_origin(request.headers())
    }

    /// Whether a client may connect to a WebSocket API with these headers, which are all there is of its request.
    ///
    /// # Errors
    /// The class of the refusal.
    pub(crate) fn admit_headers(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let host = self.hosts.admit(headers, None).map_err(of_host);
        let admitted = host.and_then(|()| of_origin(headers));
        admitted.map_err(|refusal| refusal.class)
    }
}

/// The hosts that requests may name by the settings.
///
/// # Errors
/// The listed host that is none.
pub(super) fn hosts(config: &Config) -> Result<Hosts, String> {
    let urls = config.allowed_origins.iter().chain(&config.public_url);
    let hosts = Hosts::new(&config.allowed_hosts, urls.map(String::as_str));
    hosts.map_err(|problem| format!("`BIFOLD_ALLOWED_HOSTS`: {problem}"))
}

/// The refusal in the protocol of the request's path.
fn refused(request: &Request, refusal: Refusal, cx: &Context) -> Answered {
    match protocol_of(request.uri().path()) {
        "mcp" => mcp_http::refused(request.headers(), refusal),
        _ => rest::refused(refusal, cx.request_id()),
    }
}

fn of_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    match origin::is_well_formed(headers) {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "forbidden_origin",
            "header `origin` is repeated or has user information",
        )),
    }
}

fn of_host(mistake: Mistake) -> Refusal {
    match mistake {
        Mistake::Invalid(problem) => Refusal::new(StatusCode::BAD_REQUEST, "bad_request", problem),
        Mistake::Foreign(problem) => Refusal::new(StatusCode::FORBIDDEN, "foreign_host", problem),
    }
}
