//! HTTP policies that hold for every path: which browser pages may call, and what they may read.

pub(crate) mod cors;
pub(crate) mod origin;
