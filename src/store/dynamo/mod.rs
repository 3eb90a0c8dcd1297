//! Records in a DynamoDB table, which the processes of all Lambda environments share.
//!
//! An item has `pk` (S, the key of the table), `value` (S), `version` (N), `expires` (N, milliseconds since 1970, which
//! decides), `ttl` (N, seconds, after which DynamoDB deletes the item at some time) and `writer` (S, see `Dynamo::put`).

mod response;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Found, Record};
use crate::aws::{self, Aws};
use crate::clock::{Backoff, Deadline};
use crate::config::Config;
use crate::error::{Error, Kind, Result};

use response::{Answer, Refusal};

const SERVICE: &str = "dynamodb";
/// A request takes milliseconds; after this time it is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// All tries of one request together.
const LIMIT: Duration = Duration::from_secs(5);
const TRIES: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), LIMIT);

/// There is no record, or it has expired. These names are not among DynamoDB's reserved words.
const ABSENT: &str = "attribute_not_exists(pk) OR expires <= :now";
/// The record has the version that was read, and has not expired.
const SEEN: &str = "version = :seen AND expires > :now";

pub(super) struct Dynamo {
    aws: Aws,
    url: String,
    table: String,
}

impl Dynamo {
    pub(super) fn new(config: &Config, table: &str) -> Result<Dynamo, String> {
        let told = |problem| format!("the table of `BIFOLD_TABLE` cannot be used: {problem}");
        let aws = Aws::new(Arc::new(config.clone())).map_err(told)?;
        let url = format!("{}/", aws.endpoint(SERVICE).map_err(told)?);
        let table = table.to_owned();
        Ok(Dynamo { aws, url, table })
    }

    pub(super) async fn create(&self, key: &str, value: String, ttl: Duration) -> Result<bool> {
        let record = Record { value, version: 1 };
        self.put(key, record, ttl, ABSENT, json!({})).await
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        seen: u64,
        value: String,
        ttl: Duration,
    ) -> Result<bool> {
        let version = seen.saturating_add(1);
        let record = Record { value, version };
        let values = json!({":seen": number(seen)});
        self.put(key, record, ttl, SEEN, values).await
    }

    pub(super) async fn find(&self, key: &str) -> Result<Option<Found>> {
        let request = json!({"Key": {"pk": {"S": key}}, "ConsistentRead": true});
        let answer = self.ask("GetItem", request).await?;
        let Some(item) = answer.and_then(|answer| answer.item) else {
            return Ok(None);
        };
        let left = item.expires.saturating_sub(now());
        let record = Record {
            value: item.value,
            version: item.version,
        };
        let left = Duration::from_millis(left);
        Ok((!left.is_zero()).then_some(Found { record, left }))
    }

    pub(super) async fn remove(&self, key: &str) -> Result<()> {
        let request = json!({"Key": {"pk": {"S": key}}});
        self.ask("DeleteItem", request).await.map(drop)
    }

    /// Writes the record if the condition holds. An item with the writer of this call counts as written too: then the
    /// response to an earlier attempt was lost.
    async fn put(
        &self,
        key: &str,
        record: Record,
        ttl: Duration,
        condition: &str,
        mut values: Value,
    ) -> Result<bool> {
        let now = now();
        let expires = now + ttl.as_millis() as u64;
        let writer = json!({"S": format!("{:032x}", fastrand::u128(..))});
        values[":now"] = number(now);
        values[":writer"] = writer.clone();
        let request = json!({
            "Item": {
                "pk": {"S": key},
                "value": {"S": record.value},
                "version": number(record.version),
                "expires": number(expires),
                "ttl": number(expires.div_ceil(1000)),
                "writer": writer,
            },
            "ConditionExpression": format!("({condition}) OR writer = :writer"),
            "ExpressionAttributeValues": values,
        });
        Ok(self.ask("PutItem", request).await?.is_some())
    }

    /// Sends a request, and repeats it a few times while that may help. Returns `None` if its condition does not hold. The
    /// final failure is logged.
    async fn ask(&self, operation: &str, mut request: Value) -> Result<Option<Answer>> {
        request["TableName"] = json!(self.table);
        let body = Bytes::from(request.to_string());
        let deadline = Deadline::after(LIMIT);
        let mut tries = 0;
        loop {
            tries += 1;
            let patience = Deadline::after(PATIENCE).min(deadline);
            let (error, refusal) = match self.try_once(operation, body.clone(), patience).await {
                Ok(Ok(answer)) => return Ok(Some(answer)),
                Ok(Err(refusal)) if refusal.is_condition() => return Ok(None),
                Ok(Err(refusal)) => (self.refused(&refusal), Some(refusal)),
                Err(error) => (error, None),
            };
            let wait = BACKOFF.wait(tries);
            if !error.retryable() || tries == TRIES || wait >= deadline.remaining() {
                aws::warn(SERVICE, refusal.as_ref().map(Refusal::reason), &error);
                return Err(error.tries(tries));
            }
            tracing::debug!(operation, tries, inside = ?error, "a request to the table failed");
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_once(
        &self,
        operation: &str,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<Result<Answer, Refusal>> {
        let request = Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .body(body)
            .map_err(|error| Error::internal("the table cannot be asked").with_source(error))?;
        let sent = self.aws.send(SERVICE, request, deadline).await;
        let reply = sent.map_err(|error| match error.kind() {
            Kind::Internal => error,
            _ => unavailable("could not be reached").with_source(error),
        })?;
        if reply.status() == StatusCode::OK {
            let answer = response::read(reply.body());
            return answer.map(Ok).map_err(|error| {
                unavailable("answered with something that is not a record").with_source(error)
            });
        }
        Ok(Err(Refusal::read(reply.status(), reply.body())))
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        if refusal.is_passing() {
            return unavailable("could not take the request").with_source(refusal.to_string());
        }
        let (table, region) = (&self.table, self.aws.region());
        let place = format!("table `{table}` in region `{region}`: {refusal}");
        let advice = refusal.advice();
        Error::internal("the store of short-lived records is not set up as it should be")
            .with_source(format!("{place}; {advice}"))
    }
}

fn unavailable(problem: &str) -> Error {
    Error::store_unavailable(format!(
        "the store of short-lived records {problem}; try again"
    ))
}

fn number(number: u64) -> Value {
    json!({"N": number.to_string()})
}

/// Milliseconds since 1970, by the system's clock: processes must agree on it.
fn now() -> u64 {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    now.try_into().unwrap_or_default()
}
