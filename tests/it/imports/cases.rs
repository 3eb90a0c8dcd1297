//! Documents that other importers fail at: what can be imported is, and what cannot is named.

use serde_json::{Value, json};

use super::{document, names, refusal, started, unreached};
use bifold::Import;

#[tokio::test]
async fn one_operation_that_cannot_be_imported_leaves_all_others_alone() {
    let good = json!({"responses": {}});
    let bad = [
        (
            "a parameter without a name",
            json!({"parameters": [{"in": "query"}]}),
        ),
        (
            "a parameter that stands nowhere",
            json!({"parameters": [{"name": "p", "in": "moon"}]}),
        ),
        (
            "an unknown style",
            json!({"parameters": [{"name": "p", "in": "query", "style": "baroque"}]}),
        ),
        (
            "a reference to nothing",
            json!({"parameters": [{"$ref": "#/components/parameters/Gone"}]}),
        ),
        (
            "a reference to itself",
            json!({"parameters": [{"$ref": "#/components/parameters/Loop"}]}),
        ),
        (
            "a body that leads to nothing",
            json!({"requestBody": {"$ref": "#/nowhere"}}),
        ),
        (
            "a response that leads to nothing",
            json!({"responses": {"200": {"$ref": "#/nowhere"}}}),
        ),
        (
            "a reference to the network",
            json!({"requestBody": {"$ref": "https://evil.example/x.json"}}),
        ),
        (
            "a reference to a file",
            json!({"requestBody": {"$ref": "/etc/passwd"}}),
        ),
        (
            "a reference out of the folder",
            json!({"requestBody": {"$ref": "../x.json"}}),
        ),
        ("no object", json!(7)),
    ];
    for (what, operation) in bad {
        let mut document = document(json!({"/bad": {"post": operation}, "/good": {"get": good}}));
        document["components"] =
            json!({"parameters": {"Loop": {"$ref": "#/components/parameters/Loop"}}});
        let client = started(unreached(&document)).await;
        assert_eq!(names(&client), ["get_good"], "{what}");
    }
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_leaves_its_operation_alone() {
    for schema in [
        json!(7),
        json!("text"),
        json!([]),
        json!({"$ref": "#/nowhere"}),
        json!({"$ref": "https://evil.example/x"}),
        json!({"$ref": 7}),
        json!({"type": 7, "properties": [], "required": {}, "enum": {}, "allOf": {}, "items": []}),
        json!({"properties": {"a": 7, "b": null, "c": {"allOf": [7, null]}}}),
        json!({"oneOf": []}),
        json!({"discriminator": 7, "oneOf": [{"$ref": "#/components/schemas/Nothing"}]}),
    ] {
        let body = json!({"content": {"application/json": {"schema": schema}}});
        let parameter = json!({"name": "p", "in": "query", "schema": schema});
        let response = json!({"200": {"content": {"application/json": {"schema": schema}}}});
        let operation = json!({"operationId": "it", "requestBody": body, "parameters": [parameter], "responses": response});
        let client = started(unreached(&document(json!({"/q": {"post": operation}})))).await;
        assert_eq!(names(&client), ["it"], "{schema}");
        client.mcp().list_tools().await.unwrap();
        assert_eq!(client.rest().get("/openapi.json").await.status(), 200);
    }
}

#[tokio::test]
async fn names_are_words_of_at_most_64_characters_and_each_is_given_once() {
    let long = "a_very_long_operation_id_".repeat(8);
    let document = document(json!({
        "/1": {"get": {"operationId": "listPets"}},
        "/2": {"get": {"operationId": "list-pets"}},
        "/3": {"get": {"operationId": "repos/list-for-HTTPServer2Go"}},
        "/4": {"get": {"operationId": long}, "put": {"operationId": long}},
        "/5/{petId}/x.json": {"get": {}, "delete": {"operationId": "日本"}},
        "/6": {"get": {"operationId": "listPets"}},
        "/7": {"get": {"operationId": 7}},
        "/8": {"get": {"operationId": ""}},
    }));
    let client = started(unreached(&document)).await;
    let names = names(&client);
    let long: Vec<&String> = names.iter().filter(|it| it.starts_with("a_very")).collect();
    assert!(long.iter().all(|it| it.len() <= 64), "{long:?}");
    assert_eq!(long.len(), 2);
    let short: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|it| !it.starts_with("a_very"))
        .collect();
    let expected = [
        "list_pets",
        "list_pets_2",
        "repos_list_for_http_server2_go",
        "get_5_by_pet_id_x_json",
        "delete_5_by_pet_id_x_json",
        "list_pets_3",
        "get_7",
        "get_8",
    ];
    assert_eq!(short, expected);
}

#[tokio::test]
async fn what_is_not_a_document_is_refused_with_the_reason() {
    for (text, expected) in [
        ("", "it is empty"),
        ("{", "EOF"),
        ("[]", "neither `openapi` nor `swagger`"),
        ("{}", "neither `openapi` nor `swagger`"),
        (r#"{"openapi": "4.0.0"}"#, "version `4.0.0`"),
        (r#"{"swagger": "1.2"}"#, "version `1.2`"),
        (
            r#"{"openapi": "3.0.0", "paths": {}}"#,
            "it has no operations",
        ),
        (r#"{"openapi": "3.0.0"}"#, "it has no operations"),
        (
            r#"{"openapi": "3.0.0", "paths": {"x-a": {"get": {}}}}"#,
            "it has no operations",
        ),
        ("openapi: 3.0.0\npaths:\n\t/a: {}\n", "line 3"),
        ("a: [", "line"),
        ("a: 1\n---\nb: 2\n", "a second document (line 2)"),
        ("? [a, b]\n: c\n", "the key of a map is a list or a map"),
        ("a: *nothing\n", "line 1"),
    ] {
        let import = Import::text(text)
            .name("api")
            .base_url("https://api.example.com");
        let problem = refusal(import).await;
        assert!(problem.contains(expected), "{text:?}: {problem}");
        assert!(problem.contains("import `api`: "), "{problem}");
    }
}

#[tokio::test]
async fn yaml_is_read_as_its_core_schema_says() {
    let yaml = "\u{feff}# A comment\nopenapi: 3.1.0\ninfo: {title: \"T\\t\", version: '1.10'}\npaths:\n  /q:\n    get:\n      \
                operationId: it\n      description: >\n        Folded\n        text.\n      parameters:\n        - &p\n          name: yes\n          in: query\n          \
                schema: &s {type: string, enum: [no, 'on', \"1\", off]}\n        - <<: *p\n          name: other\n          required: true\n      responses:\n        200:\n          \
                description: ~\n          content:\n            application/json:\n              schema: *s\n";
    let import = Import::text(yaml)
        .name("api")
        .base_url("https://api.example.com");
    let client = started(import).await;
    let schema = super::schema_of(&client, "it");
    let arguments = &schema["properties"];
    assert_eq!(arguments["yes"]["enum"], json!(["no", "on", "1", "off"]));
    assert_eq!(arguments["other"]["enum"], json!(["no", "on", "1", "off"]));
    // What stands beside a merged map wins.
    assert_eq!(schema["required"], json!(["other"]));
    assert_eq!(
        client.app().registry().get("it").unwrap().description(),
        "Folded text."
    );
}

#[tokio::test]
async fn aliases_of_aliases_end() {
    let mut laughs =
        "openapi: 3.0.0\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        laughs.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![before; 10].join(", ")
        ));
    }
    let problem = refusal(Import::text(laughs).name("api")).await;
    assert!(
        problem.contains("aliases become too many bytes"),
        "{problem}"
    );
    let itself = refusal(Import::text("openapi: 3.0.0\na: &a [*a]\n").name("api")).await;
    assert!(
        itself.contains("inside the node that it names") || itself.contains("line 2"),
        "{itself}"
    );
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
    ] {
        let problem = refusal(Import::text(format!("openapi: 3.0.0\na: {deep}")).name("api")).await;
        assert!(problem.contains("import `api`: "), "{problem}");
    }
    let json = format!(
        r#"{{"openapi": "3.0.0", "paths": {{"/q": {{"get": {{"parameters": {}1{}}}}}}}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let client = refusal_or_names(&json).await;
    assert!(
        client.is_empty(),
        "an operation that is nested too deeply is left out"
    );
}

/// The tools of a document, whose operations may all be left out.
async fn refusal_or_names(text: &str) -> Vec<String> {
    let import = Import::text(text)
        .name("api")
        .base_url("https://api.example.com");
    names(&started(import).await)
}

#[tokio::test]
async fn a_document_of_swagger_2_is_a_document() {
    let document: Value = json!({
        "swagger": "2.0", "info": {"title": "t", "version": "1"}, "host": "api.example.com", "basePath": "/v1", "schemes": ["http", "https"],
        "consumes": ["application/json"], "produces": ["application/json"],
        "parameters": {"Limit": {"name": "limit", "in": "query", "type": "integer", "format": "int32", "default": 10}},
        "responses": {"Pets": {"description": "", "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}}},
        "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string", "x-nullable": true}}}},
        "paths": {"/pets": {"get": {"operationId": "listPets", "parameters": [{"$ref": "#/parameters/Limit"}], "responses": {"200": {"$ref": "#/responses/Pets"}}}}},
    });
    let client = started(Import::text(document.to_string()).name("api")).await;
    let schema = super::schema_of(&client, "list_pets");
    assert_eq!(
        schema["properties"]["limit"],
        json!({"type": "integer", "default": 10, "description": "limit"})
    );
    let listed = client.mcp().list_tools().await.unwrap().remove(0);
    assert_eq!(
        listed["outputSchema"]["properties"]["result"]["description"],
        "List of objects."
    );
    assert_eq!(listed["annotations"]["readOnlyHint"], true);
}

#[tokio::test]
async fn an_operation_says_what_its_method_does() {
    let operation = json!({"responses": {}});
    let paths = json!({"/q": {"get": operation, "put": operation, "post": operation, "delete": operation, "patch": operation, "head": operation}});
    let client = started(unreached(&document(paths))).await;
    let hints = |name: &str| {
        let registry = client.app().registry();
        let hints = registry.get(name).unwrap().hints();
        (hints.read_only, hints.idempotent, hints.destructive)
    };
    assert_eq!(hints("get_q"), (true, true, false));
    assert_eq!(hints("head_q"), (true, true, false));
    assert_eq!(hints("put_q"), (false, true, true));
    assert_eq!(hints("delete_q"), (false, true, true));
    assert_eq!(hints("post_q"), (false, false, true));
}
