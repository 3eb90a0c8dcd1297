//! Hints beside content and documents: whom they are for, how important they are, how old.

use serde::Serialize;

use crate::clock::Timestamp;

/// Hints for a client that has more than it can show or read (MCP `Annotations`).
///
/// ```
/// use bifold::{Annotations, Content};
/// let answer = Content::text("The report is below.")
///     .and_text("Rows were read: 12.")
///     .annotate(Annotations::default().for_assistant().priority(0.2));
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<Timestamp>,
}

impl Annotations {
    /// It is for the person. With [`for_assistant`](Annotations::for_assistant) it is for both, as without either.
    pub fn for_user(self) -> Annotations {
        self.meant_for("user")
    }

    /// It is for the model.
    pub fn for_assistant(self) -> Annotations {
        self.meant_for("assistant")
    }

    /// How important it is, from 0 (can be left out) to 1 (cannot). What lies beyond is moved to the nearer end, and
    /// what is not a number to 0: a bad hint must not cost an answer.
    pub fn priority(mut self, priority: f64) -> Annotations {
        // Not `clamp`, which would keep NaN.
        let priority = if priority > 0.0 {
            priority.min(1.0)
        } else {
            0.0
        };
        self.priority = Some(priority);
        self
    }

    /// When it last changed.
    pub fn last_modified(mut self, at: Timestamp) -> Annotations {
        self.last_modified = Some(at);
        self
    }

    fn meant_for(mut self, role: &'static str) -> Annotations {
        if !self.audience.contains(&role) {
            self.audience.push(role);
        }
        self
    }
}
