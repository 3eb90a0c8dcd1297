//! REST: each function at its GET path and at `POST /api/{name}`, and the pages that describe them.

mod arguments;
mod body;
mod docs;
mod freshness;
mod openapi;
mod operation_ids;
mod policy;
mod problem;
mod routes;

pub use body::read_body;
pub use problem::{Refusal, failure, problem};
pub use routes::{RestApi, router};
