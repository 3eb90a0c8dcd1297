//! The settings of the environment: the values of each variable, and errors that name the variable.

use std::time::Duration;

use bifold::{Clock, Config, Transfer};

fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
    let vars = vars
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    Config::from_vars(vars, &[]).map_err(|error| error.to_string())
}

#[test]
fn every_variable_sets_its_setting() {
    let config = read(&[
        ("BIFOLD_LISTEN", "0.0.0.0:80"),
        ("BIFOLD_EXPLORER_URL", "https://explorer.example/"),
        ("BIFOLD_UPSTREAM_TIMEOUT_MS", "1"),
        ("BIFOLD_MAX_UPSTREAM_BYTES", "2"),
        ("BIFOLD_USER_AGENT", "it/1"),
        ("BIFOLD_CALL_TIMEOUT_MS", "86400000"),
        ("BIFOLD_DEADLINE_MARGIN_MS", "4"),
        ("BIFOLD_STREAM_MARGIN_MS", "0"),
        ("BIFOLD_INVOKE_MODE", "RESPONSE_STREAM"),
        ("BIFOLD_RESPONSE_TRANSFER_MODE", "stream"),
        ("BIFOLD_BASE_PATH", "/v1/tokens"),
        ("BIFOLD_MAX_REQUEST_BYTES", "5"),
        ("BIFOLD_MAX_RESPONSE_BYTES", "6"),
        ("BIFOLD_MAX_BUFFERED_BYTES", "6"),
        ("BIFOLD_MAX_CONNECTIONS", "7"),
        (
            "BIFOLD_ALLOWED_ORIGINS",
            " https://a.example, https://b.example ,,",
        ),
        (
            "BIFOLD_ALLOWED_HOSTS",
            " api.example.com, *.Example.org ,,localhost:8787,[::1]:80",
        ),
        ("BIFOLD_PUBLIC_URL", "https://api.example.com/v1/"),
        ("BIFOLD_TABLE", "bifold-records"),
        ("BIFOLD_WS_ENDPOINT", "https://ws.example.com/ws/"),
        ("BIFOLD_CLOCK", "2025-11-18T12:00:00Z"),
        ("BIFOLD_METRICS_NAMESPACE", "it/bifold"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("BIFOLD_LOG", "warn,bifold=debug"),
        ("PATH", "/bin"),
        ("bifold_listen", "x"),
    ])
    .unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:80");
    assert_eq!(
        config.upstream_urls["explorer"],
        "https://explorer.example/"
    );
    assert_eq!(config.upstream_timeout, Duration::from_millis(1));
    assert_eq!(config.max_upstream_bytes, 2);
    assert_eq!(config.user_agent, "it/1");
    assert_eq!(config.call_timeout, Duration::from_secs(86_400));
    assert_eq!(config.deadline_margin, Duration::from_millis(4));
    assert_eq!(config.stream_margin, Duration::ZERO);
    assert_eq!(config.invoke_mode, Transfer::Streamed);
    assert_eq!(config.response_transfer_mode, Transfer::Streamed);
    assert_eq!(config.base_path, "/v1/tokens");
    assert_eq!(config.max_request_bytes, 5);
    assert_eq!(config.max_response_bytes, 6);
    assert_eq!(config.max_buffered_bytes, 6);
    assert_eq!(config.max_connections, 7);
    assert_eq!(
        config.allowed_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(
        config.allowed_hosts,
        [
            "api.example.com",
            "*.Example.org",
            "localhost:8787",
            "[::1]:80"
        ]
    );
    assert_eq!(
        config.public_url.as_deref(),
        Some("https://api.example.com/v1")
    );
    assert_eq!(config.table.as_deref(), Some("bifold-records"));
    assert_eq!(
        config.ws_endpoint.as_deref(),
        Some("https://ws.example.com/ws")
    );
    assert!(matches!(config.clock, Clock::Fixed(_)));
    assert_eq!(config.metrics_namespace.as_deref(), Some("it/bifold"));
    assert_eq!(config.collector.as_deref(), Some("http://127.0.0.1:4318"));
    assert_eq!(config.log, "warn,bifold=debug");
}

#[test]
fn without_variables_the_defaults_hold() {
    let config = read(&[]).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    assert!(config.listen.ip().is_loopback());
}

#[test]
fn a_value_that_cannot_be_used_is_refused_with_the_name_of_its_variable() {
    for (name, values) in [
        (
            "BIFOLD_LISTEN",
            vec!["", "8787", "localhost:8787", "127.0.0.1"],
        ),
        (
            "BIFOLD_UPSTREAM_TIMEOUT_MS",
            vec!["", "0", "-1", "1.5", "10s", "86400001"],
        ),
        (
            "BIFOLD_CALL_TIMEOUT_MS",
            vec!["", "0", "99999999999999999999"],
        ),
        ("BIFOLD_DEADLINE_MARGIN_MS", vec!["", "-1", "x"]),
        ("BIFOLD_STREAM_MARGIN_MS", vec!["", "-1", "86400001"]),
        ("BIFOLD_INVOKE_MODE", vec!["", "stream", "streamed"]),
        ("BIFOLD_RESPONSE_TRANSFER_MODE", vec!["", "response_stream"]),
        ("BIFOLD_BASE_PATH", vec!["", "/", "v1", "/v1/"]),
        (
            "BIFOLD_ALLOWED_ORIGINS",
            vec![
                "foo",
                "*",
                "https://a.example/",
                "https://A.example",
                "https://a.example:443",
                "https://*.example.com",
                "https://a?x",
                "x y://z",
            ],
        ),
        (
            "BIFOLD_ALLOWED_HOSTS",
            vec![
                "*",
                "https://a.example",
                "a b",
                "a.example/b",
                "user@a.example",
                "a.example:x",
                "a.example:65536",
                "a.*.example",
                "[::1",
                "größe",
            ],
        ),
        (
            "BIFOLD_PUBLIC_URL",
            vec![
                "",
                "api.example.com",
                "ftp://api.example.com",
                "https://a/?b",
                "https://a/#b",
                "https://user@a",
                "/v1",
            ],
        ),
        ("BIFOLD_MAX_UPSTREAM_BYTES", vec!["", "0", "-1", "8MiB"]),
        ("BIFOLD_MAX_REQUEST_BYTES", vec!["", "0", "1e6"]),
        ("BIFOLD_MAX_RESPONSE_BYTES", vec!["", "0", "-1", "5MiB"]),
        ("BIFOLD_MAX_BUFFERED_BYTES", vec!["", "0", "64MiB"]),
        ("BIFOLD_MAX_CONNECTIONS", vec!["", "0", "-1"]),
        ("BIFOLD_TABLE", vec!["", "ab", "a table", "arn:aws:x"]),
        (
            "BIFOLD_WS_ENDPOINT",
            vec!["", "ws.example.com", "wss://ws.example.com", "https://a/?b"],
        ),
        (
            "BIFOLD_CLOCK",
            vec!["", "now", "2025-11-18", "2025-13-01T00:00:00Z"],
        ),
    ] {
        for value in values {
            let said = read(&[(name, value)]).err().unwrap_or_default();
            assert!(
                said.contains(&format!("`{name}`")),
                "{name}={value}: {said:?}"
            );
        }
    }
}

#[test]
fn the_variables_of_aws_are_read_by_their_own_names_and_the_secrets_are_never_shown() {
    let both = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "us-x")];
    for order in [both, [both[1], both[0]]] {
        assert_eq!(
            read(&order).unwrap().aws.region.as_deref(),
            Some("eu-west-1")
        );
    }
    let config = read(&[
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_REGION", ""),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hidden-key"),
        ("AWS_SESSION_TOKEN", "hidden-token"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:3"),
    ])
    .unwrap();
    let shown = format!("{config:?}");
    assert!(
        shown.contains("AKIDEXAMPLE") && !shown.contains("hidden"),
        "{shown}"
    );
    let aws = config.aws;
    assert_eq!(aws.region.as_deref(), Some("eu-central-1"));
    assert_eq!(aws.access_key_id.as_deref(), Some("AKIDEXAMPLE"));
    assert_eq!(aws.secret_access_key.unwrap().reveal(), "hidden-key");
    assert_eq!(aws.session_token.unwrap().reveal(), "hidden-token");
    assert_eq!(aws.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(aws.endpoint_urls["dynamodb"], "http://127.0.0.1:2");
}
