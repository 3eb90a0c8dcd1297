//! The log of a function on the platform, line by line.

use serde_json::Value;
use tokio::time::timeout;

use super::platform::{PATIENCE, Platform};

impl Platform {
    /// The next line that the function wrote to its log, which must be JSON, without the warning that its callers are not
    /// checked.
    pub async fn line(&mut self) -> Value {
        loop {
            let line = self.any_line().await;
            if !is_open(&line) {
                return line;
            }
        }
    }

    /// The next line, whatever it is.
    pub async fn any_line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.log.next_line()).await;
        let line = line.expect("the function logs nothing").unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// Whether the line says that everybody may call.
pub fn is_open(line: &Value) -> bool {
    line.to_string()
        .contains("everybody who reaches this server")
}
