//! HASH as a token: who holds it, and what it cost.

pub(super) mod distribution;
pub(super) mod history;
