//! One async function, registered once, answers AI agents over MCP and programs over REST, from one binary
//! that is an AWS Lambda function and a plain local server.
//!
//! # The map, from the top down
//! Each room is a folder, and imports only rooms below it; `tests/it/architecture.rs` holds the table.
//!
//! | room | what it holds |
//! |---|---|
//! | [`main`](crate::main) (`cli/`) | the whole program of an application: command line, settings, log |
//! | [`provenance`] | the bundled functions, an application like any other, and its recorded upstreams |
//! | [`lambda`], [`local`] | the two transports: AWS Lambda events, a local socket |
//! | [`App`], [`Server`] (`app/`) | what an application declares, and what it becomes: routes, request info, access line |
//! | `websocket/` | WebSocket connections, local and behind API Gateway |
//! | [`mcp`] | the Model Context Protocol: messages, methods, calls, HTTP |
//! | `rest/` | REST routes, OpenAPI, problem documents, the documentation page |
//! | [`lint`] | what clients would refuse in the schemas of an application |
//! | [`Tool`], [`Resource`], [`Prompt`], [`Registry`] (`registry/`) | functions, typed once, and the one path of every call |
//! | [`Context`] (`context/`) | what a function is given: its client, its deadline, its upstreams |
//! | [`Store`] (`store/`) | short-lived records that the processes of an application share |
//! | `aws/` | signed requests to AWS |
//! | [`upstream`] | requests to HTTP APIs: limits, cache, retry, circuit breaker |
//! | [`telemetry`] | the log, the access line, metrics, traces |
//! | `http/` | policies that hold for every path: CORS, origins |
//! | [`testing`] | upstreams for tests that answer what they are told to |
//! | [`Config`] (`config/`) | every setting in one table |
//! | [`Error`] (`error/`) | what went wrong, for the caller and for the log |
//! | `schema/` | JSON Schemas that every client takes |
//! | [`Clock`], [`Deadline`] (`clock/`) | time |
//!
//! # What is absent on purpose
//! Global state, a procedural macro, a session on the request path, a function that names a protocol, a protocol that
//! names a function, a second way for a result to be encoded, and a file of the library that names a bundled function.

/// The crates that the public API names, in the versions that it means; the types of [`http`] are in that module.
pub use {axum, schemars, serde_json};

/// The examples of the README and of `docs/`, which the documentation tests compile.
#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/asking-the-client.md")]
    struct AskingTheClient;
    #[doc = include_str!("../docs/lambda.md")]
    struct Lambda;
    #[doc = include_str!("../docs/testing.md")]
    struct Testing;
    #[doc = include_str!("../docs/upstreams.md")]
    struct Upstreams;
    #[doc = include_str!("../docs/writing-functions.md")]
    struct WritingFunctions;
}

mod app;
mod aws;
#[cfg(feature = "cli")]
mod cli;
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
mod registry;
mod rest;
mod schema;
mod store;
pub mod telemetry;
pub mod testing;
pub mod upstream;
mod websocket;

pub use app::{App, RequestInfo, Server, StartError, Starting};
pub use aws::Continuation;
#[cfg(feature = "cli")]
pub use cli::{IntoServer, main};
pub use clock::{Clock, Deadline, TimeLeft, Timestamp};
pub use config::{AwsConfig, Config, ConfigError, Key, Secret, Setting, Transfer};
pub use context::{Context, Elicited, Level, Process, Root, Sampled, Sampling, Topic, Update};
pub use error::{Capability, Detail, Error, Kind, Result, UpstreamStatus};
pub use registry::{
    Annotations, Answer, Content, Hints, Icon, IntoAnswer, Link, Prompt, Registry, Resource, Tool,
    batch,
};
pub use schema::JsonSchema;
pub use store::{Change, Record, Store};
pub use upstream::Once;
