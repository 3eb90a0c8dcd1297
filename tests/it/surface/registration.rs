//! Invalid registrations: the start fails and names every one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bifold::{Answer, App, Config, Content, Context, JsonSchema, Kind, Server, Tool};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

// The functions of this file are never called, so the fields of their arguments are only used by the schema.

/// A function with one parameter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Good {
    /// A text.
    #[serde(rename = "text")]
    _text: String,
}

/// A function with a parameter of another name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Word {
    /// A word.
    #[serde(rename = "word")]
    _word: String,
}

/// A function that takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Undescribed {}

/// A function with a parameter that says nothing of itself.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UndescribedParameter {
    #[serde(rename = "text")]
    _text: String,
}

/// A function whose struct does not say that it refuses what it does not know.
#[derive(Deserialize, JsonSchema)]
struct Open {}

/// A function that takes fields of any name.
#[derive(Deserialize, JsonSchema)]
struct Rest {
    #[serde(flatten, rename = "rest")]
    _rest: BTreeMap<String, String>,
}

/// A function that is asked for one of two things.
#[derive(Deserialize, JsonSchema)]
enum Either {
    #[serde(rename = "this")]
    _This,
    #[serde(rename = "that")]
    _That,
}

/// A function that takes a value without a type.
#[derive(Deserialize, JsonSchema)]
struct Untyped {
    /// A value.
    #[serde(rename = "value")]
    _value: Value,
}

/// A function with a list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Texts.
    #[serde(rename = "texts")]
    _texts: Vec<String>,
}

/// A function with headers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BadHeader {
    /// A text.
    #[serde(rename = "text")]
    #[schemars(extend("x-mcp-header" = "not a token"))]
    _text: String,
    /// A number.
    #[serde(rename = "number")]
    #[schemars(extend("x-mcp-header" = "Number"))]
    _number: f64,
    /// A whole number.
    #[serde(rename = "one")]
    #[schemars(extend("x-mcp-header" = "Same"))]
    _one: i64,
    /// Another whole number.
    #[serde(rename = "other")]
    #[schemars(extend("x-mcp-header" = "same"))]
    _other: i64,
}

#[derive(Serialize, JsonSchema)]
struct Done {}

/// A function of any arguments, which is never called.
fn tool<A: DeserializeOwned + JsonSchema + 'static>(name: impl Into<Cow<'static, str>>) -> Tool {
    Tool::new(name, |_: Context, _: A| async { Done {} })
}

fn good(name: impl Into<Cow<'static, str>>) -> Tool {
    tool::<Good>(name)
}

/// The error of the start; empty where it succeeds.
pub fn refusal(config: Config, server: Server) -> String {
    let started = App::new(config, server);
    started
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

/// The error of a start with only these functions.
fn refusal_of(tools: Vec<Tool>) -> String {
    refusal(Config::default(), Server::new("it", "1.0.0").tools(tools))
}

/// Checks that each list of functions is refused with one line that contains all of these texts.
#[track_caller]
fn assert_refused(cases: Vec<(Vec<Tool>, &[&str])>) {
    for (tools, expected) in cases {
        let said = refusal_of(tools);
        for part in expected {
            assert!(said.contains(part), "`{part}`: {said:?}");
        }
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_valid_registration_starts() {
    let tools = vec![
        good("a").get("/a/{text}").also_get("/a"),
        good("b").get("/a/{text}/b"),
        tool::<Nothing>("c").get("/c"),
        tool::<Nothing>("d_2"),
        good("e").get("/e").rest_only(),
        // A list cannot be in a path, but in a query, in a body and in a call.
        tool::<Listed>("f").get("/f"),
    ];
    assert_eq!(refusal_of(tools), "");
}

#[test]
fn on_lambda_functions_are_not_checked_again() {
    let server = || Server::new("it", "1.0.0").tools(vec![tool::<Undescribed>("a")]);
    assert!(refusal(Config::default(), server()).contains("`a`"));
    let mut config = Config::default();
    config.function = Some("function".to_owned());
    assert_eq!(refusal(config, server()), "");
}

#[test]
fn a_name_that_the_protocol_does_not_allow_is_refused() {
    let long = "a".repeat(129);
    for name in ["", ".", "..", "sp ace", "sla/sh", "größe", &long] {
        assert_refused(vec![(
            vec![good(name.to_owned())],
            &[&format!("`{name}`"), "1 to 128"],
        )]);
    }
    for name in ["getNote", "notes.get", "get-note", "_", &"a".repeat(128)] {
        assert_eq!(refusal_of(vec![good(name.to_owned()).post("/x")]), "");
    }
}

#[test]
fn a_duplicate_names_both_functions() {
    assert_refused(vec![
        (vec![good("a"), good("b"), good("a")], &["`a`", "same name"]),
        (
            vec![good("a").get("/x"), good("b").get("/x")],
            &["`a` and `b`", "`/x`"],
        ),
        (
            vec![
                good("a").get("/x/{text}"),
                tool::<Word>("b").get("/x/{word}"),
            ],
            &["`a` and `b`", "same GET path"],
        ),
        (
            vec![good("a").get("/x").also_get("/y"), good("b").get("/y")],
            &["`a` and `b`", "`/y`"],
        ),
        (
            vec![good("a").get("/x").also_get("/x")],
            &["`a` and `a`", "`/x`"],
        ),
    ]);
}

#[test]
fn a_function_without_descriptions_is_refused() {
    assert_refused(vec![
        (vec![tool::<Undescribed>("a")], &["`a`", "description"]),
        (
            vec![tool::<UndescribedParameter>("a")],
            &["`a`", "`text`", "doc comment"],
        ),
        (
            vec![Tool::new("a", || "text")],
            &["`a`", "description", "`.describe("],
        ),
        (vec![good("a").rest_only()], &["`a`", "no protocol"]),
        (
            vec![good("a"), tool::<Undescribed>("b")],
            &["`b`", "description"],
        ),
    ]);
    let described = Tool::new("a", || "text").describe("Says something.");
    let titled = Tool::new("b", || "text").title("Text");
    assert_eq!(refusal_of(vec![described, titled]), "");
}

#[test]
fn arguments_are_closed_unless_their_type_says_what_else_it_takes() {
    let app = |tool: Tool| App::new(Config::default(), Server::new("it", "1").tool(tool)).unwrap();
    let closed = app(tool::<Open>("a"));
    let schema = closed.registry().get("a").unwrap().arguments();
    assert_eq!(schema["additionalProperties"], false);
    let open = app(tool::<Rest>("a"));
    let schema = open.registry().get("a").unwrap().arguments();
    assert_ne!(schema["additionalProperties"], false);
}

#[test]
fn arguments_that_are_not_an_object_are_refused_with_what_to_do() {
    let wanted = "its arguments must be a struct";
    assert_refused(vec![
        (vec![tool::<Vec<String>>("a")], &[wanted, "a field of one"]),
        (vec![tool::<Either>("a")], &[wanted, "the enum a field"]),
        (vec![tool::<()>("a")], &[wanted, "no such parameter"]),
        (
            vec![tool::<Untyped>("a")],
            &["`value`", "takes any value", "give it a type"],
        ),
    ]);
}

#[test]
fn a_result_is_any_value_that_can_be_described() {
    let results = vec![
        Tool::new("a", || vec![1]).describe("Numbers."),
        Tool::new("b", || "text").describe("A text."),
        Tool::new("c", || ()).describe("Nothing."),
        Tool::new("d", || Content::text("text")).describe("Blocks."),
        Tool::new("e", || Some(1.5)).describe("A number, or nothing."),
        Tool::new("f", || Answer::of(&json!({}))).describe("Anything."),
    ];
    assert_eq!(refusal_of(results), "");
    let any = Tool::new("a", || json!({})).describe("Anything.");
    let failing = || -> std::result::Result<u8, String> { Ok(1) };
    let failing = Tool::new("a", failing).describe("A number.");
    assert_refused(vec![
        (
            vec![any],
            &["its result takes any value", "`bifold::Answer`"],
        ),
        (
            vec![failing],
            &["`Result`", "`impl From<E> for bifold::Error`"],
        ),
    ]);
}

#[test]
fn an_error_that_cannot_be_reported_is_not_declared() {
    let declaring = |kind| good("a").errors([(kind, "Always")]);
    assert_refused(vec![
        (
            vec![declaring(Kind::custom(409, "Exists"))],
            &["`Exists`", "a-z"],
        ),
        (
            vec![declaring(Kind::custom(200, "fine"))],
            &["`fine`", "200"],
        ),
        (
            vec![declaring(Kind::custom(404, "not_found"))],
            &["`not_found`", "library"],
        ),
    ]);
    let fine = [Kind::custom(409, "note_exists"), Kind::Failed];
    let fine = good("a").errors(fine.map(|kind| (kind, "Always")));
    assert_eq!(fine.declared_errors()[0].kind().status(), 409);
    assert_eq!(refusal_of(vec![fine]), "");
}

#[test]
fn a_path_that_is_the_name_is_one_route() {
    assert_eq!(refusal_of(vec![good("show").post("/show")]), "");
}

#[test]
fn a_path_and_its_parameters_must_match() {
    assert_refused(vec![
        (
            vec![good("a").get("/x/{word}")],
            &["`a`", "`/x/{word}`", "`word`"],
        ),
        (
            vec![good("a").get("/x").also_get("/y/{word}")],
            &["`a`", "`/y/{word}`", "`word`"],
        ),
        (
            vec![tool::<Listed>("a").get("/x/{texts}")],
            &["`a`", "`texts`", "path or query"],
        ),
        (vec![good("a").get("x")], &["`a`", "`x`"]),
        (vec![good("a").get("")], &["`a`", "``"]),
        (vec![good("a").get("/")], &["`a`", "`/`"]),
        (vec![good("a").get("/x/")], &["`a`", "`/x/`"]),
        (vec![good("a").get("/x//y")], &["`a`", "`/x//y`"]),
    ]);
}

#[test]
fn an_invalid_path_is_refused_without_a_panic() {
    let paths = [
        "/x/:text",
        "/x/*text",
        "/x/{*text}",
        "/x/{text",
        "/x/text}",
        "/x/a{text}",
        "/x/{text}b",
        "/x/{}",
    ];
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let start = std::panic::catch_unwind(|| refusal_of(vec![good("a").get(*path)]));
            let said = start.unwrap_or_else(|_| "a panic".to_owned());
            let is_named = said.contains("`a`") && said.contains(&format!("`{path}`"));
            (!is_named).then(|| format!("{path}: {said:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_path_with_the_same_parameter_twice_is_refused() {
    assert_refused(vec![(
        vec![good("a").get("/x/{text}/{text}")],
        &["`a`", "`text`"],
    )]);
}

#[test]
fn a_second_path_without_a_first_one_is_refused() {
    assert_refused(vec![(vec![good("a").also_get("/x")], &["`a`", "`/x`"])]);
}

#[test]
fn headers_that_clients_could_not_send_are_refused() {
    let said = refusal_of(vec![tool::<BadHeader>("a")]);
    for part in ["`not a token`", "`text`", "`number`", "`one` and `other`"] {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    assert_eq!(said.matches("function `a`").count(), 3, "{said}");
}

#[test]
fn all_errors_are_reported_at_once() {
    let tools = vec![
        good("a b"),
        tool::<Undescribed>("b"),
        good("c").get("x"),
        good("d"),
        good("d"),
    ];
    let said = refusal_of(tools);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    for (line, name) in lines.iter().zip(["`a b`", "`b`", "`c`", "`d`"]) {
        assert!(line.contains(name), "{said}");
    }
}
