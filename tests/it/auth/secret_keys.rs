//! API keys in a secret of AWS Secrets Manager: read when they are needed, once for all, and again so that they can be
//! revoked.

use std::time::Duration;

use bifold::testing::{Canned, CannedUpstream, Fault, upstream};
use bifold::{App, Secret};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::keys::{api_key, hash};
use super::{ask, closed, config, get};
use crate::support::{Log, pass};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf";

/// An answer of Secrets Manager with these lines.
fn secret(lines: &str) -> Canned {
    Canned::json(json!({"SecretString": lines}).to_string())
}

async fn secrets_manager(answer: Canned) -> CannedUpstream {
    let aws = upstream("secretsmanager").start().await.unwrap();
    aws.answer("/", answer);
    aws
}

fn app(aws: &CannedUpstream) -> App {
    let mut config = config(&[("BIFOLD_API_KEYS", ARN)]);
    config.aws.region = Some("eu-west-1".to_owned());
    config.aws.access_key_id = Some("id".to_owned());
    config.aws.secret_access_key = Some(Secret::new("secret"));
    config.aws.endpoint_url = Some(aws.url("secretsmanager"));
    App::new(config, closed().0).unwrap()
}

/// How often the secret was read; a connection that was idle is also looked at.
fn reads(aws: &CannedUpstream) -> usize {
    aws.count("POST", "/")
}

async fn status(app: &App, key: &str) -> StatusCode {
    ask(app, get("/api/any"), &api_key(key)).await.status
}

#[tokio::test]
async fn the_secret_is_read_with_the_first_key_and_once_for_all_callers() {
    let lines = format!("# keys\nci {} notes:read\ndev {}", hash("a"), hash("b"));
    let aws = secrets_manager(secret(&lines)).await;
    let app = app(&aws);
    for (path, expected) in [("/health", 200), ("/api/any", 401)] {
        let answer = ask(&app, get(path), &HeaderMap::new()).await;
        assert_eq!(answer.status.as_u16(), expected);
    }
    assert_eq!(reads(&aws), 0, "nothing is read without a key");
    let asking = (0..20).map(|number| status(&app, ["a", "b"][number % 2]));
    let answers = futures_util::future::join_all(asking).await;
    assert!(answers.iter().all(|it| *it == StatusCode::OK));
    assert_eq!(status(&app, "c").await, StatusCode::UNAUTHORIZED);
    let asked = aws.received();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body, json!({"SecretId": ARN}).to_string());
    let target = asked[0].header("x-amz-target");
    assert_eq!(target, Some("secretsmanager.GetSecretValue"));
    let answer = ask(&app, get("/api/whoami"), &api_key("a")).await;
    assert_eq!(super::text(&answer), "key:ci [notes:read]");
}

#[tokio::test]
async fn a_revoked_key_is_refused_after_a_minute_and_a_new_one_is_taken() {
    let aws = secrets_manager(secret(&format!("old {}", hash("old")))).await;
    let app = app(&aws);
    assert_eq!(status(&app, "old").await, StatusCode::OK);
    aws.answer("/", secret(&format!("new {}", hash("new"))));
    pass(Duration::from_secs(59)).await;
    assert_eq!(status(&app, "old").await, StatusCode::OK);
    assert_eq!(reads(&aws), 1);
    pass(Duration::from_secs(2)).await;
    assert_eq!(status(&app, "old").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&app, "new").await, StatusCode::OK);
    assert_eq!(reads(&aws), 2);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_opens_nothing() {
    let broken = format!("ci {}\n{} hidden-by-mistake", hash("a"), "bfk_secret");
    for (answer, what) in [
        (
            Canned::json(r#"{"__type": "AccessDeniedException"}"#).with_status(400),
            "refused",
        ),
        (Canned::json(r#"{"SecretBinary": "AAAA"}"#), "not a text"),
        (secret(&broken), "a line that cannot be used"),
    ] {
        let log = Log::default();
        let guard = log.keep();
        let aws = secrets_manager(answer).await;
        let app = app(&aws);
        for key in ["a", "bfk_secret", "x"] {
            let answer = ask(&app, get("/api/any"), &api_key(key)).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}");
            assert_eq!(answer.header("retry-after"), "5", "{what}");
            assert_eq!(
                answer.json()["retryable"],
                true,
                "{what}: {}",
                answer.text()
            );
            assert!(answer.text().contains("the API keys cannot be read now"));
        }
        assert_eq!(reads(&aws), 1, "{what}");
        let answer = ask(&app, get("/api/any"), &HeaderMap::new()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
        drop(guard);
        let warnings = log.lines("what callers are checked with cannot be read");
        assert_eq!(warnings.len(), 1, "{what}: {}", log.text());
        for hidden in ["bfk_secret", "hidden-by-mistake", &hash("a")] {
            assert!(!log.text().contains(hidden), "{what}");
        }
        // It is tried again soon, because there are no keys at all.
        aws.answer("/", secret(&format!("ci {}", hash("a"))));
        pass(Duration::from_secs(5)).await;
        assert_eq!(status(&app, "a").await, StatusCode::OK, "{what}");
    }
}

#[tokio::test]
async fn known_keys_work_for_an_hour_without_secrets_manager_and_no_longer() {
    let aws = secrets_manager(secret(&format!("ci {}", hash("a")))).await;
    let app = app(&aws);
    assert_eq!(status(&app, "a").await, StatusCode::OK);
    aws.answer("/", Canned::json("{}").with_status(400));
    for _ in 0..5 {
        pass(Duration::from_secs(600)).await;
        assert_eq!(status(&app, "a").await, StatusCode::OK);
        assert_eq!(status(&app, "x").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(reads(&aws), 6, "it is asked once a minute at most");
    pass(Duration::from_secs(601)).await;
    assert_eq!(status(&app, "a").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn nobody_waits_for_a_silent_secrets_manager_for_more_than_two_seconds() {
    let aws = secrets_manager(Canned::json("{}").fault(Fault::Hang)).await;
    let app = app(&aws);
    let since = Instant::now();
    assert_eq!(status(&app, "a").await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn the_variables_of_aws_are_checked_at_the_start() {
    let config = config(&[("BIFOLD_API_KEYS", ARN)]);
    let refused = App::new(config, closed().0).err().unwrap().to_string();
    assert!(
        refused.contains("`BIFOLD_API_KEYS`") && refused.contains("`AWS_REGION`"),
        "{refused}"
    );
}
