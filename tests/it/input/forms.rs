//! Forms: a struct becomes fields that clients know, or is refused with the name of the field.

use std::collections::{BTreeMap, BTreeSet};

use bifold::{Content, JsonSchema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Client, accept, answered, function, kind, serving, text};

#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Size {
    #[default]
    Small,
    Large,
}

/// How it is to be sent.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Way {
    /// By ship, in weeks
    Sea,
    /// By plane, in days
    Air,
    Rail,
}

/// Reads a client's answer as this type, and returns its `Debug` form.
fn form<T: DeserializeOwned + JsonSchema + std::fmt::Debug + Send + 'static>() -> Client {
    Client::of(&serving(vec![function("form", async |cx| {
        Ok(Content::text(format!(
            "{:?}",
            cx.elicit::<T>("form", "Fill in").await?
        )))
    })]))
}

/// The requested schema.
async fn schema<T: DeserializeOwned + JsonSchema + std::fmt::Debug + Send + 'static>() -> Value {
    let mut first = form::<T>().call("form", json!({})).await;
    first["inputRequests"]["form"]["params"]["requestedSchema"].take()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the schema and `Debug` look at it")]
struct Order {
    /// What it is called
    name: String,
    #[schemars(length(min = 2, max = 8))]
    code: String,
    #[schemars(email)]
    mail: String,
    #[schemars(url)]
    link: String,
    #[schemars(extend("format" = "date"))]
    day: String,
    #[schemars(extend("format" = "date-time"))]
    moment: String,
    #[schemars(range(min = 1, max = 9))]
    count: u32,
    weight: f64,
    gift: bool,
    note: Option<String>,
    extra: Option<u8>,
    #[serde(default = "seven")]
    priority: u32,
    #[serde(default)]
    size: Size,
    other_size: Option<Size>,
    /// The way
    way: Way,
    other_way: Option<Way>,
    sizes: Vec<Size>,
    #[schemars(length(min = 1, max = 2))]
    ways: BTreeSet<Way>,
    #[serde(default)]
    more_ways: Vec<Way>,
    address: std::net::IpAddr,
    letter: char,
}

fn seven() -> u32 {
    7
}

#[tokio::test]
async fn every_kind_of_field_has_the_schema_that_clients_know() {
    let schema = schema::<Order>().await;
    let sizes = json!(["small", "large"]);
    let ways = json!([
        {"const": "rail", "title": "rail"},
        {"const": "sea", "title": "By ship, in weeks"},
        {"const": "air", "title": "By plane, in days"},
    ]);
    let expected = [
        (
            "name",
            json!({"type": "string", "description": "What it is called"}),
        ),
        (
            "code",
            json!({"type": "string", "minLength": 2, "maxLength": 8}),
        ),
        ("mail", json!({"type": "string", "format": "email"})),
        ("link", json!({"type": "string", "format": "uri"})),
        ("day", json!({"type": "string", "format": "date"})),
        ("moment", json!({"type": "string", "format": "date-time"})),
        (
            "count",
            json!({"type": "integer", "minimum": 1, "maximum": 9}),
        ),
        ("weight", json!({"type": "number"})),
        ("gift", json!({"type": "boolean"})),
        ("note", json!({"type": "string"})),
        (
            "extra",
            json!({"type": "integer", "minimum": 0, "maximum": 255}),
        ),
        (
            "priority",
            json!({"type": "integer", "minimum": 0, "default": 7}),
        ),
        (
            "size",
            json!({"type": "string", "enum": sizes, "default": "small"}),
        ),
        ("other_size", json!({"type": "string", "enum": sizes})),
        (
            "way",
            json!({"type": "string", "oneOf": ways, "description": "The way"}),
        ),
        (
            "other_way",
            json!({"type": "string", "oneOf": ways, "description": "How it is to be sent."}),
        ),
        (
            "sizes",
            json!({"type": "array", "items": {"type": "string", "enum": sizes}}),
        ),
        (
            "ways",
            json!({"type": "array", "items": {"anyOf": ways}, "minItems": 1, "maxItems": 2}),
        ),
        (
            "more_ways",
            json!({"type": "array", "items": {"anyOf": ways}, "default": []}),
        ),
        ("address", json!({"type": "string"})),
        (
            "letter",
            json!({"type": "string", "minLength": 1, "maxLength": 1}),
        ),
    ];
    for (field, expected) in &expected {
        assert_eq!(&schema["properties"][field], expected, "{field}");
    }
    assert_eq!(
        schema["properties"].as_object().unwrap().len(),
        expected.len()
    );
    assert_eq!(
        schema.as_object().unwrap().len(),
        3,
        "type, properties, required: {schema}"
    );
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let optional = [
        "note",
        "extra",
        "priority",
        "size",
        "other_size",
        "other_way",
        "more_ways",
    ];
    for (field, _) in &expected {
        assert_eq!(
            required.contains(field),
            !optional.contains(field),
            "{field}"
        );
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only `Debug` looks at it")]
struct Few {
    way: Way,
    note: Option<String>,
    #[serde(default = "seven")]
    priority: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

#[tokio::test]
async fn filled_fields_are_typed_and_omitted_ones_have_their_default() {
    let client = form::<Few>();
    let first = client.call("form", json!({})).await;
    let said = json!({"form": accept(json!({"way": "air", "more": "than asked"}))});
    let last = client.call("form", answered(&first, said)).await;
    assert_eq!(
        text(&last),
        "Accepted(Few { way: Air, note: None, priority: 7 })"
    );
    let said = json!({"form": accept(json!({"way": "foot"}))});
    let again = client.call("form", answered(&first, said)).await;
    assert_eq!(
        again["resultType"], "input_required",
        "a choice that there is not"
    );
    let client = form::<Nothing>();
    let first = client.call("form", json!({})).await;
    let last = client
        .call("form", answered(&first, json!({"form": accept(json!({}))})))
        .await;
    assert_eq!(text(&last), "Accepted(Nothing)");
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the schema and `Debug` look at it")]
struct Limited {
    #[schemars(length(min = 2, max = 4))]
    code: String,
    #[schemars(range(min = 1, max = 9))]
    count: Option<u32>,
    #[schemars(email)]
    mail: Option<String>,
}

#[tokio::test]
async fn an_answer_that_breaks_its_form_is_not_taken_and_the_question_stays_open() {
    let client = form::<Limited>();
    for broken in [
        json!({"code": "a"}),
        json!({"code": "abcde"}),
        json!({"code": "ab", "count": 10}),
        json!({"code": "ab", "mail": "nobody"}),
    ] {
        let first = client.call("form", json!({})).await;
        let said = json!({"form": accept(broken.clone())});
        let again = client.call("form", answered(&first, said)).await;
        assert_eq!(again["resultType"], "input_required", "{broken}");
    }
    let first = client.call("form", json!({})).await;
    let content = json!({"code": "äöüß", "count": 9, "mail": null});
    let said = json!({"form": accept(content)});
    let last = client.call("form", answered(&first, said)).await;
    let expected = r#"Accepted(Limited { code: "äöüß", count: Some(9), mail: None })"#;
    assert_eq!(text(&last), expected);
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema matters")]
enum Data {
    Plain,
    Full(u32),
}

macro_rules! forms {
    ($($name:ident { $field:ident: $kind:ty }),* $(,)?) => {
        $(#[derive(Debug, Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema matters")]
        struct $name { fine: String, $field: $kind })*
    };
}

forms! {
    Nested { inner: Nothing },
    Words { words: Vec<String> },
    Table { table: BTreeMap<String, String> },
    Choice { choice: Data },
    Choices { choices: Vec<Data> },
    Lists { lists: Vec<Vec<Size>> },
    Anything { anything: Value },
    Unit { unit: () },
    Pair { pair: (String, u8) },
}

async fn refused<T: DeserializeOwned + JsonSchema + std::fmt::Debug + Send + 'static>(field: &str) {
    let result = form::<T>().call("form", json!({})).await;
    assert_eq!(kind(&result), "internal");
    let said = result["content"][0]["text"].as_str().unwrap();
    assert!(said.contains(&format!("`{field}`")), "{said}");
}

#[tokio::test]
async fn a_field_that_a_form_cannot_have_is_named() {
    refused::<Nested>("inner").await;
    refused::<Words>("words").await;
    refused::<Table>("table").await;
    refused::<Choice>("choice").await;
    refused::<Choices>("choices").await;
    refused::<Lists>("lists").await;
    refused::<Anything>("anything").await;
    refused::<Unit>("unit").await;
    refused::<Pair>("pair").await;
}

#[tokio::test]
async fn a_form_must_be_a_struct() {
    for client in [
        form::<String>(),
        form::<Size>(),
        form::<Data>(),
        form::<Vec<Size>>(),
    ] {
        let result = client.call("form", json!({})).await;
        assert_eq!(kind(&result), "internal");
        assert_eq!(result["content"][0]["text"], "a form must be a struct");
    }
}
