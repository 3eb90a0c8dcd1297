//! Where decoding fails, for every kind of mistake.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;

use super::json_path::{decode, path};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only decoded")]
struct Order {
    id: u8,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    state: Option<State>,
    #[serde(default)]
    place: Option<Place>,
    #[serde(default)]
    event: Option<Event>,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    amounts: Vec<Amount>,
    #[serde(default)]
    range: Option<Range>,
    #[serde(default)]
    flat: Option<Flat>,
    #[serde(default)]
    pair: Option<(u8, u8)>,
    #[serde(default)]
    names: BTreeMap<String, u8>,
    #[serde(default)]
    numbers: BTreeMap<u8, bool>,
    #[serde(default)]
    quoted: Option<Quoted>,
    #[serde(default)]
    raw: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only decoded")]
struct Line {
    name: String,
    #[serde(default)]
    price: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only decoded")]
enum State {
    Open,
    Closed(Line),
    Moved { to: u8 },
    Nested(Box<State>),
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only decoded")]
enum Place {
    Shelf(u8),
    Room { room: String },
}

#[derive(Deserialize)]
#[serde(tag = "type")]
#[expect(dead_code, reason = "only decoded")]
enum Event {
    Paid { by: String },
}

#[derive(Deserialize)]
#[serde(try_from = "Ends")]
struct Range;

#[derive(Deserialize)]
struct Ends {
    from: u8,
    to: u8,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Flat {
    own: u8,
    #[serde(flatten)]
    line: Line,
}

/// A type that looks at what it has read.
struct Amount;

/// A type that decodes the content of a text.
struct Quoted;

impl TryFrom<Ends> for Range {
    type Error = String;

    fn try_from(Ends { from, to }: Ends) -> Result<Range, String> {
        (from <= to).then_some(Range).ok_or("ends too soon".into())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let known = text.bytes().all(|it| it.is_ascii_digit());
        known.then_some(Amount).ok_or(Error::custom("no amount"))
    }
}

impl<'de> Deserialize<'de> for Quoted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quoted, D::Error> {
        let text = String::deserialize(deserializer)?;
        let inner: Result<u8, _> = serde_json::from_str(&text);
        inner.map(|_| Quoted).map_err(Error::custom)
    }
}

fn path_in<T: DeserializeOwned>(text: &str) -> String {
    match decode::<T>(text) {
        Ok(_) => panic!("{text} can be decoded"),
        Err(error) => path::<T>(text, &error),
    }
}

#[test]
fn a_mistake_is_found_wherever_it_is() {
    let cases = [
        // Another type: of a scalar, and of what is not a scalar.
        (r#"{"id":"x"}"#, "id"),
        (r#"{"id":"x","lines":[]}"#, "id"),
        (r#"{"id":[1]}"#, "id"),
        (r#"{"id":{}}"#, "id"),
        (r#"{"id":null,"lines":[]}"#, "id"),
        (r#"{"id":1,"lines":{"name":"it"}}"#, "lines"),
        (r#"{"id":1,"lines":7}"#, "lines"),
        (
            r#"{"id":1,"lines":[{"name":"it"},{"name":5}]}"#,
            "lines[1].name",
        ),
        (r#"{"id":1,"lines":[{"name":"it"},"it"]}"#, "lines[1]"),
        (r#"{"id":1,"lines":["it",{"name":"it"}]}"#, "lines[0]"),
        (
            r#"{"id":1,"lines":[{"name":"it","price":"1"}]}"#,
            "lines[0].price",
        ),
        (
            "{\n \"id\" : 1,\n \"lines\" : [\n  { \"name\" : 5 }\n ]\n}",
            "lines[0].name",
        ),
        (r#"["x"]"#, "[0]"),
        ("7", ""),
        // A number that is too large.
        (r#"{"id":256}"#, "id"),
        (r#"{"id":-1,"lines":[]}"#, "id"),
        (r#"{"id":1.5}"#, "id"),
        // Fields: unknown, missing, given twice.
        (r#"{"id":1,"colour":1}"#, "colour"),
        (r#"{"id":1,"a\"b\u0063":1}"#, "a\"bc"),
        (r#"{"id":1,"lines":[{"colour" : 1}]}"#, "lines[0].colour"),
        (r#"{"lines":[]}"#, ""),
        ("{}", ""),
        (
            r#"{"id":1,"lines":[{"price":1},{"name":"it"}]}"#,
            "lines[0]",
        ),
        (r#"{"id":1,"lines":[{"name":"it"},{}]}"#, "lines[1]"),
        (r#"{"id":1,"id":2}"#, "id"),
        (
            r#"{"id":1,"lines":[{"name":"it","name":"it"}]}"#,
            "lines[0].name",
        ),
        // Enums of every kind.
        (r#"{"id":1,"state":"lost"}"#, "state"),
        (r#"{"id":1,"state":"lost","lines":[]}"#, "state"),
        (r#"{"id":1,"state":{"lost":1}}"#, "state.lost"),
        (
            r#"{"id":1,"state":{"closed":{"name":1}}}"#,
            "state.closed.name",
        ),
        (r#"{"id":1,"state":{"closed":{}}}"#, "state.closed"),
        (
            r#"{"id":1,"state":{"moved":{"to":300}},"lines":[]}"#,
            "state.moved.to",
        ),
        (
            r#"{"id":1,"state":{"nested":{"nested":"lost"}}}"#,
            "state.nested.nested",
        ),
        (r#"{"id":1,"place":true}"#, "place"),
        (r#"{"id":1,"place":{"room":1},"lines":[]}"#, "place"),
        (r#"{"id":1,"event":{"type":"Paid","by":1}}"#, "event"),
        (
            r#"{"id":1,"event":{"type":"Lost"},"lines":[]}"#,
            "event.type",
        ),
        (r#"{"id":1,"event":{"by":"it"}}"#, "event"),
        // Types that look at what they have read.
        (r#"{"id":1,"amount":"x"}"#, "amount"),
        (r#"{"id":1,"amount":"x" , "lines":[]}"#, "amount"),
        (r#"{"id":1,"amounts":["1","x"]}"#, "amounts[1]"),
        (r#"{"id":1,"amounts":["1", "x" , "2"]}"#, "amounts[1]"),
        (r#"{"id":1,"amounts":["x"]}"#, "amounts[0]"),
        (r#"{"id":1,"range":{"from":2,"to":1}}"#, "range"),
        (r#"{"id":1,"range":{"from":2,"to":1},"lines":[]}"#, "range"),
        (r#"{"id":1,"range":{"from":2}}"#, "range"),
        // Flattened fields, the lengths of tuples, and maps.
        (r#"{"id":1,"flat":{"own":1,"name":5}}"#, "flat"),
        (r#"{"id":1,"flat":{"own":1},"lines":[]}"#, "flat"),
        (r#"{"id":1,"flat":{"own":"x","name":"it"}}"#, "flat.own"),
        (r#"{"id":1,"pair":[1]}"#, "pair"),
        (r#"{"id":1,"pair":[1,2,3]}"#, "pair[2]"),
        (r#"{"id":1,"pair":[1,"x"]}"#, "pair[1]"),
        (r#"{"id":1,"names":{"a":1,"b":"x"}}"#, "names.b"),
        (r#"{"id":1,"numbers":{"1":true,"300":true}}"#, "numbers.300"),
        (r#"{"id":1,"numbers":{"x":true}}"#, "numbers.x"),
        // Broken JSON.
        (r#"{"id":}"#, "id"),
        (r#"{"id" 1}"#, "id"),
        (r#"{"id":tru}"#, "id"),
        (r#"{"id":1,"lines":[{"name":"it"},]}"#, "lines"),
        (r#"{"id":1,"lines":[{"name":"\ud800"}]}"#, "lines[0].name"),
        (r#"{"id":1,"lines":[{"na"#, "lines[0]"),
        (r#"{"id":1,"lines":[{"#, "lines[0]"),
        (r#"{"id":1}}"#, ""),
        ("", ""),
        ("ü", ""),
    ];
    for (text, path) in cases {
        assert_eq!(path_in::<Order>(text), path, "{text}");
        // What is around the mistake does not change the path.
        let list = format!("[{text} , {text}]");
        if text.ends_with('}') && !path.is_empty() {
            assert_eq!(
                path_in::<Vec<Order>>(&list),
                format!("[0].{path}"),
                "{list}"
            );
        }
    }
}

#[test]
fn the_position_of_another_text_is_not_taken_for_a_place() {
    // The error of the inner text has a position in that text: line 1, column 3.
    assert_eq!(path_in::<Order>(r#"{"id":1,"quoted":"300"}"#), "");
}

#[test]
fn the_levels_of_a_path_are_bounded() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"a":{deep},"id":"x"}}"#);
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Lenient {
        id: u8,
    }
    assert_eq!(path_in::<Lenient>(&text), "id");
}
