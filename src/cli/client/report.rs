//! What the server says while it works, on standard error: progress as a bar on a terminal, log messages.

use std::io::{IsTerminal, Write, stderr};

use serde_json::Value;
use serde_json::value::RawValue;

/// The characters of a full bar.
const WIDTH: usize = 24;

/// Shows notifications.
pub(super) struct Report {
    is_terminal: bool,
    /// Whether a bar stands on the last line of the terminal.
    has_bar: bool,
}

impl Report {
    pub(super) fn new() -> Report {
        Report {
            is_terminal: stderr().is_terminal(),
            has_bar: false,
        }
    }

    /// Shows a notification, if it is one for people.
    pub(super) fn hear(&mut self, method: &str, params: Option<&RawValue>) {
        let params = params.and_then(|it| serde_json::from_str(it.get()).ok());
        let params: Value = params.unwrap_or_default();
        match method {
            "notifications/progress" => self.progress(&params),
            "notifications/message" => {
                let level = params["level"].as_str().unwrap_or("log");
                let data = match &params["data"] {
                    Value::String(text) => text.clone(),
                    data => data.to_string(),
                };
                self.line(&format!("{level}: {data}"));
            }
            _ => {}
        }
    }

    /// Writes a line of text.
    pub(super) fn line(&mut self, text: &str) {
        self.end();
        eprintln!("{}", clean(text));
    }

    /// Ends the line of the bar.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.has_bar) {
            eprintln!();
        }
    }

    fn progress(&mut self, params: &Value) {
        let Some(done) = params["progress"].as_f64() else {
            return;
        };
        let message = clean(params["message"].as_str().unwrap_or(""));
        let text = match params["total"].as_f64().filter(|it| *it > 0.0) {
            Some(total) if self.is_terminal => format!("{} {message}", bar(done / total)),
            Some(total) => format!("progress {done}/{total} {message}"),
            None => format!("progress {done} {message}"),
        };
        let text = text.trim_end();
        if self.is_terminal {
            eprint!("\r\x1b[K{text}");
            // A bar that cannot be shown is missed by no program.
            let _ = stderr().flush();
            self.has_bar = true;
        } else {
            eprintln!("{text}");
        }
    }
}

fn bar(part: f64) -> String {
    let part = part.clamp(0.0, 1.0);
    let full = (part * WIDTH as f64) as usize;
    format!("[{:<WIDTH$}] {:>3.0} %", "#".repeat(full), part * 100.0)
}

/// The text without characters that a terminal would obey, which the server could have written.
pub(super) fn clean(text: &str) -> String {
    let shown = |it: char| if it.is_control() { ' ' } else { it };
    text.chars().map(shown).collect()
}
