//! Responses of DynamoDB: an item, nothing, or an error.

use std::fmt;

use http::StatusCode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The body of a successful response.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(rename = "Item")]
    pub(super) item: Option<Item>,
}

/// The attributes of an item that are read.
#[derive(Deserialize)]
pub(super) struct Item {
    #[serde(deserialize_with = "text")]
    pub(super) value: String,
    #[serde(deserialize_with = "number")]
    pub(super) version: u64,
    #[serde(deserialize_with = "number")]
    pub(super) expires: u64,
}

/// An error response: its status, its class and its message.
pub(super) struct Refusal {
    status: StatusCode,
    class: String,
    message: String,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

#[derive(Deserialize)]
struct Number {
    #[serde(rename = "N")]
    number: String,
}

#[derive(Deserialize, Default)]
struct AwsError {
    #[serde(rename = "__type", default)]
    class: String,
    #[serde(alias = "Message", default)]
    message: String,
}

/// Reads the body of a successful response.
pub(super) fn read(body: &[u8]) -> serde_json::Result<Answer> {
    serde_json::from_slice(body)
}

impl Refusal {
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Refusal {
        // A body in another format comes from an intermediary, so only its status counts.
        let fault: AwsError = serde_json::from_slice(body).unwrap_or_default();
        let class = fault.class.rsplit('#').next().unwrap_or_default();
        Refusal {
            status,
            class: class.to_owned(),
            message: fault.message,
        }
    }

    /// Whether the request was valid, and its condition did not hold.
    pub(super) fn is_condition(&self) -> bool {
        self.class == "ConditionalCheckFailedException"
    }

    /// The part of the error that may be logged at any level.
    pub(super) fn reason(&self) -> (StatusCode, &str) {
        (self.status, &self.class)
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        let is_busy = matches!(
            self.class.as_str(),
            "ThrottlingException"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
        );
        is_busy || self.status.is_server_error()
    }

    /// What the operator of this server should do.
    pub(super) fn advice(&self) -> &'static str {
        match self.class.as_str() {
            "ResourceNotFoundException" => {
                "create it with the partition key `pk` of type S, or set `BIFOLD_TABLE` and `AWS_REGION` to where it is"
            }
            "AccessDeniedException" => {
                "allow this process `dynamodb:GetItem`, `dynamodb:PutItem` and `dynamodb:DeleteItem` on it"
            }
            "ExpiredTokenException"
            | "InvalidSignatureException"
            | "IncompleteSignatureException"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException" => {
                "give this process valid credentials in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, and a clock that is right"
            }
            _ => "its partition key must be `pk` of type S, and it must have no other",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal {
            status,
            class,
            message,
        } = self;
        write!(f, "HTTP {} `{class}` {message}", status.as_u16())
    }
}

fn text<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    Ok(Text::deserialize(json)?.text)
}

fn number<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    let number = Number::deserialize(json)?.number;
    number
        .parse()
        .map_err(|_| D::Error::custom("a number that is not whole"))
}
