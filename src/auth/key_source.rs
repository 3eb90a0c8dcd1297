//! Where the API keys are: in the setting itself, in a file, or in a secret of AWS Secrets Manager.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::fetched::{Fetched, PATIENCE};
use super::keys::Keys;
use super::scopes::ScopeMap;
use crate::aws::secrets::Secrets;
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};

/// The age at which a secret is read again before its keys are used: a revoked key is accepted for so long at most.
const FRESH: Duration = Duration::from_secs(60);

/// The age at which keys are no longer used, because some of them may have been revoked while the secret could not be read.
const LONGEST: Duration = Duration::from_secs(3600);

/// The API keys of the settings.
pub(super) enum KeySource {
    /// They were read at the start.
    Fixed(Arc<Keys>),
    /// They are in a secret, which is read with the first key that is to be checked.
    Secret(Fetched<Keys>),
}

impl KeySource {
    /// The source that the settings name, if they name one. No secret is read.
    ///
    /// # Errors
    /// The file cannot be read, a line cannot be used, or a variable of AWS is missing.
    pub(super) fn new(
        config: &Arc<Config>,
        map: &Arc<ScopeMap>,
    ) -> Result<Option<KeySource>, String> {
        let Some(given) = &config.api_keys else {
            return Ok(None);
        };
        let told = |problem| format!("`BIFOLD_API_KEYS`: {problem}");
        if is_secret(given) {
            let secrets = Secrets::new(config.clone()).map_err(told)?;
            return Ok(Some(KeySource::secret(secrets, given.clone(), map.clone())));
        }
        let text = match Keys::are(given) {
            true => given.clone(),
            false => fs::read_to_string(given)
                .map_err(|error| told(format!("the file cannot be read: {error}")))?,
        };
        let keys = Keys::read(&text, map).map_err(told)?;
        Ok(Some(KeySource::Fixed(Arc::new(keys))))
    }

    fn secret(secrets: Secrets, id: String, map: Arc<ScopeMap>) -> KeySource {
        let (secrets, id) = (Arc::new(secrets), Arc::<str>::from(id));
        let fetch = move || {
            let (secrets, id, map) = (secrets.clone(), id.clone(), map.clone());
            Box::pin(async move {
                let text = secrets.get(&id, None, Deadline::after(PATIENCE)).await?;
                let keys = Keys::read(text.reveal(), &map);
                keys.map_err(|problem| Error::internal(format!("`BIFOLD_API_KEYS`: {problem}")))
            }) as BoxFuture<'static, _>
        };
        let what = "the API keys in AWS Secrets Manager".to_owned();
        KeySource::Secret(Fetched::new(what, [FRESH, LONGEST], Box::new(fetch)))
    }

    /// The keys; `None` while the secret cannot be read. Waits for it 2 s at most.
    pub(super) async fn keys(&self) -> Option<Arc<Keys>> {
        match self {
            KeySource::Fixed(keys) => Some(keys.clone()),
            KeySource::Secret(fetched) => {
                // Boxed, because the usual key needs no wait.
                let found = Box::pin(fetched.get(|_, age| age <= FRESH)).await?;
                Some(found.value)
            }
        }
    }
}

/// Whether the setting is the ARN of a secret.
fn is_secret(given: &str) -> bool {
    given.starts_with("arn:") && given.split(':').nth(2) == Some("secretsmanager")
}
