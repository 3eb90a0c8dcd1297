//! Where a secret is: in a variable, in a file, or in AWS Secrets Manager.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::config::{Config, Secret};
use crate::error::{Error, Result};

/// The largest file with a secret.
const MAX_BYTES: u64 = 64 << 10;

/// Where a secret is. The declaration names the place and never the secret itself.
///
/// ```
/// use bifold::upstream::SecretRef;
/// const KEY: SecretRef = SecretRef::variable("WEATHER_API_KEY");
/// const MOUNTED: SecretRef = SecretRef::file("/run/secrets/weather");
/// const STORED: SecretRef = SecretRef::aws_field("prod/weather", "api_key");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecretRef {
    /// The environment variable of this name. It must be set when the program starts.
    Variable(Cow<'static, str>),
    /// The file at this path, without white space at its end. It is read again after it has changed.
    File(Cow<'static, str>),
    /// A secret in AWS Secrets Manager, which is read when it is first needed, and again after the upstream refused it.
    Aws {
        /// The name or the ARN of the secret.
        id: Cow<'static, str>,
        /// The field of the secret, where it is a JSON object.
        field: Option<Cow<'static, str>>,
    },
    /// The secret itself, which the program has from elsewhere.
    Value(Secret),
}

/// Reads a secret of AWS Secrets Manager by its id and its field.
pub(crate) type SecretStore =
    Arc<dyn Fn(String, Option<String>) -> BoxFuture<'static, Result<Secret>> + Send + Sync>;

impl SecretRef {
    /// The environment variable `name`.
    pub const fn variable(name: &'static str) -> SecretRef {
        SecretRef::Variable(Cow::Borrowed(name))
    }

    /// The file at `path`.
    pub const fn file(path: &'static str) -> SecretRef {
        SecretRef::File(Cow::Borrowed(path))
    }

    /// The secret in AWS Secrets Manager with this name or ARN.
    pub const fn aws(id: &'static str) -> SecretRef {
        SecretRef::Aws {
            id: Cow::Borrowed(id),
            field: None,
        }
    }

    /// One field of a secret in AWS Secrets Manager that is a JSON object.
    pub const fn aws_field(id: &'static str, field: &'static str) -> SecretRef {
        SecretRef::Aws {
            id: Cow::Borrowed(id),
            field: Some(Cow::Borrowed(field)),
        }
    }

    /// Checks at the start what costs nothing: the variable or the file must be there.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn check(&self, config: &Config) -> Result<(), String> {
        match self {
            SecretRef::Variable(name) => variable(config, name).map(drop),
            // A frozen process reads the file with the first request that needs it.
            SecretRef::File(path) if !config.is_frozen() => read(path).map(drop),
            _ => Ok(()),
        }
    }

    /// Reads the secret.
    ///
    /// # Errors
    /// `Internal` where there is none, or the failure of AWS Secrets Manager.
    pub(super) async fn read(
        &self,
        config: &Config,
        store: Option<&SecretStore>,
    ) -> Result<Secret> {
        match self {
            SecretRef::Variable(name) => variable(config, name).map_err(Error::internal),
            SecretRef::File(path) => read(path).map_err(Error::internal),
            SecretRef::Value(secret) => Ok(secret.clone()),
            SecretRef::Aws { id, field } => {
                let store = store.ok_or_else(|| Error::internal("AWS Secrets Manager is not used"));
                store?(id.to_string(), field.as_ref().map(Cow::to_string)).await
            }
        }
    }

    /// Whether the secret may be another one later.
    pub(super) fn may_change(&self) -> bool {
        matches!(self, SecretRef::File(_) | SecretRef::Aws { .. })
    }

    /// Whether AWS Secrets Manager has it.
    pub(super) fn is_aws(&self) -> bool {
        matches!(self, SecretRef::Aws { .. })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Variable(name) => write!(f, "the variable `{name}`"),
            SecretRef::File(path) => write!(f, "the file `{path}`"),
            SecretRef::Aws { id, .. } => write!(f, "the secret `{id}` of AWS Secrets Manager"),
            SecretRef::Value(_) => f.write_str("a given secret"),
        }
    }
}

/// The value of a variable: what the configuration has, or else the environment.
fn variable(config: &Config, name: &str) -> Result<Secret, String> {
    let given = config.secrets.get(name).cloned();
    let secret = given.or_else(|| std::env::var(name).ok().map(Secret::new));
    secret
        .filter(|it| !it.reveal().is_empty())
        .ok_or_else(|| format!("the variable `{name}` is not set; it holds its credentials"))
}

fn read(path: &str) -> Result<Secret, String> {
    let failed =
        |problem: &dyn fmt::Display| format!("the file `{path}` of its credentials {problem}");
    let length = std::fs::metadata(path)
        .map_err(|error| failed(&format_args!("cannot be read: {error}")))?
        .len();
    if length > MAX_BYTES {
        return Err(failed(&format_args!("has more than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| failed(&format_args!("cannot be read: {error}")))?;
    match text.trim_end() {
        "" => Err(failed(&"is empty")),
        text => Ok(Secret::new(text)),
    }
}
