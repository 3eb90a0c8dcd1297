//! What the types of arguments publish is checked: constraints in attributes, and unknown fields where serde ignores them.

use std::collections::HashMap;

use bifold::{App, Config, Context, JsonSchema, Result, Server, Tool, batch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Said, assert_everywhere, everywhere};
use crate::support::TestApp;

/// Tells the weather.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Forecast {
    /// Where.
    #[schemars(length(min = 1, max = 20))]
    city: String,
    /// For how many days.
    #[serde(default, alias = "d", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 14))]
    days: Option<u32>,
    /// Which values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), inner(length(max = 3)))]
    values: Option<Vec<String>>,
    /// Around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    area: Option<Area>,
    /// More areas by their names.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    more: HashMap<String, Area>,
}

/// An area.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Area {
    /// How far, in kilometres.
    #[schemars(range(max = 100.5))]
    how_far: f64,
}

/// Has only what serde checks, and still takes nothing unknown.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Plain {
    /// A name.
    name: String,
}

/// Has names that are kept for old clients.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Renamed {
    /// A name.
    #[serde(alias = "title")]
    name: String,
}

/// Takes fields of any name.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Flat {
    /// A name.
    #[schemars(length(max = 3))]
    name: String,
    #[serde(flatten)]
    more: HashMap<String, u32>,
}

fn repeat<T>(_: Context, arguments: T) -> Result<T> {
    Ok(arguments)
}

async fn start() -> TestApp {
    let tools = vec![
        Tool::sync("forecast", repeat::<Forecast>).post("/forecasts"),
        Tool::sync("plain", repeat::<Plain>).post("/plains"),
        Tool::sync("renamed", repeat::<Renamed>).post("/renamed/all"),
        Tool::sync("flat", repeat::<Flat>).post("/flats"),
        batch::tool(),
    ];
    TestApp::serving(Server::new("derived", "1.0.0").tools(tools)).await
}

fn refused(field: &str) -> Said {
    Err(field.to_owned())
}

#[tokio::test]
async fn constraints_in_attributes_are_checked_everywhere() {
    let app = start().await;
    for (arguments, field) in [
        (r#"{"city":""}"#, "city"),
        (r#"{"city":"aaaaaaaaaaaaaaaaaaaaa"}"#, "city"),
        (r#"{"city":"Bern","days":0}"#, "days"),
        (r#"{"city":"Bern","days":99}"#, "days"),
        (r#"{"city":"Bern","days":15.0}"#, "days"),
        (r#"{"city":"Bern","days":"15"}"#, "days"),
        (r#"{"city":"Bern","values":[]}"#, "values"),
        (r#"{"city":"Bern","values":["a","long"]}"#, "values[1]"),
        (r#"{"city":"Bern","area":{"howFar":101}}"#, "area.howFar"),
        (
            r#"{"city":"Bern","more":{"a":{"howFar":101}}}"#,
            "more.a.howFar",
        ),
    ] {
        assert_everywhere(&app, "forecast", arguments, &refused(field)).await;
    }
    let fits = r#"{"city":"Bern","days":14.0,"values":null,"area":{"howFar":100.5}}"#;
    let expected = json!({"city": "Bern", "days": 14, "area": {"howFar": 100.5}});
    assert_everywhere(&app, "forecast", fits, &Ok(expected)).await;
}

#[tokio::test]
async fn unknown_fields_are_refused_where_serde_would_ignore_them() {
    let app = start().await;
    for (name, arguments, field) in [
        ("plain", r#"{"name":"a","nam":1}"#, "nam"),
        ("forecast", r#"{"city":"Bern","dasy":1}"#, "dasy"),
        (
            "forecast",
            r#"{"city":"Bern","area":{"howFar":1,"unit":"km"}}"#,
            "area.unit",
        ),
        // An alias is not published, so it must not be a way around what is.
        ("forecast", r#"{"city":"Bern","d":99}"#, "d"),
    ] {
        assert_everywhere(&app, name, arguments, &refused(field)).await;
    }
    let error = app.app.invoke("plain", r#"{"name":"a","nam":1}"#).await;
    let message = "`nam`: unknown field `nam`, expected `name`; did you mean `name`?";
    assert_eq!(error.err().unwrap().message(), message);
}

#[tokio::test]
async fn an_alias_is_taken_where_decoding_checks_everything() {
    let app = start().await;
    let expected = Ok(json!({"name": "a"}));
    assert_everywhere(&app, "renamed", r#"{"title":"a"}"#, &expected).await;
}

#[tokio::test]
async fn fields_of_any_name_are_taken_where_the_type_takes_them() {
    let app = start().await;
    let fits = json!({"name": "a", "x": 1, "y": 2});
    assert_everywhere(&app, "flat", &fits.to_string(), &Ok(fits)).await;
    for said in everywhere(&app, "flat", r#"{"name":"long","x":1}"#).await {
        assert_eq!(said, refused("name"));
    }
}

#[test]
fn the_schemas_say_that_unknown_fields_are_refused() {
    let tools = vec![
        Tool::sync("forecast", repeat::<Forecast>),
        Tool::sync("flat", repeat::<Flat>),
    ];
    let app = App::new(
        Config::default(),
        Server::new("derived", "1.0.0").tools(tools),
    )
    .unwrap();
    let registry = app.registry();
    let schema = |name: &str| registry.get(name).unwrap().arguments();
    let forecast = schema("forecast");
    for pointer in [
        "",
        "/properties/area",
        "/properties/more/additionalProperties",
    ] {
        let place: &Value = forecast.pointer(pointer).unwrap();
        assert_eq!(
            place["additionalProperties"], false,
            "{pointer}: {forecast}"
        );
    }
    assert_ne!(schema("flat")["additionalProperties"], false);
}
