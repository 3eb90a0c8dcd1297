//! One text for all texts of equal JSON: `1.0` and `1`, `"\u0061"` and `"a"`, fields in any order.

use std::collections::BTreeMap;

use serde_json::Value;

use super::number::Decimal;
use super::part::Part;
use super::value::Kind;

/// As deep as serde reads JSON.
const MAX_DEPTH: usize = 128;

/// The text; `None` for what is nested too deeply or no Unicode.
pub(super) fn canonical(raw: &str) -> Option<String> {
    let mut text = String::new();
    write(&Part::new(raw), &mut text, 0)?;
    Some(text)
}

fn write(part: &Part<'_>, text: &mut String, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    match part.kind() {
        Kind::Null | Kind::Boolean => text.push_str(part.raw()),
        Kind::Number => text.push_str(&Decimal::of(part.raw()).to_string()),
        Kind::String => text.push_str(&Value::from(part.text().ok()?).to_string()),
        Kind::Array => {
            text.push('[');
            for item in part.items().ok()? {
                write(&Part::new(item.get()), text, depth + 1)?;
                text.push(',');
            }
            text.push(']');
        }
        Kind::Object => {
            text.push('{');
            // Of a name that stands twice, the last one counts, as it does for those who decode.
            let fields: BTreeMap<_, _> = part
                .fields()
                .ok()?
                .iter()
                .map(|(name, raw)| (&**name, raw))
                .collect();
            for (name, raw) in fields {
                text.push_str(&Value::from(name).to_string());
                text.push(':');
                write(&Part::new(raw.get()), text, depth + 1)?;
                text.push(',');
            }
            text.push('}');
        }
    }
    Some(())
}
