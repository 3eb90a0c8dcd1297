//! The capabilities of a client: what a function can ask of it.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The extension for tasks (SEP-2663).
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// One capability that a client declares.
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

/// The part of a client's declaration that is read.
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

    /// The JSON object with which a client declares all of `these`.
    pub fn declare(these: &[Capability]) -> Value {
        let mut all = json!({});
        for capability in these {
            let (name, settings) = match capability {
                // An empty declaration means forms; together with pages, forms must be declared too.
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
    /// Parses a client's declaration, a JSON object; one that cannot be parsed declares nothing.
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

    /// This set with one more capability.
    pub fn with(self, capability: Capability) -> Capabilities {
        Capabilities(self.0 | 1 << capability as u8)
    }

    /// Whether the set contains the capability.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }
}
