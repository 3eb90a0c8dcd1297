//! The command line: its output streams and its exit status.

use serde_json::{Value, json};

use super::binary;

/// The output of a finished command.
struct Done {
    status: i32,
    stdout: String,
    stderr: String,
}

async fn run(arguments: &[&str]) -> Done {
    run_with(&[], arguments).await
}

async fn run_with(settings: &[(&str, &str)], arguments: &[&str]) -> Done {
    let mut command = binary();
    command.envs(settings.iter().copied()).args(arguments);
    let output = command.output().await.unwrap();
    Done {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn list_shows_every_function_with_its_protocols_and_path() {
    let done = run(&["list"]).await;
    assert_eq!(done.status, 0, "{}", done.stderr);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(lines.len(), 43);
    let cells =
        |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let both = [
        "fetch_account_info",
        "mcp+rest",
        "GET",
        "/api/account_info/{wallet_address}",
    ];
    assert_eq!(cells(lines[0]), both);
    assert_eq!(cells(lines[20]), ["mcp_test_server", "mcp", "-"]);
    assert_eq!(
        cells(lines[42]),
        ["call_many", "mcp+rest", "POST", "/api/batch"]
    );
}

#[tokio::test]
async fn list_check_prints_what_clients_would_refuse_and_succeeds_with_warnings_alone() {
    let done = run(&["list", "--check"]).await;
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
    let app = crate::support::TestApp::start().await;
    let findings = app.app.lint();
    let lines: Vec<String> = findings.iter().map(|it| it.to_string()).collect();
    assert_eq!(done.stdout.lines().collect::<Vec<_>>(), lines);
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("warning: function `"))
    );
}

#[tokio::test]
async fn call_prints_the_result_as_json() {
    let counts = json!({
        "total_functions": 43, "mcp_enabled": 38, "rest_enabled": 41,
        "dual_protocol": 36, "mcp_only": 2, "rest_only": 5,
    });
    let done = run(&["call", "get_registry_summary"]).await;
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&done.stdout).unwrap(), counts);
    assert_eq!(done.stdout.matches('\n').count(), 1);
}

#[tokio::test]
async fn call_takes_its_arguments_as_pairs_or_as_one_object() {
    let name = "fetch_last_crypto_token_price";
    let pairs = [
        "call",
        name,
        "token_pair=HASH-USD",
        "last_number_of_trades=2",
        "--replay",
    ];
    let by_pairs = run(&pairs).await;
    assert_eq!(by_pairs.status, 0, "{}", by_pairs.stderr);
    let object = r#"{"token_pair":"HASH-USD","last_number_of_trades":2}"#;
    let by_object = run(&["call", name, "--replay", "--json", object]).await;
    assert_eq!(by_object.stdout, by_pairs.stdout);
    let result: Value = serde_json::from_str(&by_pairs.stdout).unwrap();
    assert_eq!(result["trades"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_failed_call_exits_with_1_and_leaves_standard_output_empty() {
    for (arguments, said) in [
        (
            vec![
                "call",
                "fetch_account_info",
                "wallet_address=pb1",
                "--replay",
            ],
            "wallet_address",
        ),
        (
            vec!["call", "fetch_account_info", "--replay"],
            "wallet_address",
        ),
        (
            vec!["call", "get_registry_summary", "verbose=true"],
            "verbose",
        ),
    ] {
        let done = run(&arguments).await;
        assert_eq!(done.status, 1, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{arguments:?}");
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
        assert_eq!(
            done.stderr.lines().count(),
            1,
            "{arguments:?}: {}",
            done.stderr
        );
    }
}

#[tokio::test]
async fn a_wrong_command_line_exits_with_2_and_leaves_standard_output_empty() {
    for arguments in [
        vec!["lst"],
        vec!["call"],
        vec!["call", "get_registry_summary", "verbose"],
        vec!["call", "get_registry_summary", "a=1", "--json", "{}"],
        vec!["serve", "--listen", "here"],
        vec!["--no-such-flag"],
        vec!["list", "more"],
    ] {
        let done = run(&arguments).await;
        assert_eq!(done.status, 2, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{arguments:?}");
        assert!(
            done.stderr.contains("error:"),
            "{arguments:?}: {}",
            done.stderr
        );
    }
}

#[tokio::test]
async fn openapi_prints_the_document() {
    let done = run(&["openapi"]).await;
    assert_eq!((done.status, done.stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let app = crate::support::TestApp::start().await;
    assert_eq!(printed, app.get("/openapi.json").await.json());
}

#[tokio::test]
async fn help_and_version_go_to_standard_output() {
    let help = run(&["--help"]).await;
    assert_eq!((help.status, help.stderr.as_str()), (0, ""));
    for word in [
        "serve",
        "list",
        "call",
        "openapi",
        "BIFOLD_LISTEN",
        "--replay",
    ] {
        assert!(help.stdout.contains(word), "`{word}`: {}", help.stdout);
    }
    let version = run(&["--version"]).await;
    let expected = format!("bifold {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.status, version.stdout), (0, expected));
}

#[tokio::test]
async fn an_invalid_setting_ends_the_start_and_is_named() {
    for (name, value, named) in [
        ("BIFOLD_LISTEN", "here", "`BIFOLD_LISTEN`"),
        ("BIFOLD_REPLAY", "yes", "`BIFOLD_REPLAY`"),
        ("BIFOLD_CALL_TIMEOUT_MS", "0", "`BIFOLD_CALL_TIMEOUT_MS`"),
        (
            "BIFOLD_EXPLORER_URL",
            "ftp://explorer.example",
            "`explorer`",
        ),
        ("BIFOLD_NOSUCH_URL", "https://nosuch.example", "`nosuch`"),
        ("BIFOLD_ADDRESS_PREFIX", "cosmos", "`BIFOLD_ADDRESS_PREFIX`"),
        ("BIFOLD_LOG", "bifold=loud", "`BIFOLD_LOG`"),
    ] {
        let done = run_with(&[(name, value)], &["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(done.status, 1, "{name}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{name}");
        assert!(done.stderr.contains(named), "{name}: {}", done.stderr);
    }
}

#[tokio::test]
async fn an_unknown_variable_is_a_warning_that_suggests_a_setting() {
    let call = ["call", "get_registry_summary"];
    for (name, nearest) in [
        ("BIFOLD_LISTENS", "did you mean `BIFOLD_LISTEN`"),
        ("BIFOLD_REPLAYS", "`BIFOLD_REPLAY`"),
        ("BIFOLD_SERVICE_HOST", "unknown setting"),
    ] {
        let done = run_with(&[(name, "10.0.0.1")], &call).await;
        assert_eq!(done.status, 0, "{name}: {}", done.stderr);
        let warned = done.stderr.contains("WARN") && done.stderr.contains(name);
        assert!(warned && done.stderr.contains(nearest), "{}", done.stderr);
        assert!(!done.stderr.contains("10.0.0.1"), "{}", done.stderr);
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let done = run(&["serve", "--replay", "--listen", &address]).await;
    assert_eq!(done.status, 1);
    assert!(done.stderr.contains(&address), "{}", done.stderr);
}

#[tokio::test]
async fn an_invalid_call_is_a_wrong_command_line() {
    for (arguments, said) in [
        (
            vec!["call", "get_registry_sumary"],
            "`get_registry_summary`",
        ),
        (
            vec!["call", "get_registry_summary", "--json", "[]"],
            "object",
        ),
        (
            vec!["call", "get_registry_summary", "--json", "{"],
            "object",
        ),
        (vec!["call", "get_registry_summary", "a=1", "a=2"], "`a`"),
    ] {
        let done = run(&arguments).await;
        assert_eq!(done.status, 2, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{arguments:?}");
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
    // Options of `serve` before another command would be lost there, so they are refused.
    let done = run(&["--replay", "call", "get_registry_summary"]).await;
    assert_eq!((done.status, done.stdout.as_str()), (2, ""));
}

#[tokio::test]
async fn a_text_argument_stays_text_even_if_it_looks_like_json() {
    let done = run(&[
        "call",
        "fetch_last_crypto_token_price",
        "token_pair=123",
        "--replay",
    ])
    .await;
    assert_eq!(done.status, 1);
    assert!(
        done.stderr.contains("expected the symbol"),
        "{}",
        done.stderr
    );
}
