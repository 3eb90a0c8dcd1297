//! The API Gateway connection that a message arrived on.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A connection as named in an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    #[serde(deserialize_with = "id")]
    connection_id: String,
    #[serde(default)]
    domain_name: String,
    #[serde(default)]
    stage: String,
}

impl Connection {
    /// The id, which is safe in a URL path.
    pub(super) fn id(&self) -> &str {
        &self.connection_id
    }

    /// The host that the client connected to.
    pub(super) fn domain(&self) -> &str {
        &self.domain_name
    }

    /// The base URL of the API, if its host is an API Gateway host in this region.
    pub(super) fn endpoint(&self, region: &str) -> Option<String> {
        let rest = self.domain_name.strip_suffix(".cn");
        let host = rest.unwrap_or(&self.domain_name);
        let api = host.strip_suffix(&format!(".execute-api.{region}.amazonaws.com"))?;
        let is_known = is_made_of(api, b"-_") && is_made_of(&self.stage, b"-_");
        is_known.then(|| format!("https://{}/{}", self.domain_name, self.stage))
    }
}

/// Whether the text is an id of API Gateway: a variant of base64.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    match is_made_of(&id, b"-_=") {
        true => Ok(id),
        false => Err(D::Error::custom("expected the id of a connection")),
    }
}

/// Whether the text consists of letters, digits and these characters, and is not empty.
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let is_fit = |it: u8| it.is_ascii_alphanumeric() || others.contains(&it);
    !text.is_empty() && text.bytes().all(is_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(domain_name: &str, stage: &str) -> Option<String> {
        let connection = Connection {
            connection_id: "L0SM9cOFvHcCIAM=".to_owned(),
            domain_name: domain_name.to_owned(),
            stage: stage.to_owned(),
        };
        connection.endpoint("eu-west-1")
    }

    #[test]
    fn only_hosts_of_api_gateway_in_the_same_region_are_believed() {
        let host = "abc123.execute-api.eu-west-1.amazonaws.com";
        let url = Some(format!("https://{host}/ws"));
        assert_eq!(endpoint(host, "ws"), url);
        let chinese = "abc123.execute-api.eu-west-1.amazonaws.com.cn";
        assert_eq!(
            endpoint(chinese, "ws"),
            Some(format!("https://{chinese}/ws"))
        );
        for (domain, stage) in [
            ("", "ws"),
            ("ws.example.com", "ws"),
            ("abc123.execute-api.us-east-1.amazonaws.com", "ws"),
            ("bucket.s3.eu-west-1.amazonaws.com", "ws"),
            (".execute-api.eu-west-1.amazonaws.com", "ws"),
            ("evil.example/.execute-api.eu-west-1.amazonaws.com", "ws"),
            ("a.b.execute-api.eu-west-1.amazonaws.com", "ws"),
            ("user@a.execute-api.eu-west-1.amazonaws.com", "ws"),
            ("abc.execute-api.eu-west-1.amazonaws.com.evil.example", "ws"),
            (host, ""),
            (host, "../x"),
        ] {
            assert_eq!(endpoint(domain, stage), None, "{domain} {stage}");
        }
    }
}
