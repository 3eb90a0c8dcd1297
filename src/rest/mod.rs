//! REST: each function at its GET path and at `POST /api/{name}`, and the pages that describe them.

mod arguments;
mod docs;
mod freshness;
mod openapi;
mod problem;
mod routes;

pub use problem::{Refusal, failure, problem, read_body};
pub use routes::{RestApi, router};
