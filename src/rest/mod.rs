//! REST: each function at its GET path and at `POST /api/{name}`, and the pages that describe them.

mod arguments;
mod docs;
mod freshness;
mod openapi;
mod operation_ids;
mod policy;
mod problem;
mod response;
mod routes;

pub(crate) use problem::{failure, problem, refused};
pub use routes::{RestApi, router};
