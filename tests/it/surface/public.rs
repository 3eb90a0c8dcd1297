//! The public API of the library: every type in it can be named by its users, and the committed list is the true one.

use std::collections::BTreeSet;
use std::fmt::Write;

/// What `.ci/run public_api` has written.
const LISTED: &str = include_str!("../../../.ci/public_api.txt");

/// Imports each path, and keeps it as a text.
macro_rules! named {
    ($($($part:ident)::+,)*) => {
        #[allow(unused_imports)]
        mod imported {
            $(use $($part)::+ as _;)*
        }
        const NAMED: &[&str] = &[$(concat!($("::", stringify!($part)),+)),*];
    };
}

named! {
    bifold::Accepted,
    bifold::Annotations,
    bifold::Answer,
    bifold::App,
    bifold::AwsConfig,
    bifold::Bytes,
    bifold::Capability,
    bifold::Catalog,
    bifold::CatalogError,
    bifold::Change,
    bifold::Clock,
    bifold::Config,
    bifold::ConfigError,
    bifold::Content,
    bifold::Context,
    bifold::Continuation,
    bifold::Created,
    bifold::CustomKind,
    bifold::Deadline,
    bifold::DeclaredError,
    bifold::Detail,
    bifold::Elicited,
    bifold::Error,
    bifold::Functions,
    bifold::Handler,
    bifold::Hints,
    bifold::Icon,
    bifold::Import,
    bifold::IntoAnswer,
    bifold::IntoServer,
    bifold::Key,
    bifold::Kind,
    bifold::Level,
    bifold::Link,
    bifold::Listing,
    bifold::Mount,
    bifold::NoContent,
    bifold::Once,
    bifold::Output,
    bifold::Page,
    bifold::Paged,
    bifold::Principal,
    bifold::PrincipalKind,
    bifold::Process,
    bifold::Prompt,
    bifold::RateLimit,
    bifold::Record,
    bifold::Registry,
    bifold::RequestInfo,
    bifold::Resource,
    bifold::Result,
    bifold::Root,
    bifold::Route,
    bifold::Sampled,
    bifold::Sampling,
    bifold::Secret,
    bifold::Server,
    bifold::Setting,
    bifold::StartError,
    bifold::Starting,
    bifold::Store,
    bifold::TimeLeft,
    bifold::Timestamp,
    bifold::Tool,
    bifold::Topic,
    bifold::Transfer,
    bifold::Update,
    bifold::Upload,
    bifold::UpstreamClient,
    bifold::UpstreamRequest,
    bifold::UpstreamStatus,
    bifold::handler::Async,
    bifold::handler::Blocking,
    bifold::handler::ErasedHandler,
    bifold::handler::Fallible,
    bifold::handler::Handler,
    bifold::handler::IntoOutcome,
    bifold::handler::Plain,
    bifold::lambda::ApiError,
    bifold::lambda::EventResponse,
    bifold::lambda::Failure,
    bifold::lint::Finding,
    bifold::lint::Severity,
    bifold::mcp::Body,
    bifold::mcp::Endpoint,
    bifold::mcp::Event,
    bifold::mcp::McpResponse,
    bifold::mcp::Outgoing,
    bifold::mcp::Part,
    bifold::prelude::Answer,
    bifold::prelude::Bytes,
    bifold::prelude::Content,
    bifold::prelude::Context,
    bifold::prelude::Created,
    bifold::prelude::Error,
    bifold::prelude::Kind,
    bifold::prelude::NoContent,
    bifold::prelude::Prompt,
    bifold::prelude::Resource,
    bifold::prelude::Result,
    bifold::prelude::Server,
    bifold::prelude::Tool,
    bifold::provenance::replay::Replay,
    bifold::telemetry::Format,
    bifold::telemetry::Outcome,
    bifold::telemetry::PendingOutcome,
    bifold::testing::Canned,
    bifold::testing::CannedUpstream,
    bifold::testing::Client,
    bifold::testing::Fault,
    bifold::testing::FaultPlan,
    bifold::testing::McpCall,
    bifold::testing::McpClient,
    bifold::testing::McpResult,
    bifold::testing::Received,
    bifold::testing::RestClient,
    bifold::testing::RouteBuilder,
    bifold::testing::RpcFailure,
    bifold::testing::TestResponse,
    bifold::testing::UpstreamBuilder,
    bifold::upstream::CachePolicy,
    bifold::upstream::ClientCredentials,
    bifold::upstream::Credentials,
    bifold::upstream::Freshness,
    bifold::upstream::Once,
    bifold::upstream::Rate,
    bifold::upstream::SecretRef,
    bifold::upstream::Upstream,
    bifold::upstream::UpstreamResponse,
}

/// The paths inside the crate that a text mentions, without those of generic parameters.
fn paths(text: &str) -> BTreeSet<String> {
    let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    text.split(|it| !is_part(it))
        .filter(|it| it.starts_with("bifold::"))
        .map(str::to_owned)
        .collect()
}

/// The types, traits and functions that the list declares.
fn declared() -> BTreeSet<String> {
    let declarations = LISTED.lines().filter_map(|line| {
        let line = line.strip_prefix("#[non_exhaustive] ").unwrap_or(line);
        let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        paths(rest)
            .into_iter()
            .find(|path| rest.starts_with(path.as_str()))
    });
    let associated = |path: &String| {
        path.rsplit("::")
            .nth(1)
            .is_some_and(|it| it.starts_with(char::is_uppercase))
    };
    declarations.filter(|path| !associated(path)).collect()
}

#[test]
fn every_public_type_has_a_path_that_a_user_can_write() {
    let named: BTreeSet<String> = NAMED.iter().map(|it| it[2..].to_owned()).collect();
    let declared = declared();
    if named != declared {
        let list = declared.iter().fold(String::new(), |mut list, path| {
            let _ = writeln!(list, "    {path},");
            list
        });
        panic!("the list of names in this file has to be:\n{list}");
    }
}

#[test]
fn no_public_signature_mentions_a_type_without_a_public_path() {
    let declared = declared();
    let modules = LISTED.lines().filter_map(|it| it.strip_prefix("pub mod "));
    let known: BTreeSet<&str> = declared.iter().map(String::as_str).chain(modules).collect();
    // What belongs to a type, such as a method or a variant, has the path of the type before its name.
    let is_known = |path: &str| {
        let owner = path.rsplit_once("::").map_or("", |it| it.0);
        known.contains(path)
            || known.contains(owner)
            || known.contains(owner.rsplit_once("::").map_or("", |it| it.0))
    };
    for line in LISTED.lines() {
        for path in paths(line) {
            assert!(is_known(path.trim_end_matches(':')), "`{path}` in `{line}`");
        }
    }
}
