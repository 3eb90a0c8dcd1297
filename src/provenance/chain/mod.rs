//! The chain itself: its state, blocks, transactions, fees and commitments.

pub(super) mod block;
pub(super) mod commitments;
pub(super) mod fees;
mod hash;
pub(super) mod ibc;
mod latest;
pub(super) mod status;
pub(super) mod transaction;
