//! A client of MCP servers over Streamable HTTP: one connection speaks the era that its server knows.
//!
//! [`Connection::open`] finds out the era. [`Connection::start`] sends one request; its [`Exchange`] gives what the
//! server says, one event after the other, up to the result, and takes the answers to its questions.
//!
//! Mounted servers have connections of their own, over HTTP or to child processes; what is read of them is the same:
//! [`parse`] decodes messages, [`Events`] the events of a stream, and [`header_value()`] encodes a header. The connection is for the command line alone.

#[cfg(feature = "cli")]
mod connection;
#[cfg(feature = "cli")]
mod exchange;
#[cfg(feature = "cli")]
mod failure;
mod header_value;
#[cfg(feature = "cli")]
mod headers;
#[cfg(feature = "cli")]
mod http;
mod message;
#[cfg(feature = "cli")]
mod replies;
mod sse;

#[cfg(feature = "cli")]
pub(crate) use connection::{Connection, Era, Hello, Revision};
#[cfg(feature = "cli")]
pub(crate) use exchange::{Event, Exchange, Request};
#[cfg(feature = "cli")]
pub(crate) use failure::Failure;
pub(crate) use header_value::header_value;
#[cfg(feature = "cli")]
pub(crate) use headers::params as param_headers;
#[cfg(feature = "cli")]
pub(crate) use http::Http;
pub(crate) use message::{Call, Message, Response, RpcError, parse};
pub(crate) use sse::Events;
