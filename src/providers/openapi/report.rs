//! `import check`: a table of what becomes of every operation.

use std::path::Path;

use super::document::Document;
use super::import::Import;
use super::load::{Row, read};
use super::settings;
use crate::config::Config;

/// The table of a document, or of each document of a list of imports.
///
/// # Errors
/// The file that cannot be imported at all.
pub(crate) fn check(file: &str) -> Result<String, String> {
    let failed = |problem: String| format!("`{file}`: {problem}");
    let text = std::fs::read_to_string(file)
        .map_err(|error| failed(format!("it cannot be read: {error}")))?;
    let is_list = {
        let document = Document::read(text).map_err(failed)?;
        settings::is_list(&document)
    };
    let imports = match is_list {
        true => settings::read(file)?,
        // The name does not matter here, and a file may have any.
        false => vec![Import::file(Path::new(file)).name("api")],
    };
    let mut out = String::new();
    for import in &imports {
        let shown = import.shown();
        let loaded = read(import, &Config::default(), true);
        let loaded = loaded.map_err(|problem| format!("import {shown}: {problem}"))?;
        let left_out = loaded.rows.iter().filter(|it| it.outcome.is_err()).count();
        for row in &loaded.rows {
            out.push_str(&line(row));
        }
        out.push_str(&format!(
            "{shown}: {} operations, {} imported, {left_out} left out\n",
            loaded.rows.len(),
            loaded.tools.len()
        ));
        if import.allow.is_empty() && loaded.rows.len() > super::load::MAX_UNNAMED {
            out.push_str("it is long: name the operations that are needed with `allow`, or import all with `allow_all`\n");
        }
    }
    Ok(out)
}

fn line(row: &Row) -> String {
    match &row.outcome {
        Ok((name, notes)) if notes.is_empty() => format!("{name:<40} {}\n", row.label),
        Ok((name, notes)) => format!("{name:<40} {} ({})\n", row.label, notes.join("; ")),
        Err(problem) => format!("{:<40} {}: {problem}\n", "left out", row.label),
    }
}
