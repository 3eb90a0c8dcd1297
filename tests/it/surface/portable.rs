//! Types with schemas that many clients refuse: the start fails and names their functions.

use std::collections::BTreeMap;

use bifold::{App, Config, Content, Context, JsonSchema, Server, Tool};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

// The functions of this file are never called, so the fields of their arguments are only used by the schema.

/// A function with trees.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Trees<T> {
    /// Trees.
    #[serde(rename = "trees")]
    _trees: T,
}

/// A tree, which has no schema that can be written out.
#[derive(Deserialize, JsonSchema)]
struct Listed {
    _trees: Vec<Listed>,
}

#[derive(Deserialize, JsonSchema)]
struct Named {
    _trees: BTreeMap<String, Named>,
}

#[derive(Deserialize, JsonSchema)]
struct Numbered {
    _trees: BTreeMap<u8, Numbered>,
}

#[derive(Deserialize, JsonSchema)]
struct Paired {
    _trees: Option<(Box<Paired>, u8)>,
}

/// A function that takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize, JsonSchema)]
struct Anything {
    value: serde_json::Value,
}

/// The error of a start with this function; empty where it succeeds.
fn refusal(tool: Tool) -> String {
    let server = Server::new("it", "1.0.0").tools(vec![tool]);
    let refused = App::new(Config::default(), server).err();
    refused.map_or_else(String::new, |error| error.to_string())
}

/// A function of any trees.
fn of<T: DeserializeOwned + JsonSchema + 'static>() -> Tool {
    Tool::new("trees", |_: Context, _: Trees<T>| async {
        Content::text("")
    })
}

#[test]
fn a_recursive_type_is_refused_at_any_depth() {
    for (tool, name) in [
        (of::<Listed>(), "`Listed`"),
        (of::<Named>(), "`Named`"),
        (of::<Numbered>(), "`Numbered`"),
        (of::<Paired>(), "`Paired`"),
    ] {
        let said = refusal(tool);
        assert!(said.contains("`trees`"), "{said}");
        assert!(said.contains("contains itself"), "{said}");
        assert!(said.contains(name), "{name}: {said}");
    }
    let finite = of::<BTreeMap<String, Vec<(u8, BTreeMap<u8, String>)>>>();
    assert_eq!(refusal(finite), "");
}

#[test]
fn a_type_without_a_schema_is_refused() {
    let anything = Tool::sync("anything", |_, _: Nothing| {
        let value = serde_json::Value::Null;
        Anything { value }
    });
    let said = refusal(anything);
    assert!(said.contains("`anything`"), "{said}");
    assert!(said.contains("takes any value"), "{said}");
}
