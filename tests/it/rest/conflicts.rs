//! Routes that cannot be: those that are one another's, and those whose parameters cannot stand where they should.

use bifold::{App, Config, Context, JsonSchema, Result, Server, Tool, Upload};
use serde::Deserialize;
use serde_json::{Value, json};

use super::methods::note;
use crate::support::TestApp;

/// Takes a list of objects and a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Deep {
    /// Lists.
    #[serde(rename = "lists")]
    _lists: Vec<Vec<String>>,
}

/// Takes a file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Filed {
    /// A file.
    #[serde(rename = "file")]
    _file: Upload,
}

macro_rules! placed {
    ($name:ident, $kind:ty, $($key:literal = $value:literal),+) => {
        /// Takes a parameter elsewhere.
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $name {
            /// The parameter.
            #[serde(rename = "the_one")]
            #[schemars(extend($($key = $value),+))]
            _one: $kind,
        }
    };
}

placed!(InHeader, String, "x-in" = "header");
placed!(InPlain, String, "x-in" = "body");
placed!(Nameless, String, "x-name" = "X-One");
placed!(NoHeader, String, "x-in" = "header", "x-name" = "a b");
placed!(NoCookie, String, "x-in" = "cookie", "x-name" = "a=b");
placed!(Named, String, "x-in" = "query", "x-name" = "b");
placed!(Host, String, "x-in" = "header", "x-name" = "Host");
placed!(
    Secret,
    String,
    "x-in" = "header",
    "x-name" = "Authorization"
);
placed!(
    Length,
    String,
    "x-in" = "header",
    "x-name" = "Content-Length"
);
placed!(ListInHeader, Vec<String>, "x-in" = "header");

async fn none<A>(_: Context, _: A) -> Result<bifold::Content> {
    Ok(bifold::Content::text(""))
}

fn tool<A>(name: &'static str) -> Tool
where
    A: serde::de::DeserializeOwned + JsonSchema + Send + 'static,
{
    Tool::new(name, none::<A>)
}

#[track_caller]
fn assert_refused(tools: Vec<Tool>, expected: &[&str]) {
    let server = Server::new("it", "1.0.0").tools(tools);
    let Err(error) = App::new(Config::default(), server) else {
        panic!("started in spite of {expected:?}");
    };
    let said = error.to_string();
    for part in expected {
        assert!(said.contains(part), "`{part}`: {said}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn the_same_method_and_path_names_both_functions_and_both_paths() {
    let a = || Tool::new("a", note);
    let b = || Tool::new("b", note);
    for (tools, expected) in [
        (
            vec![a().put("/notes/{id}"), b().put("/notes/{text}")],
            [
                "`a` and `b`",
                "PUT path",
                "`/notes/{id}` and `/notes/{text}`",
            ],
        ),
        (
            vec![a().delete("/x"), b().delete("/x")],
            ["`a` and `b`", "DELETE path", "`/x`"],
        ),
        (
            vec![a().patch("/x").patch("/x")],
            ["`a` and `a`", "PATCH path", "`/x`"],
        ),
        (
            vec![a().post("/b"), b().get("/y")],
            [
                "`a` and `b`",
                "POST path: `/b`",
                "name of `b`, which `without_name_path`",
            ],
        ),
    ] {
        assert_refused(tools, &expected);
    }
}

#[tokio::test]
async fn different_methods_may_name_the_same_parameter_differently() {
    let tools = vec![
        Tool::new("a", note).get("/notes/{id}"),
        Tool::new("b", note)
            .put("/notes/{text}")
            .without_name_path(),
        Tool::new("c", note).get("/notes/{text}/of/{id}"),
        Tool::new("d", note).post("/d"),
        Tool::new("e", note).post("/b"),
    ];
    let app = TestApp::serving(Server::new("it", "1.0.0").tools(tools)).await;
    for (path, expected) in [
        ("/api/notes/1", json!({"id": 1})),
        ("/api/notes/x/of/2", json!({"id": 2, "text": "x"})),
    ] {
        assert_eq!(app.get(path).await.json(), expected);
    }
    for path in ["/api/d", "/api/b"] {
        let answer: Value = app.post(path, r#"{"id":3}"#).await.json();
        assert_eq!(answer, json!({"id": 3}), "{path}");
    }
}

#[test]
fn a_parameter_that_cannot_stand_in_its_place_is_refused() {
    for (tool, expected) in [
        (
            tool::<Deep>("a").get("/a"),
            vec!["`lists`", "path or query"],
        ),
        (
            tool::<Filed>("a").delete("/a"),
            vec!["`file`", "path or query"],
        ),
        (
            tool::<InHeader>("a").get("/{the_one}"),
            vec!["`the_one`", "`x-in`"],
        ),
        (
            tool::<InPlain>("a"),
            vec!["`the_one`", "`query`, `header` or `cookie`"],
        ),
        (tool::<Nameless>("a"), vec!["`the_one`", "without `x-in`"]),
        (
            tool::<NoHeader>("a"),
            vec!["`the_one`", "`a b` is not a valid header name"],
        ),
        (
            tool::<NoCookie>("a"),
            vec!["`the_one`", "`a=b` is not a valid name of a cookie"],
        ),
        (tool::<Named>("a"), vec!["`the_one`", "name of the field"]),
        (tool::<Host>("a"), vec!["`the_one`", "header `Host`"]),
        (
            tool::<Secret>("a"),
            vec!["`the_one`", "header `Authorization`"],
        ),
        (
            tool::<Length>("a"),
            vec!["`the_one`", "header `Content-Length`"],
        ),
        (
            tool::<ListInHeader>("a"),
            vec!["`the_one`", "header or a cookie"],
        ),
        (
            tool::<InHeader>("a").get("/a").status(404),
            vec!["`a`", "404", "200 to 299"],
        ),
    ] {
        assert_refused(vec![tool], &expected);
    }
}
