//! The types of the crate `http`, which the public API names, and inside the library the policies that hold for every
//! path: hosts, origins, CORS, paths, the room for bodies.
//!
//! ```
//! use bifold::http::{Request, StatusCode};
//! ```

pub use ::http::*;

pub(crate) mod base_url;
pub(crate) mod body;
pub(crate) mod buffers;
pub(crate) mod cors;
pub(crate) mod host;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod refusal;
