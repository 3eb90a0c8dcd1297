//! The function on the platform: `lambda_runtime` takes the invocations, and this module replaces the parts of it that do
//! not work as they must.

pub(crate) mod api;
pub(crate) mod driver;
pub(crate) mod extension;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod shutdown;
pub(crate) mod slot;
pub(crate) mod timeout;
pub(crate) mod worker;
