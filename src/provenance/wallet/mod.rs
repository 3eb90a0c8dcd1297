//! Wallets in detail: what can be spent, and when the rest vests.

pub(super) mod calendar;
pub(super) mod spendable;
