//! All settings: each with its variable, default, accepted values and meaning.

mod address;
mod auth;
mod aws;
pub(crate) mod key;
mod kind;
mod setting;
mod table;

use std::time::Duration;

use tracing::warn;

use crate::error::suggestion;

pub use auth::{Listing, RateLimit};
pub use aws::{AwsConfig, Secret};
pub use key::Key;
pub use setting::Setting;
pub use table::Config;

/// The user agent of the library.
const LIBRARY: &str = concat!("bifold/", env!("CARGO_PKG_VERSION"));

/// The most characters of an unknown variable's name that a warning shows.
const MAX_SHOWN: usize = 64;

/// How an integration of Lambda transfers responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// As one document, once the response is complete.
    Buffered,
    /// As a stream.
    Streamed,
}

/// A setting with a value that cannot be used. `Debug` prints the same message as `Display`.
pub struct ConfigError(String);

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// Names the variable whose value cannot be used.
    pub fn from_env() -> Result<Config, ConfigError> {
        Config::from_env_for(&[])
    }

    /// Reads the environment of the process for an application that declares `settings` of its own.
    ///
    /// # Errors
    /// The variable whose value cannot be used.
    pub fn from_env_for(settings: &[Setting]) -> Result<Config, ConfigError> {
        let is_known = |name: &str| {
            let prefixes = ["BIFOLD_", "AWS_", "OTEL_"];
            prefixes.iter().any(|it| name.starts_with(it))
                || settings.iter().any(|it| it.name() == name)
        };
        let vars = std::env::vars_os().filter_map(|(name, value)| {
            // A value that is not Unicode is refused like any other wrong value. A name that is not Unicode is ignored.
            let name = name.into_string().ok().filter(|it| is_known(it))?;
            let value = value.into_string();
            Some((
                name,
                value.unwrap_or_else(|it| it.to_string_lossy().into_owned()),
            ))
        });
        Config::from_vars(vars, settings)
    }

    /// Reads the given variables: the settings of the library, those that `settings` declares, and all others with the
    /// prefix `BIFOLD_`, about which [`App::start`](crate::App::start) warns.
    ///
    /// # Errors
    /// The variable whose value cannot be used.
    pub fn from_vars(
        vars: impl Iterator<Item = (String, String)>,
        settings: &[Setting],
    ) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        for (name, value) in vars {
            if let Some(read) = config.set(&name, &value) {
                read.map_err(|problem| ConfigError(format!("`{name}`: {problem}")))?;
            } else if settings.iter().any(|it| it.name() == name) {
                config.application.insert(name, value);
            } else if let Some(setting) = name.strip_prefix("BIFOLD_") {
                match setting.strip_suffix("_URL") {
                    Some(upstream) if !upstream.is_empty() => {
                        let upstream = upstream.to_ascii_lowercase();
                        config.upstream_urls.insert(upstream, value);
                    }
                    _ => drop(config.application.insert(name, value)),
                }
            } else if let Some(variable) = name.strip_prefix("AWS_") {
                config.aws.set(variable, &value);
            }
        }
        Ok(config)
    }

    /// The value of a setting that the application declares, or its default. Empty where the setting does not exist.
    pub(crate) fn setting<'a>(&'a self, declared: &'a [Setting], name: &str) -> &'a str {
        let given = self.application.get(name).map(String::as_str);
        let setting = || declared.iter().find(|it| it.name() == name);
        given
            .or_else(|| setting().map(Setting::default))
            .unwrap_or_default()
    }

    /// Names the application to its upstreams, unless the settings name it.
    pub(crate) fn introduce(&mut self, name: &str, version: &str) {
        let is_library = LIBRARY
            .strip_prefix(name)
            .and_then(|it| it.strip_prefix('/'))
            == Some(version);
        if self.user_agent != LIBRARY || is_library {
            return;
        }
        let allowed = |it: char| it.is_ascii_alphanumeric() || "-_.+".contains(it);
        let token = |text: &str| text.replace(|it| !allowed(it), "-");
        self.user_agent = format!("{}/{} ({LIBRARY})", token(name), token(version));
    }

    /// Warns about variables with the prefix `BIFOLD_` that neither the library nor the application knows.
    pub(crate) fn warn_of_unknown(&self, declared: &[Setting]) {
        for name in self.application.keys() {
            if !declared.iter().any(|it| it.name() == name) {
                let hint = closest(name, declared);
                warn!(variable = %name.chars().take(MAX_SHOWN).collect::<String>(), "unknown setting{hint}");
            }
        }
    }

    /// Checks the values of the settings that the application declares.
    ///
    /// # Errors
    /// One message for each value that cannot be used.
    pub(crate) fn check(&self, declared: &[Setting]) -> Result<(), Vec<String>> {
        let given = |it: &Setting| self.application.get(it.name()).map(String::as_str);
        let problems: Vec<String> = declared
            .iter()
            .filter_map(|it| it.problem(given(it)))
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }

    /// Whether the process may be frozen between two requests, as Lambda does.
    pub fn is_frozen(&self) -> bool {
        self.function.is_some()
    }

    /// The timeout of one try of an upstream request, where another try is allowed.
    pub(crate) fn try_timeout(&self) -> Duration {
        self.upstream_timeout * 2 / 5
    }

    /// The timeout of a sequence of upstream requests: that of one request plus one more try.
    pub fn sequence_timeout(&self) -> Duration {
        self.upstream_timeout + self.try_timeout()
    }
}

/// A hint with the known settings whose names are most similar to an unknown one.
fn closest(name: &str, declared: &[Setting]) -> String {
    let library = Config::settings();
    let known = library.iter().flat_map(|(_, settings)| settings);
    let names = known.chain(declared).map(Setting::name);
    suggestion::hint(&suggestion::closest(name, names))
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
