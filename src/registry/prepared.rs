//! Descriptions and schemas of tools that were written to a file in advance: the first MCP list of a cold start then
//! generates no schemas.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use memchr::memchr_iter;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::warn;

use super::Registry;
use super::tool::Tool;
use crate::context::encode::raw_of;

/// The prepared tools of a server: a line for each, in columns with tabs between them, which JSON has none of. The name;
/// the description as JSON; the schema of the arguments; the schema of the result, empty where none is listed.
pub(crate) struct Prepared {
    text: &'static str,
    /// Read when they are first asked for.
    tools: OnceLock<BTreeMap<&'static str, PreparedTool>>,
}

/// The description and the schemas of one tool.
pub(crate) struct PreparedTool {
    /// A string of JSON, which is copied into lists.
    description: &'static str,
    decoded: OnceLock<String>,
    input: &'static str,
    output: Option<&'static str>,
}

impl Prepared {
    pub(crate) fn new(text: &'static str) -> Prepared {
        Prepared {
            text,
            tools: OnceLock::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&PreparedTool> {
        self.tools.get_or_init(|| read(self.text)).get(name)
    }
}

/// The parts of a text between occurrences of an ASCII byte.
fn split(text: &'static str, byte: u8) -> impl Iterator<Item = &'static str> {
    let ends = memchr_iter(byte, text.as_bytes()).chain([text.len()]);
    ends.scan(0, move |start, end| {
        let part = &text[*start..end];
        *start = end + 1;
        Some(part)
    })
}

/// A tool whose line cannot be read is listed by its types.
fn read(text: &'static str) -> BTreeMap<&'static str, PreparedTool> {
    let lines = split(text, b'\n').enumerate();
    let tools = lines
        .filter(|it| !it.1.is_empty())
        .filter_map(|(index, line)| {
            let tool = PreparedTool::read(line);
            if tool.is_none() {
                warn!(line = index + 1, "a prepared tool cannot be read");
            }
            tool
        });
    tools.collect()
}

impl PreparedTool {
    /// The tool in the line, with its name. Its JSON is not parsed again, which would cost as much as all else.
    fn read(line: &'static str) -> Option<(&'static str, PreparedTool)> {
        let mut columns = split(line, b'\t');
        let mut next = || columns.next();
        let (name, description, input, output) = (next()?, next()?, next()?, next()?);
        let tool = PreparedTool {
            description: Some(description).filter(|it| is_between(it, ['"', '"']))?,
            decoded: OnceLock::new(),
            input: Some(input).filter(|it| is_between(it, ['{', '}']))?,
            output: Some(output).filter(|it| !it.is_empty()),
        };
        let is_whole = tool.output.is_none_or(|it| is_between(it, ['{', '}']));
        (is_whole && next().is_none()).then_some((name, tool))
    }

    pub(super) fn description(&self) -> &str {
        let decode = || serde_json::from_str(self.description).unwrap_or_default();
        self.decoded.get_or_init(decode)
    }

    /// The description as a string of JSON.
    pub(crate) fn description_json(&self) -> Box<RawValue> {
        raw(self.description)
    }

    /// The schema of the arguments.
    pub(crate) fn input(&self) -> Box<RawValue> {
        raw(self.input)
    }

    /// The schema of the structured result.
    pub(crate) fn output(&self) -> Option<Box<RawValue>> {
        self.output.map(raw)
    }
}

fn raw(json: &str) -> Box<RawValue> {
    raw_of(json.to_owned()).expect("a text becomes a raw value")
}

fn is_between(json: &str, [start, end]: [char; 2]) -> bool {
    json.len() > 1 && json.starts_with(start) && json.ends_with(end)
}

impl Registry {
    /// The text that [`Server::prepared`](crate::Server::prepared) takes: the description and the schemas of each tool.
    ///
    /// Tools whose schemas are only known at run time ([`Tool::dynamic`]) are not in it.
    pub fn prepared(&self) -> String {
        let tools = self.tools().iter();
        let tools = tools.filter(|it| it.on_mcp() && !it.is_dynamic() && !it.finds_others());
        tools.map(|it| line(it)).collect()
    }
}

fn line(tool: &Tool) -> String {
    let (description, input) = (json!(tool.description()), tool.arguments());
    let output = tool.structured().as_ref().map(Value::to_string);
    let output = output.unwrap_or_default();
    format!("{}\t{description}\t{input}\t{output}\n", tool.name())
}
