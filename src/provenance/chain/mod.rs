//! The chain itself: its state, blocks, transactions, fees and commitments.

pub(super) mod block;
pub(super) mod commitments;
pub(super) mod fees;
mod hash;
mod latest;
mod message_type;
pub(super) mod status;
pub(super) mod transaction;
