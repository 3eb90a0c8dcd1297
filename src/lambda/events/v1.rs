//! Events with payload 1.0: REST APIs, HTTP APIs that ask for it, and load balancers, which have a dialect of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::lambda::events::integration::Integration;
use crate::lambda::events::principal::principal;
use crate::lambda::events::request::{Lines, below, body, build, headers, without_stage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1<'a> {
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    http_method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Option<Lines<'a>>,
    #[serde(borrow, default)]
    multi_value_headers: Option<Many<'a>>,
    #[serde(borrow, default)]
    query_string_parameters: Option<Lines<'a>>,
    #[serde(borrow, default)]
    multi_value_query_string_parameters: Option<Many<'a>>,
    #[serde(borrow)]
    request_context: Context<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

type Many<'a> = BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    #[serde(borrow, default)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    domain_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    authorizer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    identity: Option<&'a RawValue>,
    /// Only load balancers have this.
    #[serde(default)]
    elb: Option<IgnoredAny>,
}

impl V1<'_> {
    pub(crate) fn integration(&self) -> Integration {
        match (self.request_context.elb, &self.version) {
            (Some(_), _) if self.multi_value_headers.is_some() => Integration::LoadBalancerLists,
            (Some(_), _) => Integration::LoadBalancer,
            (None, Some(_)) => Integration::HttpApiV1,
            (None, None) => Integration::RestApi,
        }
    }

    pub(crate) fn principal(&self) -> Option<String> {
        let context = &self.request_context;
        principal(context.authorizer, context.identity)
    }

    /// The HTTP request, its path without the stage and without `base`.
    ///
    /// # Errors
    /// A sentence for the caller, where the event holds what no HTTP request could.
    pub(crate) fn request(self, base: &str) -> Result<Request, String> {
        // Load balancers hand parameters on as they came, and API Gateway decodes them.
        let encode = match self.integration() {
            Integration::LoadBalancer | Integration::LoadBalancerLists => str::to_owned,
            _ => |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        };
        let lists = self.multi_value_query_string_parameters;
        let query: Vec<String> = lines(lists.as_ref(), self.query_string_parameters.as_ref())
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        let lists = self.multi_value_headers;
        let headers = headers(lines(lists.as_ref(), self.headers.as_ref()))?;
        // The stage stands in the path of an HTTP API, which says its payload's version, and never in that of a REST API.
        let context = self.request_context;
        let stage = self.version.and(context.stage);
        let path = without_stage(&self.path, stage.as_deref(), context.domain_name.as_deref());
        let path = below(path, base);
        let body = body(self.body, self.is_base64_encoded)?;
        build(&self.http_method, path, &query.join("&"), headers, body)
    }
}

/// Every name with each of its values: those of the lists, or the single ones where there are no lists.
fn lines<'l>(
    many: Option<&'l Many<'_>>,
    one: Option<&'l Lines<'_>>,
) -> impl Iterator<Item = (&'l str, &'l str)> {
    let one = one.filter(|_| many.is_none()).into_iter().flatten();
    let many = many.into_iter().flatten();
    let many = many.flat_map(|(name, values)| values.iter().map(move |value| (&**name, &**value)));
    many.chain(one.map(|(name, value)| (&**name, &**value)))
}
