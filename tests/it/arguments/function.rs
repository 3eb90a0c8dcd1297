//! Functions that repeat arguments of every form.

use std::collections::HashMap;

use bifold::{Content, Context, JsonSchema, Prompt, Result, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Repeats its arguments.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Everything {
    /// A count that has a default.
    #[serde(default = "seven")]
    count: u32,
    /// A number with a sign.
    #[serde(default)]
    signed: i64,
    /// A large number.
    #[serde(default)]
    large: u64,
    /// A size.
    #[serde(default)]
    size: usize,
    /// A number with a fraction.
    #[serde(default)]
    ratio: f64,
    /// A yes or no.
    #[serde(default)]
    flag: bool,
    /// A text.
    #[serde(default)]
    text: String,
    /// A number that may be missing.
    #[serde(default)]
    maybe: Option<u8>,
    /// A number that is three where it is left out, and none where it is null.
    #[serde(default = "three")]
    three: Option<u8>,
    /// Numbers.
    #[serde(default)]
    list: Vec<u16>,
    /// Numbers that may be missing.
    #[serde(default)]
    gaps: Vec<Option<u16>>,
    /// A pair.
    #[serde(default)]
    pair: (u8, String),
    /// An object.
    #[serde(default)]
    inner: Inner,
    /// An object that may be missing.
    #[serde(default)]
    other: Option<Inner>,
    /// Objects.
    #[serde(default)]
    rows: Vec<Inner>,
    /// Objects by their names.
    #[serde(default)]
    named: HashMap<String, Inner>,
    /// Numbers by their names.
    #[serde(default)]
    numbers: HashMap<String, u32>,
    /// A shape with a tag.
    #[serde(default)]
    tagged: Option<Shape>,
    /// A shape by its name.
    #[serde(default)]
    outer: Option<Outer>,
    /// One of two forms.
    #[serde(default)]
    either: Option<Either>,
    /// A number or a text.
    #[serde(default)]
    mixed: Option<Mixed>,
    /// A choice.
    #[serde(default)]
    colour: Colour,
}

/// An object with one field that must be there.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inner {
    /// A number that must be there.
    id: u32,
    /// A number that has a default.
    #[serde(default)]
    weight: u32,
    /// A yes or no.
    #[serde(default)]
    on: bool,
    /// Objects in it.
    #[serde(default)]
    parts: Vec<Part>,
}

/// A part.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
pub struct Part {
    /// How many.
    #[serde(default)]
    many: i32,
}

/// A shape with a tag.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Shape {
    /// A circle.
    Circle {
        /// Its radius.
        radius: u32,
        /// Its rim.
        #[serde(default)]
        rim: u32,
    },
    /// A square.
    Square {
        /// Its side.
        side: f64,
        /// Its rim, which must be there.
        rim: u32,
    },
}

/// A shape by its name.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outer {
    /// A line.
    Line {
        /// Its length.
        length: u32,
        /// Its width.
        #[serde(default)]
        width: u32,
    },
    /// Some dots.
    Dots(Vec<u32>),
}

/// One of two forms.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Either {
    /// By number.
    ByNumber {
        /// The number.
        number: u32,
        /// How often.
        #[serde(default)]
        times: u32,
    },
    /// By name.
    ByName {
        /// The name.
        name: String,
        /// How often.
        #[serde(default)]
        times: u32,
    },
}

/// A number or a text.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Mixed {
    /// A number.
    Number(u32),
    /// A text.
    Text(String),
}

/// A choice.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// As blood.
    #[default]
    Red,
    /// As grass.
    Green,
}

/// Asks for something.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// About what.
    topic: String,
    /// In which tone.
    #[serde(default = "kind")]
    tone: String,
}

/// Takes nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Repeats what it publishes by hand.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByHand {
    /// A number.
    size: u32,
    /// A number that has a default.
    #[serde(default)]
    step: u32,
    /// Objects.
    #[serde(default)]
    rows: Vec<Inner>,
    /// An object.
    #[serde(default)]
    row: Inner,
}

fn seven() -> u32 {
    7
}

fn three() -> Option<u8> {
    Some(3)
}

fn kind() -> String {
    "kind".to_owned()
}

fn repeat(_: Context, everything: Everything) -> Result<Everything> {
    Ok(everything)
}

fn by_hand(_: Context, arguments: ByHand) -> Result<ByHand> {
    Ok(arguments)
}

async fn ask(_: Context, Question { topic, tone }: Question) -> Result<Content> {
    Ok(Content::text(format!("{topic}, {tone}")))
}

/// `repeat`, on both protocols.
pub fn tool() -> Tool {
    Tool::sync("repeat", repeat).post("/repeat/all")
}

/// `by_hand`, which publishes a schema of references and combinations.
pub fn published() -> Tool {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "size": {"type": "integer"},
            "row": {
                "type": "object",
                "properties": {
                    "id": {"enum": [1, 2]},
                    "weight": {"allOf": [{"$ref": "#/$defs/size"}]},
                    "on": {"type": "boolean"},
                },
                "required": ["id"],
            },
        },
        "properties": {
            "size": {"$ref": "#/$defs/size"},
            "step": {"oneOf": [{"$ref": "#/$defs/size"}]},
            "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
            "row": {"anyOf": [{"$ref": "#/$defs/row"}]},
        },
        "required": ["size"],
        "additionalProperties": false,
    });
    Tool::sync("by_hand", by_hand)
        .post("/by/hand")
        .input_schema(schema)
}

/// `ask`.
pub fn prompt() -> Prompt {
    Prompt::new(Tool::new("ask", ask))
}

/// What `repeat` answers where these fields are given.
pub fn repeated(fields: Value) -> Value {
    let inner = json!({"id": 0, "weight": 0, "on": false, "parts": []});
    let mut all = json!({
        "count": 7, "signed": 0, "large": 0, "size": 0, "ratio": 0.0, "flag": false, "text": "",
        "maybe": null, "three": 3, "list": [], "gaps": [], "pair": [0, ""], "inner": inner,
        "other": null, "rows": [], "named": {}, "numbers": {}, "tagged": null, "outer": null,
        "either": null, "mixed": null, "colour": "red",
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// An [`Inner`] where these fields are given.
pub fn inner(fields: Value) -> Value {
    let mut all = json!({"id": 0, "weight": 0, "on": false, "parts": []});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}
