//! REST: each function at its own paths and at `POST /api/{name}`, and the pages that describe them.

mod accept;
mod arguments;
mod binding;
mod body;
mod docs;
mod endpoint;
mod events;
mod freshness;
mod headers;
mod link;
mod missing;
mod multipart;
mod openapi;
mod operation;
mod operation_ids;
mod policy;
mod problem;
mod response;
mod routes;
mod security;
mod table;

pub(crate) use missing::{method_not_allowed, not_found, unknown};
pub(crate) use problem::{failure, problem, refused};
pub use routes::{RestApi, router};
