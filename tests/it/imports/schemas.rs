//! Schemas of documents as every client takes them.

use bifold::lint::{Severity, of_schema};
use serde_json::{Value, json};

use super::{arguments_of, document, importing, of_operation, schema_of, started, unreached};
use bifold::testing::CannedUpstream;

/// The published schema of the field `f` of a body, with these components.
async fn published(field: Value, components: Value) -> Value {
    let schema = json!({"type": "object", "properties": {"f": field}});
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let mut document = of_operation("post", "/q", json!({"requestBody": body}));
    document["components"] = json!({ "schemas": components });
    let client = started(unreached(&document)).await;
    let schema = schema_of(&client, "it");
    let refused: Vec<String> = of_schema("it", &schema)
        .into_iter()
        .filter(|it| it.severity == Severity::Error)
        .map(|it| it.to_string())
        .collect();
    assert_eq!(refused, Vec::<String>::new(), "{schema}");
    let mut arguments = arguments_of(&client);
    arguments.remove("f").unwrap_or_default()
}

#[tokio::test]
async fn every_schema_becomes_one_that_every_client_takes() {
    let rows = [
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "string", "nullable": false}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "string", "nullable": true, "enum": ["a", "b", null]}),
            json!({"type": "string", "enum": ["a", "b"]}),
        ),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            json!({"type": "integer"}),
        ),
        (
            json!({"const": "x"}),
            json!({"type": "string", "enum": ["x"]}),
        ),
        (
            json!({"enum": [1, 2]}),
            json!({"type": "integer", "description": "One of 1, 2."}),
        ),
        (
            json!({"type": "integer", "default": "seven"}),
            json!({"type": "integer"}),
        ),
        (
            json!({"type": "integer", "default": 7}),
            json!({"type": "integer", "default": 7}),
        ),
        (
            json!({"type": "string", "enum": ["a"], "default": "b"}),
            json!({"type": "string", "enum": ["a"]}),
        ),
        (
            json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}),
            json!({"type": "integer", "minimum": 4}),
        ),
        (
            json!({"type": "integer", "exclusiveMaximum": 9}),
            json!({"type": "integer", "maximum": 8}),
        ),
        (
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "date-time"}),
        ),
        (
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string", "description": "Format: uuid."}),
        ),
        (
            json!({"type": "string", "pattern": "^a+$"}),
            json!({"type": "string", "pattern": "^a+$"}),
        ),
        // A pattern with what no linear matcher has.
        (
            json!({"type": "string", "pattern": "(?=a)b"}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "string", "minLength": -1, "maxLength": 2.5}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "array"}),
            json!({"type": "array", "items": {"description": "Any JSON value."}}),
        ),
        (json!({}), json!({"description": "Any JSON value."})),
        (
            json!({"type": ["string", "integer"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
        ),
        (
            json!({"type": "object", "required": ["a", "missing", "b"], "properties": {
                "a": {"type": "string"}, "b": {"type": "string", "readOnly": true}, "c": {"type": "string", "writeOnly": true},
            }}),
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "c": {"type": "string"}}}),
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        ),
        (
            json!({"allOf": [
                {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
                {"required": ["b", "nothing"], "properties": {"b": {"type": "integer"}}},
            ]}),
            json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}),
        ),
        (
            json!({"type": "boolean", "not": {"const": true}, "if": {}, "x-big": "y", "xml": {}}),
            json!({"type": "boolean"}),
        ),
        (
            json!({"type": "what"}),
            json!({"description": "Any JSON value."}),
        ),
    ];
    for (field, expected) in rows {
        let mut found = published(field.clone(), json!({})).await;
        // An argument without a description has its name.
        if expected.get("description").is_none() {
            assert_eq!(found["description"], "f", "{field}");
            found.as_object_mut().unwrap().remove("description");
        }
        assert_eq!(found, expected, "{field}");
    }
}

#[tokio::test]
async fn a_schema_that_contains_itself_ends() {
    let tree = json!({"type": "object", "properties": {
        "value": {"type": "string"}, "left": {"$ref": "#/components/schemas/Tree"}, "others": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    }});
    let reference = json!({"$ref": "#/components/schemas/Tree"});
    let found = published(reference.clone(), json!({"Tree": tree})).await;
    assert_eq!(found["properties"]["value"]["type"], "string");
    assert_eq!(found["properties"]["left"]["type"], "object");
    assert!(
        found["properties"]["left"]["description"]
            .as_str()
            .unwrap()
            .contains("`Tree`")
    );
    // Two that contain each other, one that is nothing but itself, and a composition of itself.
    let a = json!({"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}});
    let b = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Tree"}}});
    let found = published(reference.clone(), json!({"Tree": a, "B": b})).await;
    assert_eq!(
        found["properties"]["b"]["properties"]["a"]["type"],
        "object"
    );
    for itself in [
        reference.clone(),
        json!({"allOf": [reference.clone()]}),
        json!({"oneOf": [reference.clone(), {"type": "string"}]}),
        json!({"type": "array", "items": reference.clone()}),
        json!({"additionalProperties": reference.clone()}),
    ] {
        published(reference.clone(), json!({ "Tree": itself })).await;
    }
}

#[tokio::test]
async fn references_that_fan_out_end_in_bounded_work() {
    let mut schemas = serde_json::Map::new();
    for level in 0..25 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        schemas.insert(
            format!("L{level}"),
            json!({"type": "object", "properties": {"a": next.clone(), "b": next.clone(), "c": {"type": "array", "items": next}}}),
        );
    }
    schemas.insert(
        "L25".to_owned(),
        json!({"type": "object", "properties": {"end": {"type": "string"}}}),
    );
    let found = published(json!({"$ref": "#/components/schemas/L0"}), schemas.into()).await;
    assert!(
        found.to_string().len() < 30_000,
        "{}",
        found.to_string().len()
    );
    assert_eq!(found["properties"]["a"]["type"], "object");
}

#[tokio::test]
async fn a_choice_says_what_tells_its_members_apart() {
    let cat = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}});
    let dog = json!({"type": "object", "properties": {"kind": {"type": "string"}, "name": {"type": "string"}}});
    let references =
        json!([{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]);
    let without_mapping = json!({"oneOf": references, "discriminator": {"propertyName": "kind"}});
    let components = json!({"Cat": cat, "Dog": dog});
    let found = published(without_mapping, components.clone()).await;
    let kinds: Vec<&Value> = found["anyOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["properties"]["kind"]["enum"])
        .collect();
    assert_eq!(kinds, [&json!(["Cat"]), &json!(["Dog"])]);
    assert_eq!(found["anyOf"][1]["required"], json!(["kind"]));
    let mapped = json!({"oneOf": references, "discriminator": {"propertyName": "kind", "mapping": {
        "cat": "#/components/schemas/Cat", "kitten": "#/components/schemas/Cat", "dog": "Dog",
    }}});
    let found = published(mapped, components).await;
    assert_eq!(
        found["anyOf"][0]["properties"]["kind"]["enum"],
        json!(["cat", "kitten"])
    );
    assert_eq!(
        found["anyOf"][1]["properties"]["kind"]["enum"],
        json!(["dog"])
    );
}

#[tokio::test]
async fn descriptions_are_shortened_to_what_an_agent_needs() {
    let long = format!(
        "The first sentence.\n\n<b>Bold</b> and more. {}",
        "word ".repeat(500)
    );
    let document = document(
        json!({"/q": {"get": {"operationId": "it", "summary": "Short", "description": long, "deprecated": true,
        "parameters": [{"name": "p", "in": "query", "description": "word ".repeat(500), "schema": {"type": "string"}}]}}}),
    );
    let client = started(unreached(&document)).await;
    let registry = client.app().registry();
    let tool = registry.get("it").unwrap();
    assert_eq!(
        tool.description(),
        "Deprecated. The first sentence. Bold and more."
    );
    assert_eq!(tool.display_title(), Some("Short"));
    let parameter = arguments_of(&client)["p"]["description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        parameter.chars().count() <= 200 && parameter.ends_with("word…"),
        "{parameter}"
    );
}

#[tokio::test]
async fn vendor_extensions_of_a_megabyte_cost_nothing() {
    let mut document = of_operation("get", "/q", json!({"x-samples": "y".repeat(1 << 20)}));
    document["x-more"] = "z".repeat(1 << 20).into();
    let api = CannedUpstream::start(|_| bifold::testing::Canned::json("1"))
        .await
        .unwrap();
    let client = importing(&document, &api).await;
    let listed = client.mcp().list_tools().await.unwrap();
    assert!(serde_json::to_string(&listed).unwrap().len() < 1_000);
}
