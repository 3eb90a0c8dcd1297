//! The errors of other crates, which are defects of this server: the caller learns nothing of them, and the log does.

use std::convert::Infallible;

use super::{Error, Kind, Source};

/// What the caller is told.
const MESSAGE: &str = "internal error: the function failed in a way it was not written for";

impl Error {
    /// An error of another crate, as an internal one: the caller gets a message that says nothing of it, and the log gets
    /// the error as the source.
    ///
    /// The operator `?` does this by itself for `std::io::Error`, `serde_json::Error`, the parse errors of `std` and
    /// `Box<dyn Error + Send + Sync>`. An application converts its own errors with `impl From<MyError> for bifold::Error`.
    ///
    /// ```
    /// use bifold::{Error, Result};
    /// # struct Rows;
    /// # fn query() -> std::result::Result<Rows, std::string::FromUtf8Error> { Ok(Rows) }
    /// fn load() -> Result<Rows> {
    ///     query().map_err(Error::from_std)
    /// }
    /// # assert!(load().is_ok());
    /// ```
    pub fn from_std(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(Kind::Internal, MESSAGE).with_source(error)
    }
}

macro_rules! internal {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::from_std(error)
            }
        }
    )*};
}

internal!(
    Source,
    serde_json::Error,
    std::char::ParseCharError,
    std::env::VarError,
    std::fmt::Error,
    std::io::Error,
    std::net::AddrParseError,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::str::ParseBoolError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::time::SystemTimeError,
    tokio::task::JoinError,
);

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}
