//! Results of other MCP servers, which are passed on as they are: only what the revision of the client demands is changed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::mcp::messages::blocks;
use crate::mcp::messages::result::ServerMeta;
use crate::mcp::messages::version::Shape;
use crate::registry::Entries;

/// A result in the form of one revision.
struct Adapted<'a> {
    entries: Entries<'a>,
    shape: Shape,
    server: &'a RawValue,
}

/// The result for a client of that revision. Its values are not parsed, so that nothing of them is lost.
pub(crate) fn adapted(result: &RawValue, shape: Shape, server: &RawValue) -> Box<RawValue> {
    let Ok(entries) = serde_json::from_str::<Entries<'_>>(result.get()) else {
        return result.to_owned();
    };
    let adapted = Adapted {
        entries,
        shape,
        server,
    };
    to_raw_value(&adapted).expect("what was JSON is JSON")
}

impl Adapted<'_> {
    /// Whether the revision of the client has this field.
    fn keeps(&self, key: &str, value: &RawValue) -> bool {
        match key {
            // It has one meaning here: the result is complete.
            "resultType" => false,
            "structuredContent" => {
                // Earlier revisions know objects only.
                let is_object = value.get().starts_with('{');
                self.shape == Shape::Modern || (self.shape >= Shape::Structured && is_object)
            }
            "ttlMs" | "cacheScope" => self.shape == Shape::Modern,
            _ => true,
        }
    }
}

impl Serialize for Adapted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if self.shape == Shape::Modern {
            map.serialize_entry("resultType", "complete")?;
            if !self.entries.has("_meta") {
                map.serialize_entry("_meta", &ServerMeta::new(self.server))?;
            }
            if self.entries.has("contents") && !self.entries.has("ttlMs") {
                map.serialize_entry("ttlMs", &0)?;
                map.serialize_entry("cacheScope", "private")?;
            }
        }
        for (key, value) in self.entries.iter() {
            match key {
                "content" => map.serialize_entry(key, &blocks::known(value, self.shape))?,
                key if self.keeps(key, value) => map.serialize_entry(key, value)?,
                _ => {}
            }
        }
        map.end()
    }
}
