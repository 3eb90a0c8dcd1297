//! Metrics in CloudWatch's embedded metric format, in the log of a Lambda function.

use serde_json::{Value, json};

use crate::lambda::{changed, event};
#[cfg(all(unix, feature = "mounts"))]
use crate::mounts::liar::{Era, Liar, Style};
#[cfg(all(unix, feature = "mounts"))]
use crate::mounts::stdio::{Folder, says};
use crate::process::platform::{Platform, TRACE};

const ON: (&str, &str) = ("BIFOLD_METRICS_NAMESPACE", "it/bifold");

/// The metrics of the line: the dimensions of each one, its name, its unit and its value. Checks the rules of the
/// specification: every name is a member, a dimension is a string, and a metric is a number.
#[track_caller]
fn measured(line: &Value) -> Vec<(String, String, String, f64)> {
    let aws = &line["_aws"];
    assert!(aws["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    let mut found = Vec::new();
    for directive in aws["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], "it/bifold");
        let [dimensions] = &directive["Dimensions"].as_array().unwrap()[..] else {
            panic!("{line}");
        };
        let values = dimensions.as_array().unwrap().iter();
        let values: Vec<&str> = values
            .map(|it| line[it.as_str().unwrap()].as_str().unwrap())
            .collect();
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let unit = metric["Unit"].as_str().unwrap().to_owned();
            let value = line[name].as_f64().unwrap();
            found.push((values.join("/"), name.to_owned(), unit, value));
        }
    }
    found
}

/// The names of the metrics with these dimensions.
fn names(measured: &[(String, String, String, f64)], place: &str) -> Vec<String> {
    let here = measured.iter().filter(|it| it.0 == place);
    here.map(|it| it.1.clone()).collect()
}

async fn line(platform: &mut Platform) -> Value {
    loop {
        let line = platform.line().await;
        if line["message"] == "request" {
            return line;
        }
    }
}

#[tokio::test]
async fn each_access_line_contains_the_metrics_of_its_request() {
    let mut platform = Platform::start(&[ON]).await;
    platform.invoke(&event("http_api_v2")).await;
    let first = line(&mut platform).await;
    let metrics = measured(&first);
    let place = "rest/fetch_account_info";
    let always = ["calls", "duration_ms"];
    let asked = ["upstream_calls", "upstream_ms", "cache_hits"];
    assert_eq!(
        names(&metrics, place),
        [&always[..], &asked, &["cold_starts"]].concat()
    );
    assert_eq!(metrics.len(), 6);
    for (_, name, unit, value) in &metrics {
        let is_time = name.ends_with("_ms");
        assert_eq!(unit, if is_time { "Milliseconds" } else { "Count" });
        let expected = f64::from(name != "cache_hits");
        assert!(
            if is_time {
                *value > 0.0
            } else {
                *value == expected
            },
            "{name}: {value}"
        );
    }
    platform.invoke(&event("http_api_v2")).await;
    let second = line(&mut platform).await;
    assert_eq!(
        names(&measured(&second), place),
        [&always[..], &asked].concat()
    );
    assert_eq!([&second["cache_hits"], &second["upstream_calls"]], [1, 0]);
    platform.invoke(&event("function_url_mcp")).await;
    let local = line(&mut platform).await;
    assert_eq!(names(&measured(&local), "mcp/get_registry_summary"), always);
    assert_eq!(measured(&local).len(), 2);
}

#[tokio::test]
async fn metrics_do_not_change_the_access_line() {
    let (mut plain, mut measured) = (Platform::start(&[]).await, Platform::start(&[ON]).await);
    let unknown = changed("http_api_v2", &[("/rawPath", json!("/api/nothing"))]);
    for event in [event("http_api_v2"), event("function_url_mcp"), unknown] {
        let mut keys = Vec::new();
        for platform in [&mut plain, &mut measured] {
            platform.invoke(&event).await;
            let line = line(platform).await;
            assert_eq!(line["trace_id"], TRACE, "{line}");
            assert_eq!(line["invocation_id"], line["request_id"], "{line}");
            let added = ["_aws", "calls", "errors", "cold_starts", "target"];
            let fields = line.as_object().unwrap().iter();
            let fields = fields.filter(|it| !added.contains(&it.0.as_str()));
            let kinds = fields.map(|(key, value)| match value {
                Value::Number(_) => (key.clone(), "a number".to_owned()),
                Value::String(_) if key == "timestamp" => (key.clone(), "a time".to_owned()),
                other => (key.clone(), other.to_string()),
            });
            keys.push(kinds.collect::<Vec<_>>());
        }
        assert_eq!(keys[0], keys[1]);
    }
}

#[tokio::test]
async fn errors_have_metrics_by_kind_and_invented_names_have_none() {
    // The log levels do not affect metrics.
    let mut platform = Platform::start(&[ON, ("BIFOLD_LOG", "error")]).await;
    let broken = changed("http_api_v2", &[("/rawQueryString", json!("x=1"))]);
    platform.invoke(&broken).await;
    let metrics = measured(&line(&mut platform).await);
    let place = "rest/fetch_account_info";
    assert_eq!(
        names(&metrics, place),
        ["calls", "duration_ms", "cold_starts"]
    );
    assert_eq!(
        names(&metrics, "rest/fetch_account_info/invalid_argument"),
        ["errors"]
    );
    let unknown = changed("http_api_v2", &[("/rawPath", json!("/api/made_up"))]);
    platform.invoke(&unknown).await;
    let unknown = line(&mut platform).await;
    let metrics = measured(&unknown);
    assert_eq!(names(&metrics, "rest"), ["calls", "duration_ms"]);
    assert_eq!(names(&metrics, "rest/unknown_function"), ["errors"]);
    assert_eq!(metrics.len(), 3);
    assert!(!unknown.to_string().contains("made_up"), "{unknown}");
}

#[cfg(all(unix, feature = "mounts"))]
#[tokio::test]
async fn calls_of_a_mounted_server_have_its_name_as_a_dimension_and_invented_tools_of_it_have_none()
{
    let liar = Liar {
        era: Era::Modern,
        style: Style::Json,
        answers: vec![("fine", says("fine")), ("garbage", b"what?".to_vec())],
    };
    let url = format!("http://{}/mcp", liar.on_socket().await);
    let folder = Folder::new("metrics");
    let file = folder.path("mcp.json");
    let servers = json!({ "mcpServers": { "liar": { "url": url } } });
    std::fs::write(&file, servers.to_string()).unwrap();
    let mut platform = Platform::start(&[ON, ("BIFOLD_MCP_SERVERS", &file)]).await;
    let mut call = async |tool: &str| {
        let fields = [
            ("/requestContext/http/method", json!("POST")),
            ("/rawPath", json!(format!("/api/liar/{tool}"))),
            ("/rawQueryString", json!("")),
            ("/queryStringParameters", json!(null)),
        ];
        platform.invoke(&changed("http_api_v2", &fields)).await;
        line(&mut platform).await
    };
    let fine = call("fine").await;
    assert_eq!(fine["mount"], "liar", "{fine}");
    let metrics = measured(&fine);
    let place = "rest/liar_fine/liar";
    assert_eq!(names(&metrics, place)[..2], ["calls", "duration_ms"]);
    assert!(metrics.iter().all(|it| it.0 == place), "{metrics:?}");
    let metrics = measured(&call("garbage").await);
    let place = "rest/liar_garbage/liar/upstream_invalid_response";
    assert_eq!(names(&metrics, place), ["errors"], "{metrics:?}");
    // Neither what a client invents nor what a server does can make a metric.
    for invented in ["made_up", "fine/x"] {
        let unknown = call(invented).await;
        assert_eq!(unknown.get("mount"), None, "{unknown}");
        assert_eq!(names(&measured(&unknown), "rest"), ["calls", "duration_ms"]);
    }
}
