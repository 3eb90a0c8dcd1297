//! `key`: makes API keys.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::auth::NewKey;
use crate::clock::Timestamp;

#[derive(Args)]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key: print it, and the line for `BIFOLD_API_KEYS`, which holds only its hash.
    New(New),
}

#[derive(Args)]
struct New {
    /// The name of the key, by which the log knows it.
    name: String,
    /// The scopes of its user, with commas between them.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// When it expires, RFC 3339, e.g. `2027-01-01T00:00:00Z`; never without it.
    #[arg(long, value_parser = Timestamp::parse)]
    expires: Option<Timestamp>,
}

impl Key {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Action::New(New {
            name,
            scopes,
            expires,
        }) = self.action;
        let key = NewKey::new(&name, &scopes, expires)?;
        print(format!(
            "The key, which is shown only now:\n{}\n\nThe line for BIFOLD_API_KEYS:\n{}\n",
            key.secret, key.line
        ))
    }
}
