//! What the four lists say of one function.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::registry::{Hints, Icon};

/// What a list says of one function.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Listed<'r> {
    Own(Box<Entry<'r>>),
    /// What another server says.
    Foreign(Value),
}

/// The fields of all lists and revisions, of which each entry has some.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'r> {
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(super) meta: Option<Cow<'r, Map<String, Value>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<Annotated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<Vec<Argument<'r>>>,
    pub(super) description: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    pub(super) icons: &'r [Icon],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<&'r str>,
    pub(super) name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri_template: Option<&'r str>,
}

/// The hints or annotations of an entry.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Annotated {
    Hints(Hints),
    Other(Value),
}

/// An argument of a prompt.
#[derive(Serialize)]
pub(super) struct Argument<'r> {
    pub(super) description: &'r str,
    pub(super) name: &'r str,
    pub(super) required: bool,
}

/// A page of a list.
pub(crate) struct Page<'p> {
    pub(super) fields: Fields,
    /// The field with the entries.
    pub(super) key: &'static str,
    pub(super) entries: &'p [Listed<'p>],
}

/// The fields of an object, each as JSON.
pub(super) type Fields = BTreeMap<&'static str, Box<RawValue>>;

impl Serialize for Page<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(None)?;
        for (key, value) in &self.fields {
            page.serialize_entry(key, value)?;
        }
        page.serialize_entry(self.key, self.entries)?;
        page.end()
    }
}
