//! Bodies of every media type, made of arguments.

use serde_json::{Value, json};

use super::{arguments_of, echoing, importing, last, of_operation, schema_of};

fn with_body(media_type: &str, schema: Value, is_required: bool) -> Value {
    let body = json!({"required": is_required, "content": {media_type: {"schema": schema}}});
    of_operation("post", "/q", json!({"requestBody": body}))
}

/// The media type and the text of what is sent for these arguments.
async fn sent(document: &Value, arguments: Value) -> (String, String) {
    let api = echoing().await;
    let client = importing(document, &api).await;
    client.call("it", arguments).await.unwrap();
    let received = last(&api);
    let media_type = received.header("content-type").unwrap_or("").to_owned();
    (
        media_type,
        String::from_utf8_lossy(&received.body).into_owned(),
    )
}

#[tokio::test]
async fn the_fields_of_a_json_body_are_arguments_and_are_sent_byte_for_byte() {
    let schema = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"type": "number"}, "b": {"type": "object"}, "id": {"type": "string", "readOnly": true},
    }});
    let document = with_body("application/json", schema, true);
    let api = echoing().await;
    let client = importing(&document, &api).await;
    let published = schema_of(&client, "it");
    assert_eq!(published["required"], json!(["a"]));
    assert_eq!(published["additionalProperties"], json!(false));
    // What the API sets itself is no argument.
    assert!(published["properties"].get("id").is_none());
    let text = r#"{"a": 12345678901234567890.10, "b": {"z": 1, "a": [1.0, 1e3]}}"#;
    client.app().invoke("it", text).await.unwrap();
    assert_eq!(
        &*last(&api).body,
        br#"{"a":12345678901234567890.10,"b":{"z": 1, "a": [1.0, 1e3]}}"#
    );
}

#[tokio::test]
async fn a_body_that_is_not_an_object_of_known_fields_is_one_argument() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    for (schema, body, expected) in [
        (list, json!([1, 2]), "[1,2]"),
        (map, json!({"any": "thing"}), r#"{"any":"thing"}"#),
        (json!({}), json!("text"), r#""text""#),
    ] {
        let document = with_body("application/json", schema, true);
        let (media_type, text) = sent(&document, json!({"body": body})).await;
        assert_eq!((&*media_type, &*text), ("application/json", expected));
    }
}

#[tokio::test]
async fn an_optional_body_is_left_out_with_its_arguments() {
    let schema =
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}});
    let document = with_body("application/json", schema.clone(), false);
    assert_eq!(
        sent(&document, json!({})).await,
        (String::new(), String::new())
    );
    let (_, text) = sent(&document, json!({"a": "x"})).await;
    assert_eq!(text, r#"{"a":"x"}"#);
    let optional = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let (_, text) = sent(&with_body("application/json", optional, true), json!({})).await;
    assert_eq!(text, "{}");
}

#[tokio::test]
async fn null_is_sent_where_the_api_takes_it() {
    let schema = json!({"type": "object", "required": ["required"], "properties": {
        "required": {"type": ["string", "null"]},
        "nullable": {"type": "string", "nullable": true},
        "plain": {"type": "string"},
        "inner": {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}},
    }});
    let document = with_body("application/json", schema, true);
    let (_, text) = sent(
        &document,
        json!({"nullable": null, "plain": null, "inner": {"a": null}}),
    )
    .await;
    let sent: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        sent,
        json!({"required": null, "nullable": null, "inner": {"a": null}})
    );
}

#[tokio::test]
async fn forms_and_texts_and_bytes_are_sent_in_their_form() {
    let fields = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}, "o": {"type": "object"},
    }});
    let arguments = || json!({"name": "a b&c", "tags": ["x", "y"], "o": {"k": 1}});
    let form = with_body("application/x-www-form-urlencoded", fields, true);
    let (media_type, text) = sent(&form, arguments()).await;
    assert_eq!(media_type, "application/x-www-form-urlencoded");
    assert_eq!(text, "name=a%20b%26c&o=%7B%22k%22%3A1%7D&tags=x&tags=y");
    let text = sent(
        &with_body("text/plain", json!({"type": "string"}), true),
        json!({"body": "hi\n"}),
    )
    .await;
    assert_eq!(text, ("text/plain".to_owned(), "hi\n".to_owned()));
    let xml = sent(
        &with_body("application/xml", json!({"type": "object"}), true),
        json!({"body": "<a/>"}),
    )
    .await;
    assert_eq!(xml, ("application/xml".to_owned(), "<a/>".to_owned()));
    let bytes = with_body(
        "application/octet-stream",
        json!({"type": "string", "format": "binary"}),
        true,
    );
    assert_eq!(
        sent(&bytes, json!({"body": "aGk="})).await,
        ("application/octet-stream".to_owned(), "hi".to_owned())
    );
    let api = echoing().await;
    let client = importing(&bytes, &api).await;
    let refused = client
        .call("it", json!({"body": "no base64!"}))
        .await
        .unwrap_err();
    assert_eq!(refused.field(), Some("body"));
    assert_eq!(api.received().len(), 0);
}

#[tokio::test]
async fn a_form_of_several_parts_has_files_and_fields() {
    let body = json!({"required": true, "content": {"multipart/form-data": {
        "schema": {"type": "object", "properties": {
            "file": {"type": "string", "format": "binary"}, "note": {"type": "string"}, "meta": {"type": "object"},
        }},
        "encoding": {"file": {"contentType": "image/png"}},
    }}});
    let document = of_operation("post", "/q", json!({"requestBody": body}));
    let (media_type, text) = sent(
        &document,
        json!({"file": "aGk=", "note": "a\r\n--b", "meta": {"k": 1}}),
    )
    .await;
    let boundary = media_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: image/png\r\n\r\nhi\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{{\"k\":1}}\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\na\r\n--b\r\n--{boundary}--\r\n"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn of_several_media_types_json_is_taken() {
    let content = json!({
        "application/xml": {"schema": {"type": "string"}},
        "application/vnd.api+json": {"schema": {"type": "object", "properties": {"b": {"type": "string"}}}},
        "application/json": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
    });
    let document = of_operation("put", "/q", json!({"requestBody": {"content": content}}));
    let (media_type, text) = sent(&document, json!({"a": "x"})).await;
    assert_eq!((&*media_type, &*text), ("application/json", r#"{"a":"x"}"#));
}

#[tokio::test]
async fn bodies_of_swagger_2_are_those_of_a_parameter_or_of_a_form() {
    let of = |parameters: Value| {
        json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "definitions": {
            "Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "id": {"type": "integer", "readOnly": true}}},
        }, "paths": {"/q": {"post": {"operationId": "it", "parameters": parameters, "responses": {}}}}})
    };
    let body = of(
        json!([{"name": "pet", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Pet"}}]),
    );
    assert_eq!(
        sent(&body, json!({"name": "Rex"})).await,
        (
            "application/json".to_owned(),
            r#"{"name":"Rex"}"#.to_owned()
        )
    );
    let form = of(json!([{"name": "a", "in": "formData", "type": "string", "required": true}]));
    assert_eq!(
        sent(&form, json!({"a": "1 2"})).await,
        (
            "application/x-www-form-urlencoded".to_owned(),
            "a=1%202".to_owned()
        )
    );
    let file = of(json!([{"name": "f", "in": "formData", "type": "file"}]));
    let api = echoing().await;
    let client = importing(&file, &api).await;
    assert_eq!(arguments_of(&client)["f"]["type"], "string");
    let (media_type, text) = sent(&file, json!({"f": "aGk="})).await;
    assert!(media_type.starts_with("multipart/form-data; boundary="));
    assert!(
        text.contains("filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\nhi\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn the_objects_of_a_choice_have_their_fields_as_arguments() {
    let schema = json!({"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat"}}});
    let mut document = with_body("application/json", schema, true);
    document["components"] = json!({"schemas": {
        "Cat": {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
        "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "name": {"type": "string"}}},
    }});
    let api = echoing().await;
    let client = importing(&document, &api).await;
    let published = schema_of(&client, "it");
    assert_eq!(published["required"], json!(["kind"]));
    // The mapping names one, and the other one is named by its schema.
    assert_eq!(published["properties"]["kind"]["enum"], json!(["c", "Dog"]));
    client
        .call("it", json!({"kind": "Dog", "name": "Rex"}))
        .await
        .unwrap();
    assert_eq!(
        last(&api).json::<Value>().unwrap(),
        json!({"kind": "Dog", "name": "Rex"})
    );
}
