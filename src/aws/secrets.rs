//! Secrets of AWS Secrets Manager: credentials of upstreams, and API keys.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Aws, refused};
use crate::clock::Deadline;
use crate::config::{Config, Secret};
use crate::error::{Error, Result};
use crate::upstream::{SecretStore, Upstream};

/// The name of Secrets Manager in a signature.
const SERVICE: &str = "secretsmanager";

/// The time limit of one secret of an upstream with all its tries.
const LIMIT: Duration = Duration::from_secs(10);

/// The way to read secrets.
pub(crate) struct Secrets {
    aws: Aws,
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetSecretValue<'a> {
    secret_id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
}

/// The way to read the secrets of these upstreams; `None` where none of them is in AWS Secrets Manager. Nothing is sent.
///
/// # Errors
/// The variable of AWS that is missing or invalid.
pub fn store(config: &Config, upstreams: &[Upstream]) -> Result<Option<SecretStore>, String> {
    let Some(upstream) = upstreams.iter().find(|it| it.needs_aws()) else {
        return Ok(None);
    };
    let told = |problem| {
        format!(
            "upstream `{}` has a secret in AWS Secrets Manager: {problem}",
            upstream.name
        )
    };
    let secrets = Arc::new(Secrets::new(Arc::new(config.clone())).map_err(told)?);
    Ok(Some(Arc::new(move |id, field| {
        let secrets = secrets.clone();
        let deadline = Deadline::after(LIMIT);
        Box::pin(async move { secrets.get(&id, field.as_deref(), deadline).await })
    })))
}

impl Secrets {
    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// The variable of AWS that is missing or invalid.
    pub(crate) fn new(config: Arc<Config>) -> Result<Secrets, String> {
        let aws = Aws::new(config)?;
        let url = format!("{}/", aws.endpoint(SERVICE)?);
        Ok(Secrets { aws, url })
    }

    /// The secret `id`, or one field of it.
    ///
    /// # Errors
    /// Secrets Manager cannot be reached or refuses; `Internal` for a secret of another form.
    pub(crate) async fn get(
        &self,
        id: &str,
        field: Option<&str>,
        deadline: Deadline,
    ) -> Result<Secret> {
        let failed = |problem: &str| {
            Error::internal(format!(
                "the secret `{id}` of AWS Secrets Manager {problem}"
            ))
        };
        let body = serde_json::to_vec(&GetSecretValue { secret_id: id });
        let body = body.map_err(|error| failed("cannot be named").with_source(error))?;
        let request = Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "secretsmanager.GetSecretValue")
            .body(Bytes::from(body))
            .map_err(|error| failed("cannot be asked for").with_source(error))?;
        let response = self.aws.insist(SERVICE, request, deadline).await?;
        if response.status() != StatusCode::OK {
            return Err(refused(SERVICE, &response, "the request of a secret"));
        }
        // An error of serde could repeat a part of the secret, so it is dropped.
        let value: Option<SecretValue> = serde_json::from_slice(response.body()).ok();
        let text = value.and_then(|it| it.secret_string);
        let text = text.ok_or_else(|| failed("is not a text"))?;
        let Some(field) = field else {
            return Ok(Secret::new(text));
        };
        match serde_json::from_str::<Value>(&text)
            .ok()
            .as_mut()
            .map(|it| it[field].take())
        {
            Some(Value::String(text)) => Ok(Secret::new(text)),
            _ => Err(failed(&format!("has no text in the field `{field}`"))),
        }
    }
}
