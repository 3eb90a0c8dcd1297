//! One async function, registered once, answers AI agents over MCP and programs over REST, from one binary
//! that is an AWS Lambda function and a plain local server.
//!
//! # The map, in reading order
//! - [`Server`]: what an application serves, a list of [`Tool`]s and a name. Start with its example.
//! - [`Tool`]: one function, typed by its argument struct and its result; types are erased here and nowhere else.
//! - [`Resource`], [`Prompt`]: the same functions as documents with a URI, and as ready-made questions.
//! - [`Registry`]: the one way to every function: decode, deadline, panic guard, encode once.
//! - [`Context`], [`Error`], [`Content`]: what a function is given, how it fails, what it may answer with.
//! - [`App`]: the protocols on one registry, built once, the same for a Lambda event, a local socket and a test.
//! - [`mcp`] and [`rest`]: the protocols. Each translates bytes to a [`Registry::call`] and its result to bytes.
//! - `ws`: WebSocket, whose frames are the messages of [`mcp`]; its first page is the protocol.
//! - [`upstream`]: the one integration to upstream HTTP APIs.
//! - [`Store`]: short-lived records that all processes of an application share.
//! - [`lint`]: what clients would refuse in the schemas of an application.
//! - [`lambda`] and [`local`]: the integrations. [`replay`]: an upstream of recorded bodies.
//! - [`batch`]: a function for any application, which calls many of its others at once.
//! - [`tools`]: the bundled functions, an application like any other; nothing above it knows of them.
//!
//! # What is absent on purpose
//! Global state, a macro of our own, a session on the request path, a tool that names a protocol, a protocol that
//! names a tool, and a second way for a result to be encoded.

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
mod base_url;
pub mod batch;
mod buffers;
mod capability;
mod client;
mod clock;
mod config;
mod context;
mod cors;
mod count;
mod deadline;
mod entry;
mod error;
mod excerpt;
mod flight;
mod host;
mod invoke;
pub mod lambda;
pub mod lint;
pub mod local;
pub mod mcp;
mod object;
mod once;
mod origin;
mod path;
mod registry;
pub mod replay;
pub mod rest;
mod schema;
mod secret;
mod server;
mod similar;
mod spans;
mod store;
pub mod telemetry;
pub mod tools;
mod trace;
mod updates;
pub mod upstream;
mod ws;

pub use app::{App, RequestInfo, StartError};
pub use capability::Capability;
pub use client::{Elicited, Level, Root, Sampled, Sampling};
pub use clock::{Clock, Timestamp};
pub use config::{AwsConfig, Config, ConfigError, Secret, Transfer};
pub use context::{Context, Process};
pub use deadline::{Deadline, TimeLeft};
pub use error::{Detail, Error, Kind, Result, UpstreamStatus};
pub use invoke::Continuation;
pub use key::Key;
pub use once::Once;
pub use registry::{
    Annotations, Answer, Content, Hints, Icon, IntoAnswer, Link, Prompt, Registry, Resource, Tool,
};
pub use schemars::JsonSchema;
pub use server::{Info, Server};
pub use store::{Change, Record, Store};
pub use updates::{Topic, Update};
