//! What tests of an application need: upstreams that answer what they are told to, and go wrong on demand.

mod canned;
mod plan;
mod upstream;

pub use canned::{Canned, Fault};
pub use plan::FaultPlan;
pub use upstream::CannedUpstream;
