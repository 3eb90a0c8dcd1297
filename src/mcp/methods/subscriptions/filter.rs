//! The changes that a client subscribes to.

use serde::{Deserialize, Deserializer, Serialize};

use crate::context::updates::{Topic, Update, Updates};

/// The maximum number of resources in one subscription.
const MAX_RESOURCES: usize = 1000;

/// The changes of one stream, in wire form.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Filter {
    #[serde(deserialize_with = "given", skip_serializing_if = "is_false")]
    tools_list_changed: bool,
    #[serde(deserialize_with = "given", skip_serializing_if = "is_false")]
    prompts_list_changed: bool,
    #[serde(deserialize_with = "given", skip_serializing_if = "is_false")]
    resources_list_changed: bool,
    #[serde(deserialize_with = "given", skip_serializing_if = "Vec::is_empty")]
    resource_subscriptions: Vec<String>,
}

impl Filter {
    /// The part that this process can deliver.
    pub(crate) fn honoured(mut self, updates: &Updates) -> Filter {
        self.tools_list_changed &= updates.has(Topic::Tools);
        self.prompts_list_changed &= updates.has(Topic::Prompts);
        self.resources_list_changed &= updates.has(Topic::Resources);
        self.resource_subscriptions
            .truncate(match updates.has(Topic::Contents) {
                true => MAX_RESOURCES,
                false => 0,
            });
        self
    }

    /// All list changes.
    pub(crate) fn lists() -> Filter {
        Filter {
            tools_list_changed: true,
            prompts_list_changed: true,
            resources_list_changed: true,
            resource_subscriptions: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let lists =
            self.tools_list_changed || self.prompts_list_changed || self.resources_list_changed;
        !lists && self.resource_subscriptions.is_empty()
    }

    pub(crate) fn admits(&self, update: &Update) -> bool {
        match update {
            Update::Tools => self.tools_list_changed,
            Update::Prompts => self.prompts_list_changed,
            Update::Resources => self.resources_list_changed,
            Update::Contents(uri) => self.resource_subscriptions.contains(uri),
        }
    }

    /// Every change that the filter admits.
    pub(crate) fn everything(&self) -> Vec<Update> {
        let documents = self
            .resource_subscriptions
            .iter()
            .cloned()
            .map(Update::Contents);
        let lists = [Update::Tools, Update::Prompts, Update::Resources];
        lists.into_iter().chain(documents).collect()
    }
}

/// An optional field; `null` means absent.
fn given<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn is_false(value: &bool) -> bool {
    !value
}
