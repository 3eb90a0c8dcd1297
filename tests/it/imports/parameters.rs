//! Parameters in every place and style: what is published, and what is sent.

use serde_json::{Value, json};

use super::{arguments_of, echoing, importing, last, of_operation, target};

/// The declaration of the parameter `p`, its argument, and what is sent.
type Row = (Value, Value, &'static str);

#[tokio::test]
async fn a_parameter_of_a_path_or_a_query_is_written_in_its_style() {
    let list = || json!(["a b", "c,d"]);
    let object = || json!({"x": 1, "y": "z"});
    let of_query = |style: Option<&str>, explode: Option<bool>| {
        let mut parameter = json!({"name": "p", "in": "query", "schema": {}});
        parameter["style"] = style.into();
        parameter["explode"] = explode.into();
        if explode.is_none() {
            parameter.as_object_mut().unwrap().remove("explode");
        }
        if style.is_none() {
            parameter.as_object_mut().unwrap().remove("style");
        }
        parameter
    };
    let of_path = |style: &str, explode: bool| json!({"name": "p", "in": "path", "required": true, "style": style, "explode": explode, "schema": {}});
    let rows: Vec<Row> = vec![
        (of_query(None, None), json!("a&b=c"), "/q?p=a&b=c"),
        (of_query(None, None), json!(7), "/q?p=7"),
        (of_query(None, None), json!(true), "/q?p=true"),
        (of_query(None, None), json!(null), "/q"),
        (of_query(None, None), json!([]), "/q"),
        (of_query(None, None), list(), "/q?p=a b&p=c,d"),
        (of_query(Some("form"), Some(false)), list(), "/q?p=a b,c,d"),
        (of_query(Some("form"), Some(true)), object(), "/q?x=1&y=z"),
        (
            of_query(Some("form"), Some(false)),
            object(),
            "/q?p=x,1,y,z",
        ),
        (
            of_query(Some("spaceDelimited"), None),
            list(),
            "/q?p=a b c,d",
        ),
        (
            of_query(Some("pipeDelimited"), None),
            list(),
            "/q?p=a b|c,d",
        ),
        (
            of_query(Some("pipeDelimited"), Some(true)),
            list(),
            "/q?p=a b&p=c,d",
        ),
        (
            of_query(Some("deepObject"), None),
            object(),
            "/q?p[x]=1&p[y]=z",
        ),
        (
            of_query(Some("deepObject"), None),
            json!({"a": {"b": [1, 2]}}),
            "/q?p[a][b]=1&p[a][b]=2",
        ),
        (of_path("simple", false), list(), "/q/a%20b,c%2Cd"),
        (of_path("simple", false), object(), "/q/x,1,y,z"),
        (of_path("simple", true), object(), "/q/x=1,y=z"),
        (of_path("label", false), list(), "/q/.a%20b,c%2Cd"),
        (of_path("label", true), list(), "/q/.a%20b.c%2Cd"),
        (of_path("matrix", false), json!(5), "/q/;p=5"),
        (of_path("matrix", false), list(), "/q/;p=a%20b,c%2Cd"),
        (of_path("matrix", true), list(), "/q/;p=a%20b;p=c%2Cd"),
        (of_path("matrix", true), object(), "/q/;x=1;y=z"),
        (
            of_path("simple", false),
            json!("a/b?c#d"),
            "/q/a%2Fb%3Fc%23d",
        ),
        (
            json!({"name": "p", "in": "query", "content": {"application/json": {"schema": {}}}}),
            json!({"a": [1, 2]}),
            "/q?p={\"a\":[1,2]}",
        ),
    ];
    for (parameter, argument, expected) in rows {
        let path = if parameter["in"] == "path" {
            "/q/{p}"
        } else {
            "/q"
        };
        let document = of_operation(
            "get",
            path,
            json!({"parameters": [parameter], "responses": {}}),
        );
        let api = echoing().await;
        let client = importing(&document, &api).await;
        client.call("it", json!({"p": argument})).await.unwrap();
        assert_eq!(target(&api), expected, "{parameter} {argument}");
    }
}

#[tokio::test]
async fn the_dividers_of_a_list_are_not_the_characters_of_its_items() {
    let parameter = json!({"name": "p", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}});
    let document = of_operation("get", "/q", json!({"parameters": [parameter]}));
    let api = bifold::testing::CannedUpstream::start(|target| {
        bifold::testing::Canned::json(serde_json::to_string(target).unwrap())
    });
    let api = api.await.unwrap();
    let client = importing(&document, &api).await;
    let sent = client
        .call("it", json!({"p": ["a,b", "c&d"]}))
        .await
        .unwrap();
    assert_eq!(sent, json!("/q?p=a%2Cb,c%26d"));
}

#[tokio::test]
async fn headers_and_cookies_are_sent_where_they_belong() {
    let parameters = json!([
        {"name": "X-Trace", "in": "header", "schema": {"type": "array", "items": {"type": "integer"}}},
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
        {"name": "theme", "in": "cookie", "schema": {"type": "string"}},
        // OpenAPI ignores these.
        {"name": "Accept", "in": "header", "schema": {"type": "string"}},
        {"name": "Authorization", "in": "header", "required": true, "schema": {"type": "string"}},
    ]);
    let document = of_operation("get", "/q", json!({"parameters": parameters}));
    let api = echoing().await;
    let client = importing(&document, &api).await;
    let names: Vec<String> = arguments_of(&client).keys().cloned().collect();
    assert_eq!(names, ["X-Trace", "session", "theme"]);
    let arguments = json!({"X-Trace": [1, 2], "session": "a;b", "theme": "dark"});
    client.call("it", arguments).await.unwrap();
    let received = last(&api);
    assert_eq!(received.header("x-trace"), Some("1,2"));
    assert_eq!(received.header("cookie"), Some("session=a%3Bb; theme=dark"));
    assert_eq!(received.header("authorization"), None);
    let error = client
        .call("it", json!({"X-Trace": [], "session": "\r\nX-Evil: 1"}))
        .await;
    assert!(error.is_ok(), "it is encoded");
    assert_eq!(last(&api).header("x-evil"), None);
}

#[tokio::test]
async fn a_value_never_leaves_its_part_of_the_path() {
    let document = of_operation("get", "/a/{p}/b", json!({}));
    let api = echoing().await;
    let client = importing(&document, &api).await;
    for argument in ["", ".", ".."] {
        let refused = client.call("it", json!({"p": argument})).await.unwrap_err();
        assert_eq!(refused.kind(), bifold::Kind::InvalidArgument, "{argument}");
        assert_eq!(refused.field(), Some("p"));
    }
    assert_eq!(api.received().len(), 0);
    for (argument, path) in [
        ("../c", "/a/..%2Fc/b"),
        ("%2e%2e", "/a/%252e%252e/b"),
        ("a\\b", "/a/a%5Cb/b"),
    ] {
        client.call("it", json!({"p": argument})).await.unwrap();
        assert_eq!(last(&api).path, path);
    }
}

#[tokio::test]
async fn names_that_clash_are_told_apart() {
    let operation = json!({
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "id", "in": "query", "schema": {"type": "string"}},
            {"name": "id", "in": "header", "schema": {"type": "string"}},
            {"name": "filter[name]", "in": "query", "schema": {"type": "string"}},
            {"name": "filter(name)", "in": "query", "schema": {"type": "string"}},
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {
            "type": "object", "properties": {"id": {"type": "boolean"}, "body_id": {"type": "string"}},
        }}}},
    });
    let document = of_operation("post", "/things/{id}", operation);
    let api = echoing().await;
    let client = importing(&document, &api).await;
    let names: Vec<String> = arguments_of(&client).keys().cloned().collect();
    let expected = [
        "body_id",
        "filter_name",
        "header_id",
        "id",
        "id_2",
        "query_filter_name",
        "query_id",
    ];
    assert_eq!(names, expected);
    let arguments = json!({
        "id": 7, "query_id": "q", "header_id": "h", "filter_name": "a", "query_filter_name": "b", "body_id": "text", "id_2": true,
    });
    client.call("it", arguments).await.unwrap();
    let received = last(&api);
    assert_eq!(received.path, "/things/7");
    assert_eq!(received.query("id"), Some("q"));
    assert_eq!(received.header("id"), Some("h"));
    assert_eq!(received.query("filter(name)"), Some("a"));
    assert_eq!(received.query("filter[name]"), Some("b"));
    assert_eq!(
        received.json::<Value>().unwrap(),
        json!({"body_id": "text", "id": true})
    );
}

#[tokio::test]
async fn a_parameter_of_the_path_item_counts_unless_the_operation_has_its_own() {
    let document = super::document(json!({"/q/{a}": {
        "parameters": [
            {"name": "a", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "b", "in": "query", "schema": {"type": "string"}},
        ],
        "get": {"operationId": "it", "parameters": [{"name": "b", "in": "query", "required": true, "schema": {"type": "integer"}}]},
    }}));
    let api = echoing().await;
    let client = importing(&document, &api).await;
    let arguments = arguments_of(&client);
    assert_eq!(arguments["a"]["type"], "integer");
    assert_eq!(arguments["b"]["type"], "integer");
    let refused = client.call("it", json!({"a": 1})).await.unwrap_err();
    assert_eq!(refused.field(), Some("b"));
}

#[tokio::test]
async fn a_swagger_2_parameter_is_read_as_its_collection_format_says() {
    for (format, expected) in [
        (json!(null), "/q?p=a,b"),
        (json!("csv"), "/q?p=a,b"),
        (json!("ssv"), "/q?p=a b"),
        (json!("tsv"), "/q?p=a\tb"),
        (json!("pipes"), "/q?p=a|b"),
        (json!("multi"), "/q?p=a&p=b"),
    ] {
        let mut parameter = json!({"name": "p", "in": "query", "type": "array", "items": {"type": "string"}, "description": "P."});
        if !format.is_null() {
            parameter["collectionFormat"] = format.clone();
        }
        let document = json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {
            "/q": {"get": {"operationId": "it", "parameters": [parameter], "responses": {}}},
        }});
        let api = echoing().await;
        let client = importing(&document, &api).await;
        assert_eq!(
            arguments_of(&client)["p"],
            json!({"type": "array", "items": {"type": "string"}, "description": "P."})
        );
        client.call("it", json!({"p": ["a", "b"]})).await.unwrap();
        assert_eq!(target(&api), expected, "{format}");
    }
}
