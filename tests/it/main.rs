//! Behaviour, through the public protocols. Without the feature `provenance` those tests are left out that call the bundled
//! functions or their recorded upstreams.

// Some helpers serve only the tests that are left out then.
#![cfg_attr(not(feature = "provenance"), allow(dead_code))]

mod support;

mod answers;
mod architecture;
mod arguments;
#[cfg(feature = "provenance")]
mod auth;
#[cfg(feature = "provenance")]
mod batch;
#[cfg(feature = "provenance")]
mod budget;
mod catalog;
#[cfg(feature = "provenance")]
mod connections;
#[cfg(feature = "provenance")]
mod cors;
#[cfg(feature = "provenance")]
mod docs;
mod echo;
#[cfg(feature = "provenance")]
mod edge;
mod functions;
#[cfg(all(feature = "openapi", feature = "provenance"))]
mod imports;
mod input;
mod lambda;
#[cfg(feature = "provenance")]
mod lint;
mod mcp;
#[cfg(feature = "mounts")]
mod mounts;
mod once;
mod own;
#[cfg(feature = "provenance")]
mod process;
mod progress;
#[cfg(feature = "provenance")]
mod provenance;
#[cfg(feature = "provenance")]
mod resilience;
#[cfg(feature = "provenance")]
mod rest;
#[cfg(feature = "provenance")]
mod rmcp;
#[cfg(feature = "provenance")]
mod search;
mod stdio;
mod store;
mod surface;
#[cfg(feature = "provenance")]
mod telemetry;
mod testing;
#[cfg(feature = "provenance")]
mod upstream;
mod websocket;
