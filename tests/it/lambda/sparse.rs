//! Events that omit fields, or write them as only emulators and people do: each field is used, and no argument is
//! dropped silently.

use serde_json::{Value, json};

use super::{answer, changed, event};
use crate::rest::echoing;
use crate::support::{MODERN, TestApp};

/// A recorded event without those fields.
fn without(name: &str, fields: &[&str]) -> Value {
    let mut event = event(name);
    for pointer in fields {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = event.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(key);
    }
    event
}

#[tokio::test]
async fn every_optional_field_may_be_missing_or_null() {
    let app = TestApp::start().await;
    for (name, needed) in [
        ("function_url_rest", ["/rawPath", "/rawQueryString"]),
        ("http_api_v2", ["/rawPath", "/rawQueryString"]),
        ("http_api_v1", ["/path", "/httpMethod"]),
        ("rest_api_rest", ["/path", "/httpMethod"]),
        ("load_balancer", ["/path", "/queryStringParameters"]),
    ] {
        let expected = answer(&app, &event(name)).await;
        assert_eq!(expected.status(), 200, "{name}: {}", expected.0);
        let mut places: Vec<String> = Vec::new();
        for (key, value) in event(name).as_object().unwrap() {
            places.push(format!("/{key}"));
            let inner = value.as_object().filter(|_| key == "requestContext");
            let inner = inner.into_iter().flat_map(|it| it.keys());
            places.extend(inner.map(|it| format!("/requestContext/{it}")));
        }
        for place in places.iter().filter(|it| !needed.contains(&it.as_str())) {
            // These say which integration it is, and what its path begins with.
            if [
                "/requestContext/http",
                "/requestContext/elb",
                "/requestContext/stage",
            ]
            .contains(&place.as_str())
                || (place == "/requestContext"
                    && name != "rest_api_rest"
                    && name != "function_url_rest")
            {
                continue;
            }
            for event in [
                without(name, &[place]),
                changed(name, &[(place, Value::Null)]),
            ] {
                let reply = answer(&app, &event).await;
                let status = reply.status();
                assert_eq!(status, 200, "{name} without {place}: {}", reply.0);
                assert_eq!(reply.text(), expected.text(), "{name} without {place}");
            }
        }
    }
}

/// The arguments that each event gives to a function that returns its arguments.
#[tokio::test]
async fn arguments_are_read_from_every_field_that_has_them() {
    let app = echoing().await;
    let second = |rest: Value| {
        let mut event = json!({"version": "2.0", "requestContext": {"http": {"method": "GET"}}});
        merge(&mut event, rest);
        event
    };
    let first = |rest: Value| {
        let mut event = json!({"httpMethod": "GET", "path": "/api/say"});
        merge(&mut event, rest);
        event
    };
    for (event, expected) in [
        // Payload 2.0.
        (
            second(json!({"rawPath": "/api/say", "queryStringParameters": {"text": "a b&c"}})),
            json!({"text": "a b&c"}),
        ),
        (
            second(
                json!({"rawPath": "/api/say", "rawQueryString": null, "queryStringParameters": {"text": "a"}}),
            ),
            json!({"text": "a"}),
        ),
        (
            second(
                json!({"rawPath": "/api/say", "rawQueryString": "", "queryStringParameters": {"text": "x", "whole": 5, "flag": true}}),
            ),
            json!({"text": "x", "whole": 5, "flag": true}),
        ),
        (
            second(
                json!({"rawPath": "/api/say", "rawQueryString": "text=r%20w", "queryStringParameters": {"text": "r w"}}),
            ),
            json!({"text": "r w"}),
        ),
        (
            second(
                json!({"rawPath": "/api/say", "multiValueQueryStringParameters": {"text": ["a"]}}),
            ),
            json!({"text": "a"}),
        ),
        (second(json!({"path": "/api/say/p"})), json!({"text": "p"})),
        (
            json!({"requestContext": {"http": {"method": "GET", "path": "/api/say/h"}}}),
            json!({"text": "h"}),
        ),
        (
            json!({"rawPath": "/api/say/no-context"}),
            json!({"text": "no-context"}),
        ),
        (
            json!({"rawPath": "/api/say/null-context", "requestContext": null}),
            json!({"text": "null-context"}),
        ),
        (
            json!({"version": "2.0", "path": "/api/say/v"}),
            json!({"text": "v"}),
        ),
        (
            second(
                json!({"rawPath": "/api/say/i", "isBase64Encoded": null, "body": null, "headers": null}),
            ),
            json!({"text": "i"}),
        ),
        // Payload 1.0.
        (
            first(json!({"queryStringParameters": {"text": "a/b"}})),
            json!({"text": "a/b"}),
        ),
        (
            first(
                json!({"queryStringParameters": {"text": "a", "whole": 5}, "multiValueQueryStringParameters": null}),
            ),
            json!({"text": "a", "whole": 5}),
        ),
        (
            first(
                json!({"queryStringParameters": {"text": "a"}, "multiValueQueryStringParameters": {}}),
            ),
            json!({"text": "a"}),
        ),
        (
            first(
                json!({"queryStringParameters": {"text": "a", "whole": "5"}, "multiValueQueryStringParameters": {"whole": ["5"], "text": null}}),
            ),
            json!({"text": "a", "whole": 5}),
        ),
        (
            first(
                json!({"queryStringParameters": {"text": "last"}, "multiValueQueryStringParameters": {"text": ["all"]}}),
            ),
            json!({"text": "all"}),
        ),
        (
            first(json!({"queryStringParameters": {"text": ["list"]}})),
            json!({"text": "list"}),
        ),
        (
            first(json!({"rawQueryString": "text=raw"})),
            json!({"text": "raw"}),
        ),
        (
            first(json!({"path": null, "rawPath": "/api/say/raw"})),
            json!({"text": "raw"}),
        ),
        (
            first(
                json!({"path": null, "requestContext": {"path": "/prod/api/say/whole", "stage": "prod"}}),
            ),
            json!({"text": "whole"}),
        ),
        (
            json!({"path": "/api/say/m", "requestContext": {"httpMethod": "GET", "elb": null}}),
            json!({"text": "m"}),
        ),
        (json!({"path": "/api/say/only"}), json!({"text": "only"})),
        // A load balancer.
        (
            first(
                json!({"requestContext": {"elb": {}}, "queryStringParameters": {"text": "a%20b"}, "headers": null}),
            ),
            json!({"text": "a b"}),
        ),
    ] {
        let reply = answer(&app, &event).await;
        assert_eq!(reply.status(), 200, "{event}: {}", reply.0);
        assert_eq!(reply.json(), expected, "{event}");
    }
}

fn merge(event: &mut Value, rest: Value) {
    let Value::Object(rest) = rest else { return };
    event.as_object_mut().unwrap().extend(rest);
}

#[tokio::test]
async fn two_values_of_an_argument_are_reported_from_any_field() {
    let app = echoing().await;
    let event = json!({"httpMethod": "GET", "path": "/api/say", "queryStringParameters": {"text": "b"},
        "multiValueQueryStringParameters": {"text": ["a", "b"]}});
    assert_eq!(answer(&app, &event).await.status(), 400);
}

#[tokio::test]
async fn headers_are_read_in_any_case_from_any_field_and_bodies_in_any_form() {
    let app = TestApp::start().await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let (text, base64) = (
        json!(ping.to_string()),
        "eyJqc29ucnBjIjoiMi4wIiwiaWQiOjEsIm1ldGhvZCI6InBpbmcifQ==",
    );
    let kind = json!({"CONTENT-TYPE": "application/json", "Accept": null, "X-Number": 5});
    let lists = json!({"Content-Type": ["application/json"], "accept": []});
    for (headers, lists) in [
        (&kind, &Value::Null),
        (&Value::Null, &lists),
        (&lists, &Value::Null),
        (&kind, &json!({})),
        (&kind, &json!({"content-type": null})),
        (&Value::Null, &Value::Null),
    ] {
        for (body, is_base64) in [
            (&text, Value::Null),
            (&text, json!(false)),
            (&text, json!("false")),
            (&json!(base64), json!(true)),
            (&json!(base64), json!("true")),
            (&ping, Value::Null),
        ] {
            for line in [
                json!({"rawPath": "/mcp", "requestContext": {"http": {"method": "POST"}}}),
                json!({"path": "/mcp", "httpMethod": "POST"}),
                json!({"path": "/mcp"}),
            ] {
                let mut event = line;
                merge(
                    &mut event,
                    json!({"headers": headers, "multiValueHeaders": lists, "body": body, "isBase64Encoded": is_base64}),
                );
                let reply = answer(&app, &event).await;
                assert_eq!(reply.status(), 200, "{event}: {}", reply.0);
                assert_eq!(reply.json()["result"], json!({}), "{event}");
            }
        }
    }
    let wrong = json!({"path": "/mcp", "httpMethod": "POST", "body": "{}", "multiValueHeaders": {"Content-Type": ["text/plain"]},
        "headers": {"Accept": "*/*"}});
    assert_eq!(answer(&app, &wrong).await.status(), 415, "{MODERN}");
}

#[tokio::test]
async fn cookies_may_be_a_list_or_one_text() {
    let app = TestApp::start().await;
    for cookies in [
        json!(null),
        json!([]),
        json!(["a=1", "b=2"]),
        json!("a=1; b=2"),
    ] {
        let event = changed("function_url_rest", &[("/cookies", cookies.clone())]);
        assert_eq!(answer(&app, &event).await.status(), 200, "{cookies}");
    }
}

#[tokio::test]
async fn more_headers_than_a_request_can_have_are_a_bad_request() {
    let app = TestApp::start().await;
    let many: Vec<(String, Value)> = (0..40_000)
        .map(|it| (format!("x-{it}"), json!("1")))
        .collect();
    let names = Value::Object(many.into_iter().collect());
    let values = json!({"x-note": vec!["1"; 40_000]});
    for name in [
        "function_url_rest",
        "http_api_v2",
        "http_api_v1",
        "rest_api_rest",
        "load_balancer",
        "load_balancer_lists",
    ] {
        for field in ["headers", "multiValueHeaders"] {
            for headers in [&names, &values] {
                let mut event = event(name);
                event["headers"] = Value::Null;
                event["multiValueHeaders"] = Value::Null;
                event[field] = headers.clone();
                let reply = answer(&app, &event).await;
                assert_eq!(reply.status(), 400, "{name} {field}");
                let detail = reply.json()["detail"].to_string();
                assert!(detail.contains("headers"), "{}", reply.0);
            }
        }
        let parameters: Vec<(String, Value)> = (0..40_000)
            .map(|it| (format!("x-{it}"), json!("1")))
            .collect();
        let mut event = event(name);
        event["rawQueryString"] = Value::Null;
        event["multiValueQueryStringParameters"] = Value::Null;
        event["queryStringParameters"] = Value::Object(parameters.into_iter().collect());
        assert_eq!(
            answer(&app, &event).await.status(),
            400,
            "{name}: parameters"
        );
    }
    let cookies = changed(
        "function_url_rest",
        &[("/cookies", json!(vec!["a=1"; 40_000]))],
    );
    assert_eq!(answer(&app, &cookies).await.status(), 200);
    let connect = changed("websocket_connect", &[("/headers", names)]);
    assert_eq!(answer(&app, &connect).await.status(), 403);
}
