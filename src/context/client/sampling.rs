//! A question to the client's model, and its answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A question to the client's model (MCP `sampling/createMessage`).
///
/// ```
/// use bifold::Sampling;
/// let question = Sampling::new("What is the capital of France?", 100).system("Answer in one word.");
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sampling {
    messages: Vec<SamplingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    max_tokens: u32,
}

#[derive(Clone, Debug, Serialize)]
struct SamplingMessage {
    role: &'static str,
    content: Text,
}

#[derive(Clone, Debug, Serialize)]
struct Text {
    r#type: &'static str,
    text: String,
}

/// What the client's model answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sampled {
    /// The content block, or a list of them, as the client sent it.
    pub content: Value,
    /// The model's name.
    pub model: String,
    /// Why the model stopped, where the client says so.
    #[serde(default)]
    pub stop_reason: Option<String>,
}

impl Sampling {
    /// A message of the user, to be answered in at most `max_tokens` tokens.
    pub fn new(text: impl Into<String>, max_tokens: u32) -> Sampling {
        let sampling = Sampling {
            messages: Vec::new(),
            system_prompt: None,
            temperature: None,
            max_tokens,
        };
        sampling.turn("user", text)
    }

    /// Adds the model's answer to the last message, to continue a conversation.
    pub fn answered(self, text: impl Into<String>) -> Sampling {
        self.turn("assistant", text)
    }

    /// Adds one more message of the user.
    pub fn asked(self, text: impl Into<String>) -> Sampling {
        self.turn("user", text)
    }

    /// Sets the system prompt.
    pub fn system(mut self, text: impl Into<String>) -> Sampling {
        self.system_prompt = Some(text.into());
        self
    }

    /// Sets the sampling temperature.
    pub fn temperature(mut self, temperature: f64) -> Sampling {
        self.temperature = Some(temperature);
        self
    }

    fn turn(mut self, role: &'static str, text: impl Into<String>) -> Sampling {
        let content = Text {
            r#type: "text",
            text: text.into(),
        };
        self.messages.push(SamplingMessage { role, content });
        self
    }
}

impl Sampled {
    /// The text of the answer; empty where the answer is not text.
    pub fn text(&self) -> &str {
        let block = self.content.get(0).unwrap_or(&self.content);
        block.get("text").and_then(Value::as_str).unwrap_or("")
    }
}
