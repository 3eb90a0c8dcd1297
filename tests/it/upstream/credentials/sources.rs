//! Credentials in files and in AWS Secrets Manager.

use std::time::Duration;

use bifold::testing::{CannedUpstream, upstream};
use bifold::upstream::{Credentials, SecretRef};
use bifold::{Config, Kind, Secret};
use serde_json::json;

use crate::support::pass;
use crate::upstream::{API, app_of};

#[tokio::test]
async fn a_file_is_read_again_after_it_has_changed() {
    let path = std::env::temp_dir().join(format!("bifold-key-{}", std::process::id()));
    let write = |text: &str, seconds: u64| {
        std::fs::write(&path, text).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    write("first\n", 1);
    let api = upstream("api").on_get("/x").json(1).start().await.unwrap();
    let file = SecretRef::File(path.to_str().unwrap().to_owned().into());
    let app = app_of(&api, API.credentials(Credentials::bearer(file)), |_| {});
    let client = app.context().upstream(&API);
    let ask = async || {
        client.get("/x").json::<u8>().await.unwrap();
        api.received()
            .pop()
            .unwrap()
            .header("authorization")
            .unwrap()
            .to_owned()
    };
    assert_eq!(ask().await, "Bearer first");
    write("second", 2);
    pass(Duration::from_secs(2)).await;
    assert_eq!(ask().await, "Bearer second");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_secret_of_aws_is_read_once_and_again_after_it_was_refused() {
    let secret = |text: &str| json!({"SecretString": json!({"api_key": text}).to_string()});
    let aws = upstream("secretsmanager")
        .on_post("/")
        .times(1)
        .json(secret("old"))
        .on_post("/")
        .json(secret("new"))
        .start()
        .await
        .unwrap();
    let api = upstream("api")
        .on_get("/x")
        .json(1)
        .on_get("/refused")
        .times(1)
        .status(401)
        .on_get("/refused")
        .json(1)
        .start()
        .await
        .unwrap();
    let key = SecretRef::aws_field("prod/api", "api_key");
    let app = app_of(
        &api,
        API.credentials(Credentials::header("x-api-key", key)),
        |config| aws_config(config, &aws),
    );
    // Nothing is read before it is needed.
    assert_eq!(aws.received().len(), 0);
    let client = app.context().upstream(&API);
    let (first, second) = tokio::join!(
        client.get("/x").json::<u8>(),
        client.get("/x?2").json::<u8>()
    );
    assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
    let asked = aws.received();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].header("x-amz-target"),
        Some("secretsmanager.GetSecretValue")
    );
    assert_eq!(asked[0].body, r#"{"SecretId":"prod/api"}"#);
    assert!(
        asked[0]
            .header("authorization")
            .unwrap()
            .contains("/eu-west-1/secretsmanager/")
    );
    client.get("/refused").json::<u8>().await.unwrap();
    let keys: Vec<String> = api
        .received()
        .iter()
        .map(|it| it.header("x-api-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["old", "old", "old", "new"]);
    assert_eq!(aws.received().len(), 2);
}

#[tokio::test]
async fn a_secret_of_aws_that_cannot_be_read_fails_only_the_requests_that_need_it() {
    let aws = upstream("secretsmanager")
        .on_post("/")
        .status(400)
        .json(json!({"__type": "X"}))
        .start()
        .await
        .unwrap();
    let api = upstream("api").on_get("/x").json(1).start().await.unwrap();
    let key = SecretRef::aws("prod/api");
    let app = app_of(&api, API.credentials(Credentials::bearer(key)), |config| {
        aws_config(config, &aws)
    });
    let error = app
        .context()
        .upstream(&API)
        .get("/x")
        .text()
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.message().contains("`api`"), "{error}");
    assert_eq!(api.received().len(), 0);
}

fn aws_config(config: &mut Config, aws: &CannedUpstream) {
    config.aws.region = Some("eu-west-1".to_owned());
    config.aws.access_key_id = Some("id".to_owned());
    config.aws.secret_access_key = Some(Secret::new("secret"));
    config.aws.endpoint_url = Some(aws.url("secretsmanager"));
}
