//! An access token, and the file in which it is kept where the user asks for that.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Failure;
use crate::clock::Clock;

/// How long before its end a token counts as old, in seconds.
const MARGIN: u64 = 30;

/// A token for one server.
#[derive(Deserialize, Serialize)]
pub(in crate::cli::client) struct Token {
    pub(super) resource: String,
    pub(super) token_endpoint: String,
    pub(super) client_id: String,
    access_token: String,
    pub(super) refresh_token: Option<String>,
    /// When it ends, in seconds since 1970.
    expires_at: Option<u64>,
}

impl Token {
    /// The token in the answer of a token endpoint.
    ///
    /// # Errors
    /// It is none that a header can carry.
    pub(super) fn read(
        answer: &Value,
        resource: &str,
        token_endpoint: &str,
        client_id: &str,
    ) -> Result<Token, Failure> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let kind = text("token_type").unwrap_or_default();
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(
                "the authorization server issued a token of another type than Bearer".into(),
            );
        }
        let token = Token {
            resource: resource.to_owned(),
            token_endpoint: token_endpoint.to_owned(),
            client_id: client_id.to_owned(),
            access_token: text("access_token")
                .ok_or("the authorization server answered without `access_token`")?,
            refresh_token: text("refresh_token"),
            expires_at: answer["expires_in"]
                .as_u64()
                .map(|it| now().saturating_add(it)),
        };
        token.header()?;
        Ok(token)
    }

    /// The value of `Authorization`.
    ///
    /// # Errors
    /// The token has characters that a header cannot carry.
    pub(in crate::cli::client) fn header(&self) -> Result<HeaderValue, Failure> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.access_token));
        let mut value = value.map_err(|_| "the access token is not valid in a header")?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether it was issued for this server.
    pub(super) fn is_for(&self, url: &str) -> bool {
        let rest = url.strip_prefix(self.resource.trim_end_matches('/'));
        rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
    }

    pub(super) fn is_old(&self) -> bool {
        self.expires_at.is_some_and(|end| now() + MARGIN >= end)
    }

    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// Others may read it, or it has another form.
    pub(super) fn load(file: &Path) -> Result<Option<Token>, Failure> {
        let shown = file.display();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("`{shown}`: {error}").into()),
        };
        if is_open(file)? {
            return Err(format!("`{shown}` can be read by others; run `chmod 600 {shown}`").into());
        }
        // The message of the parser could repeat a part of the token.
        let token = serde_json::from_str(&text);
        Ok(Some(token.map_err(|_| {
            format!("`{shown}` is not a file of `--token-file`; delete it")
        })?))
    }

    /// Writes the file, for its owner alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub(in crate::cli::client) fn store(&self, file: &Path) -> Result<(), Failure> {
        let shown = file.display();
        let mut name = file
            .file_name()
            .ok_or("`--token-file` needs a file")?
            .to_owned();
        name.push(format!(".{}", std::process::id()));
        let new = file.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&new).and_then(|mut file| {
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()
        });
        let written = written.and_then(|()| fs::rename(&new, file));
        written.map_err(|error| {
            // What is left of a file that was not finished must not stay.
            let _ = fs::remove_file(&new);
            format!("`{shown}`: {error}").into()
        })
    }
}

/// Whether others than its owner may read the file.
fn is_open(file: &Path) -> Result<bool, Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Ok(fs::metadata(file)?.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        fs::metadata(file)?;
        Ok(false)
    }
}

fn now() -> u64 {
    Clock::System.now().unix().unsigned_abs()
}
