//! One async function, registered once, serves AI agents over MCP and programs over REST, from one binary that runs as an
//! AWS Lambda function and as a local server.
//!
//! # The map, from the top down
//! Each module is a folder and imports only modules below it; `tests/it/architecture.rs` has the table of imports.
//!
//! | module | contents |
//! |---|---|
//! | [`main()`] (`cli/`) | the complete program of an application: command line, settings, log |
//! | [`serve()`] (`start/`) | where an application runs: on Lambda or on a local socket; what it says at its start |
//! | [`provenance`] | the bundled functions, which are an ordinary application, and their recorded upstreams |
//! | [`testing`] | a client in the same process and fake upstreams, for tests |
//! | [`lambda`], [`stdio`], [`local`] | the transports: AWS Lambda events, standard input and output, a local socket |
//! | [`App`], [`Server`], [`Catalog`] (`app/`) | the declaration of an application, and the service that it becomes: routes, request info, access log |
//! | [`Mount`], [`Import`] (`providers/`) | functions that come from elsewhere: mounted MCP servers, imported documents; the search for long catalogs |
//! | `websocket/` | WebSocket connections, local and behind API Gateway |
//! | [`mcp`] | the Model Context Protocol: messages, methods, calls, HTTP |
//! | `rest/` | REST routes, OpenAPI, problem documents, the documentation page |
//! | [`lint`] | checks for schemas that MCP clients would refuse |
//! | [`Tool`], [`Resource`], [`Prompt`], [`Registry`] (`registry/`) | functions with their types and schemas, and the single path of every call |
//! | [`Context`] (`context/`) | the context of a call: client, deadline, upstreams |
//! | `client/` | a client of MCP servers, in every revision |
//! | [`Principal`] (`auth/`) | who calls and what it may do: tokens, API keys, scopes, rate limits |
//! | [`Store`] (`store/`) | short-lived records that the processes of an application share |
//! | `aws/` | signed requests to AWS |
//! | [`upstream`] | requests to HTTP APIs: credentials, limits, cache, retry, circuit breaker |
//! | [`telemetry`] | the log, the access log, metrics, traces |
//! | `http/` | policies for every path: CORS, hosts and origins, body limits |
//! | [`Config`] (`config/`) | every setting in one table |
//! | [`Error`] (`error/`) | errors: a message for the caller, and a source for the log |
//! | `schema/` | JSON Schemas that every client accepts, and the check of values by them |
//! | [`Clock`], [`Deadline`] (`clock/`) | time |
//!
//! # What is absent on purpose
//! Global state, procedural macros, sessions on the request path, functions that depend on a protocol, protocols that
//! depend on a function, a second encoder of results, and library code that depends on a bundled function.

/// The crates that the public API names, in the same versions; the types of [`http`] are in that module.
pub use {axum, schemars, serde_json};

/// The examples of the README and of `docs/`, compiled as documentation tests.
#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/answers.md")]
    struct Answers;
    #[doc = include_str!("../docs/asking-the-client.md")]
    struct AskingTheClient;
    #[cfg(feature = "openapi")]
    #[doc = include_str!("../docs/imports.md")]
    struct Imports;
    #[doc = include_str!("../docs/lambda.md")]
    struct Lambda;
    #[doc = include_str!("../docs/lambda-http.md")]
    struct LambdaHttp;
    #[cfg(feature = "mounts")]
    #[doc = include_str!("../docs/mounts.md")]
    struct Mounts;
    #[doc = include_str!("../docs/rest.md")]
    struct Rest;
    #[doc = include_str!("../docs/search.md")]
    struct Search;
    #[doc = include_str!("../docs/security.md")]
    struct Security;
    #[doc = include_str!("../docs/testing.md")]
    struct Testing;
    #[doc = include_str!("../docs/upstreams.md")]
    struct Upstreams;
    #[doc = include_str!("../docs/writing-functions.md")]
    struct WritingFunctions;
}

mod app;
mod auth;
mod aws;
#[cfg(feature = "cli")]
mod cli;
mod client;
mod clock;
mod config;
mod context;
mod error;
pub mod http;
pub mod lambda;
pub mod lint;
pub mod local;
pub mod mcp;
pub mod prelude;
#[cfg(feature = "provenance")]
pub mod provenance;
mod providers;
mod registry;
mod rest;
mod schema;
mod start;
pub mod stdio;
mod store;
pub mod telemetry;
pub mod testing;
pub mod upstream;
mod websocket;

pub use app::{App, Catalog, CatalogError, RequestInfo, Server, StartError, Starting};
pub use auth::{Principal, PrincipalKind};
pub use aws::Continuation;
#[cfg(feature = "cli")]
pub use cli::{IntoServer, main};
pub use clock::{Clock, Deadline, TimeLeft, Timestamp};
pub use config::{
    AwsConfig, Config, ConfigError, Key, Listing, RateLimit, Secret, Setting, Transfer,
};
pub use context::{
    Context, Elicited, Level, Page, Process, Root, Sampled, Sampling, Topic, Update,
    UpstreamClient, UpstreamRequest,
};
pub use error::{Capability, CustomKind, Detail, Error, Kind, Result, UpstreamStatus};
#[cfg(feature = "mounts")]
pub use providers::mcp::Mount;
#[cfg(feature = "openapi")]
pub use providers::openapi::Import;
pub use registry::{
    Accepted, Annotations, Answer, Bytes, Content, Created, DeclaredError, Functions, Handler,
    Hints, Icon, IntoAnswer, Link, NoContent, Output, Paged, Prompt, Registry, Resource, Route,
    Tool, Upload, batch, handler,
};
pub use schema::JsonSchema;
pub use start::serve;
pub use store::{Change, Record, Store};
pub use upstream::Once;
