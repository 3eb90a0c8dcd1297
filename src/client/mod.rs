//! A client of MCP servers over Streamable HTTP: one connection speaks the era that its server knows.
//!
//! Mounted servers have connections of their own, over HTTP or to child processes; what is read of them is the same:
//! [`parse`] decodes messages, and [`Events`] the events of a stream.
//!
//! [`Connection::open`] finds out the era. [`Connection::start`] sends one request; its [`Exchange`] gives what the
//! server says, one event after the other, up to the result, and takes the answers to its questions.

mod connection;
mod exchange;
mod failure;
mod headers;
mod http;
mod message;
mod replies;
mod sse;

pub(crate) use connection::{Connection, Era, Hello, Revision};
pub(crate) use exchange::{Event, Exchange, Request};
pub(crate) use failure::{Failure, RpcError};
pub(crate) use headers::params as param_headers;
pub(crate) use http::Http;
pub(crate) use message::{Call, Message, Response, parse};
pub(crate) use sse::Events;
