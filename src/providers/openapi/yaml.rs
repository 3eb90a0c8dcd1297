//! YAML as the text of JSON: one pass over its events, with a bound on what aliases may become.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// The most bytes of JSON that one document may become, so that aliases of aliases end.
const MAX_BYTES: usize = 64 << 20;

/// The most levels of lists and maps: as deep as JSON is decoded.
const MAX_DEPTH: usize = 100;

/// A list or a map that is being written.
struct Open {
    kind: Kind,
    anchor: usize,
    start: usize,
    is_empty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    /// A map whose next scalar is a key.
    Key,
    /// A map whose next node is the value of a key.
    Value,
    /// A map whose next node is the value of `<<`.
    Merge,
}

struct Writer {
    json: String,
    open: Vec<Open>,
    /// The text of each anchored node.
    anchors: HashMap<usize, Range<usize>>,
}

/// The JSON text of a YAML document.
///
/// # Errors
/// What is wrong, and the line.
pub(super) fn to_json(yaml: &str) -> Result<String, String> {
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(yaml);
    let mut writer = Writer {
        json: String::with_capacity(yaml.len()),
        open: Vec::new(),
        anchors: HashMap::new(),
    };
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            let place = error.marker();
            format!("{} (line {})", error.info(), place.line())
        })?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(at("it has a second document", &span));
            }
        }
        writer.write(event).map_err(|problem| at(problem, &span))?;
        if writer.json.len() > MAX_BYTES {
            let problem = format!("it becomes more than {MAX_BYTES} bytes with its aliases");
            return Err(at(&problem, &span));
        }
    }
    match writer.json.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(writer.json),
    }
}

fn at(problem: &str, span: &Span) -> String {
    format!("{problem} (line {})", span.start.line())
}

impl Writer {
    fn write(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain
                    || tag.is_some_and(|it| it.is_yaml_core_schema() && it.suffix == "str");
                self.scalar(&text, is_text, anchor)
            }
            Event::SequenceStart(anchor, _) => self.start(Kind::List, anchor),
            Event::MappingStart(anchor, _) => self.start(Kind::Key, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, is_text: bool, anchor: usize) -> Result<(), &'static str> {
        if self.is_at_key() {
            return self.key(text, !is_text && text == "<<");
        }
        self.begin()?;
        let start = self.json.len();
        match is_text {
            true => quote(&mut self.json, text),
            false => plain(&mut self.json, text),
        }
        self.keep(anchor, start);
        self.close();
        Ok(())
    }

    fn key(&mut self, text: &str, is_merge: bool) -> Result<(), &'static str> {
        let open = self.open.last_mut().ok_or("it has a key outside a map")?;
        if is_merge {
            open.kind = Kind::Merge;
            return Ok(());
        }
        open.kind = Kind::Value;
        if !open.is_empty {
            self.json.push(',');
        }
        open.is_empty = false;
        quote(&mut self.json, text);
        self.json.push(':');
        Ok(())
    }

    fn start(&mut self, kind: Kind, anchor: usize) -> Result<(), &'static str> {
        if self.is_at_key() {
            return Err("the key of a map is a list or a map");
        }
        if self.open.last().is_some_and(|it| it.kind == Kind::Merge) {
            return Err("`<<` merges something other than an alias");
        }
        if self.open.len() == MAX_DEPTH {
            return Err("it is nested too deeply");
        }
        self.begin()?;
        let start = self.json.len();
        self.json.push(if kind == Kind::List { '[' } else { '{' });
        self.open.push(Open {
            kind,
            anchor,
            start,
            is_empty: true,
        });
        Ok(())
    }

    fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            let is_list = open.kind == Kind::List;
            self.json.push(if is_list { ']' } else { '}' });
            self.keep(open.anchor, open.start);
            self.close();
        }
    }

    /// Repeats the text of an anchored node.
    fn alias(&mut self, anchor: usize) -> Result<(), &'static str> {
        let range = self.anchors.get(&anchor).cloned();
        let range = range.ok_or("an alias stands inside the node that it names")?;
        if self.json.len() + range.len() > MAX_BYTES {
            return Err("its aliases become too many bytes");
        }
        if self.is_at_key() {
            let text = self.json[range].trim_matches('"').to_owned();
            return self.key(&text, false);
        }
        if self.open.last().is_some_and(|it| it.kind == Kind::Merge) {
            return self.merge(range);
        }
        self.begin()?;
        let text = self.json[range].to_owned();
        self.json.push_str(&text);
        self.close();
        Ok(())
    }

    /// Writes the fields of a map at the start of the open one, whose own fields come later and win.
    fn merge(&mut self, range: Range<usize>) -> Result<(), &'static str> {
        let fields = self.json[range].strip_prefix('{');
        let fields = fields.and_then(|it| it.strip_suffix('}'));
        let mut fields = fields
            .ok_or("`<<` merges something other than a map")?
            .to_owned();
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        open.kind = Kind::Key;
        if fields.is_empty() {
            return Ok(());
        }
        if !open.is_empty {
            fields.push(',');
        }
        open.is_empty = false;
        let place = open.start + 1;
        for range in self.anchors.values_mut().filter(|it| it.start >= place) {
            *range = range.start + fields.len()..range.end + fields.len();
        }
        self.json.insert_str(place, &fields);
        Ok(())
    }

    fn is_at_key(&self) -> bool {
        self.open.last().is_some_and(|it| it.kind == Kind::Key)
    }

    /// What stands before a node.
    fn begin(&mut self) -> Result<(), &'static str> {
        if let Some(open) = self.open.last_mut()
            && open.kind == Kind::List
        {
            if !open.is_empty {
                self.json.push(',');
            }
            open.is_empty = false;
        }
        match self.open.last().is_some_and(|it| it.kind == Kind::Merge) {
            true => Err("`<<` merges something other than an alias"),
            false => Ok(()),
        }
    }

    /// After a node: its map expects a key again.
    fn close(&mut self) {
        if let Some(open) = self.open.last_mut()
            && open.kind == Kind::Value
        {
            open.kind = Kind::Key;
        }
    }

    fn keep(&mut self, anchor: usize, start: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, start..self.json.len());
        }
    }
}

/// A scalar without quotes, by the core schema of YAML 1.2: `yes` and `no` are texts.
fn plain(json: &mut String, text: &str) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => json.push_str("null"),
        "true" | "True" | "TRUE" => json.push_str("true"),
        "false" | "False" | "FALSE" => json.push_str("false"),
        _ => match number(text) {
            Some(number) => json.push_str(&number),
            None => quote(json, text),
        },
    }
}

/// The text of a number in JSON.
fn number(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16)
            .ok()
            .map(|it| it.to_string());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(|it| it.to_string());
    }
    let is_number =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let has_digit = text.bytes().any(|it| it.is_ascii_digit());
    if !has_digit || !text.bytes().all(is_number) {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    // As it is written, where JSON takes it: a version such as `1.10` is a number here, too.
    if serde_json::from_str::<serde_json::Number>(text).is_ok() {
        return Some(text.to_owned());
    }
    let value: f64 = text.parse().ok()?;
    serde_json::Number::from_f64(value).map(|it| it.to_string())
}

fn quote(json: &mut String, text: &str) {
    json.push('"');
    for it in text.chars() {
        match it {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\u{0}'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(it));
            }
            it => json.push(it),
        }
    }
    json.push('"');
}
