//! Rules for the names of functions.

use super::{Finding, Severity};

/// The longest name that the interfaces of models take.
const MAX_NAME: usize = 64;

pub(super) fn findings(function: &str) -> Vec<Finding> {
    let finding = |problem: String, clients, remedy| Finding {
        severity: Severity::Warning,
        function: function.to_owned(),
        place: "name".to_owned(),
        problem,
        clients,
        remedy,
    };
    let mut found = Vec::new();
    let length = function.len();
    if length > MAX_NAME {
        let problem = format!("the name has {length} characters, more than {MAX_NAME}");
        // https://platform.openai.com/docs/api-reference/responses/create (tools, name)
        found.push(finding(
            problem,
            "OpenAI, and clients that put the name of the server before it",
            "choose a shorter name",
        ));
    }
    if function.contains('.') {
        let problem = "the name has a `.`".to_owned();
        found.push(finding(
            problem,
            "the interfaces of OpenAI and Anthropic, unless the client replaces it",
            "write `_` or `-` instead",
        ));
    }
    found
}
