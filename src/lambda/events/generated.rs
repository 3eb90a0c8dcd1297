//! Events as the platform writes them, made up for the comparison with `lambda_http`.

#![cfg(test)]

use fastrand::Rng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// An event as one of the six integrations writes it.
pub(crate) fn generated(rng: &mut Rng, integration: u32) -> Value {
    let method = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    let method = method[rng.usize(..method.len())];
    let path = path_of(rng);
    let query: Vec<(String, String)> = (0..rng.usize(..4))
        .map(|_| (word(rng), value(rng)))
        .collect();
    let mut headers: Vec<(String, String)> = (0..rng.usize(..6))
        .map(|_| (format!("X-{}", word(rng)), header(rng)))
        .collect();
    headers.push(("Host".to_owned(), host(integration).to_owned()));
    let (body, is_base64) = body_of(rng);
    match integration {
        0 | 1 => payload_2(
            rng,
            integration,
            (method, &path),
            &query,
            &headers,
            body,
            is_base64,
        ),
        _ => payload_1(
            integration,
            (method, &path),
            &query,
            &headers,
            body,
            is_base64,
        ),
    }
}

fn host(integration: u32) -> &'static str {
    match integration {
        0 => "abc.lambda-url.us-west-2.on.aws",
        4 | 5 => "bifold-1.us-west-2.elb.amazonaws.com",
        _ => "abc.execute-api.us-west-2.amazonaws.com",
    }
}

type Pairs = [(String, String)];

fn payload_2(
    rng: &mut Rng,
    integration: u32,
    (method, path): (&str, &str),
    query: &Pairs,
    headers: &Pairs,
    body: Value,
    is_base64: bool,
) -> Value {
    let stage = ["$default", "prod"][integration as usize];
    let raw = match stage {
        "$default" => path.to_owned(),
        _ => format!("/{stage}{path}"),
    };
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let raw_query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": raw, "rawQueryString": raw_query.join("&"),
        "headers": joined(headers, &|name| name.to_ascii_lowercase()),
        "requestContext": {
            "accountId": "1", "apiId": "abc", "domainName": host(integration), "domainPrefix": "abc",
            "http": {"method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.10",
                "userAgent": "x"},
            "requestId": "1", "routeKey": "$default", "stage": stage, "time": "x", "timeEpoch": 1,
        },
        "isBase64Encoded": is_base64,
    });
    if !query.is_empty() {
        event["queryStringParameters"] = joined(query, &str::to_owned);
    }
    if rng.bool() {
        event["cookies"] = json!(["a=1", format!("b={}", word(rng))]);
    }
    if !body.is_null() {
        event["body"] = body;
    }
    event
}

fn payload_1(
    integration: u32,
    (method, path): (&str, &str),
    query: &Pairs,
    headers: &Pairs,
    body: Value,
    is_base64: bool,
) -> Value {
    let query: Vec<(String, String)> = match integration {
        // Load balancers do not decode what the client sent.
        4 | 5 => {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let pairs = query.iter();
            pairs
                .map(|(name, value)| (encode(name), encode(value)))
                .collect()
        }
        _ => query.to_vec(),
    };
    let lower = |name: &str| name.to_ascii_lowercase();
    let same = |name: &str| name.to_owned();
    let mut event =
        json!({"httpMethod": method, "path": path, "body": body, "isBase64Encoded": is_base64});
    if integration == 2 {
        event["version"] = json!("1.0");
        event["path"] = json!(format!("/prod{path}"));
    }
    match integration {
        4 => {
            event["headers"] = last(headers, &lower);
            event["queryStringParameters"] = last(&query, &same);
        }
        5 => {
            event["multiValueHeaders"] = lists(headers, &lower);
            event["multiValueQueryStringParameters"] = lists(&query, &same);
        }
        _ => {
            event["headers"] = last(headers, &same);
            event["multiValueHeaders"] = lists(headers, &same);
            let none = query.is_empty();
            let or_null = |it: Value| if none { Value::Null } else { it };
            event["queryStringParameters"] = or_null(last(&query, &same));
            event["multiValueQueryStringParameters"] = or_null(lists(&query, &same));
        }
    }
    event["requestContext"] = match integration {
        4 | 5 => json!({"elb": {"targetGroupArn": "arn"}}),
        _ => json!({
            "resourceId": "1", "resourcePath": "/{proxy+}", "httpMethod": method, "path": format!("/prod{path}"),
            "accountId": "1", "protocol": "HTTP/1.1", "stage": "prod", "requestId": "1", "apiId": "abc",
            "identity": {"sourceIp": "203.0.113.10"}, "domainName": host(integration),
        }),
    };
    event
}

/// One field for each name; payload 2.0 joins several values with commas.
fn joined(pairs: &Pairs, spell: &dyn Fn(&str) -> String) -> Value {
    let mut fields = Map::new();
    for (name, value) in pairs {
        let field = fields.entry(spell(name)).or_insert_with(|| json!(value));
        if *field != json!(value) {
            *field = json!(format!("{},{value}", field.as_str().unwrap()));
        }
    }
    fields.into()
}

/// One field for each name, with its last value.
fn last(pairs: &Pairs, spell: &dyn Fn(&str) -> String) -> Value {
    let fields = pairs
        .iter()
        .map(|(name, value)| (spell(name), json!(value)));
    Value::Object(fields.collect())
}

/// One field for each name, with all of its values.
fn lists(pairs: &Pairs, spell: &dyn Fn(&str) -> String) -> Value {
    let mut fields = Map::new();
    for (name, value) in pairs {
        let field = fields.entry(spell(name)).or_insert_with(|| json!([]));
        field.as_array_mut().unwrap().push(json!(value));
    }
    fields.into()
}

/// A name; few letters make repeated ones.
fn word(rng: &mut Rng) -> String {
    let letters = ["a", "b", "c", "key", "Name", "x1"];
    letters[rng.usize(..letters.len())].to_owned()
}

fn value(rng: &mut Rng) -> String {
    let parts = [
        "v", "HASH-USD", " ", "&", "=", "+", "%", "#", "?", "/", "ü", "日", "\"", "<",
    ];
    (0..rng.usize(..4))
        .map(|_| parts[rng.usize(..parts.len())])
        .collect()
}

fn header(rng: &mut Rng) -> String {
    let parts = ["v", "text/html", ";q=0.1", "=", "\"", "%20", "~"];
    let inner: String = (0..rng.usize(..4))
        .map(|_| parts[rng.usize(..parts.len())])
        .collect();
    format!("h{inner}")
}

fn path_of(rng: &mut Rng) -> String {
    let parts = [
        "api", "mcp", "a-b", "%2F", "%20x", "x%25y", "%C3%BC", "v1.0", "~u",
    ];
    let parts = (0..1 + rng.usize(..4)).map(|_| parts[rng.usize(..parts.len())]);
    parts.map(|part| format!("/{part}")).collect()
}

fn body_of(rng: &mut Rng) -> (Value, bool) {
    match rng.u32(..4) {
        0 => (Value::Null, false),
        1 => (json!(""), false),
        2 => (
            json!(format!("{{\"a\": \"{}\"}}", value(rng).replace('"', ""))),
            false,
        ),
        _ => (json!("AP/+"), true),
    }
}
