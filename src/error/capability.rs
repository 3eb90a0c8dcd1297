//! What a client can do for a function that asks it.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The extension by which a call may go on as a task (SEP-2663).
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// Something that a client declares it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Show a form to its user ([`Context::elicit`](crate::Context::elicit)).
    Elicitation,
    /// Send its user to a page ([`Context::visit`](crate::Context::visit)).
    UrlElicitation,
    /// Ask its model ([`Context::sample`](crate::Context::sample)).
    Sampling,
    /// List the folders it works in ([`Context::roots`](crate::Context::roots)).
    Roots,
    /// Wait for a call as a task ([`Context::detach`](crate::Context::detach)).
    Tasks,
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities(u8);

/// What clients declare, as far as it is read.
#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    elicitation: Option<Elicitation>,
    #[serde(default)]
    sampling: Option<IgnoredAny>,
    #[serde(default)]
    roots: Option<IgnoredAny>,
    #[serde(default)]
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Elicitation {
    #[serde(default)]
    form: Option<IgnoredAny>,
    #[serde(default)]
    url: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Extensions {
    #[serde(default, rename = "io.modelcontextprotocol/tasks")]
    tasks: Option<IgnoredAny>,
}

impl Capability {
    /// Its name in the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Elicitation => "elicitation",
            Capability::UrlElicitation => "elicitation.url",
            Capability::Sampling => "sampling",
            Capability::Roots => "roots",
            Capability::Tasks => TASKS,
        }
    }

    /// How a client declares all of `these`: its capabilities, an object.
    pub fn declare(these: &[Capability]) -> Value {
        let mut all = json!({});
        for capability in these {
            let (name, settings) = match capability {
                // An empty declaration means forms, but no longer does with pages beside them.
                Capability::Elicitation if these.contains(&Capability::UrlElicitation) => {
                    ("elicitation", json!({ "form": {}, "url": {} }))
                }
                Capability::UrlElicitation if these.contains(&Capability::Elicitation) => continue,
                Capability::Elicitation => ("elicitation", json!({})),
                Capability::UrlElicitation => ("elicitation", json!({ "url": {} })),
                Capability::Sampling => ("sampling", json!({})),
                Capability::Roots => ("roots", json!({})),
                Capability::Tasks => ("extensions", json!({ TASKS: {} })),
            };
            all[name] = settings;
        }
        all
    }
}

impl Capabilities {
    /// Reads what a client declares, the text of a JSON object; what cannot be read was not declared.
    pub fn declared(text: &str) -> Capabilities {
        let Ok(declared) = serde_json::from_str::<Declared>(text) else {
            return Capabilities::default();
        };
        // An empty declaration of elicitation means forms (MCP 2026-07-28, elicitation).
        let (form, url) = match &declared.elicitation {
            Some(it) => (it.form.is_some() || it.url.is_none(), it.url.is_some()),
            None => (false, false),
        };
        let tasks = declared.extensions.is_some_and(|it| it.tasks.is_some());
        [
            (Capability::Elicitation, form),
            (Capability::UrlElicitation, url),
            (Capability::Sampling, declared.sampling.is_some()),
            (Capability::Roots, declared.roots.is_some()),
            (Capability::Tasks, tasks),
        ]
        .into_iter()
        .filter(|it| it.1)
        .fold(Capabilities::default(), |set, it| set.with(it.0))
    }

    /// The same and one more.
    pub fn with(self, capability: Capability) -> Capabilities {
        Capabilities(self.0 | 1 << capability as u8)
    }

    /// Whether it is among them.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }
}
