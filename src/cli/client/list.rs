//! `list`: everything that the server offers, page after page.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{explained, output};
use crate::cli::Failure;
use crate::client::Connection;

/// The most pages that are read of one list.
const MAX_PAGES: usize = 1000;

#[derive(Args)]
pub(super) struct List {
    /// Only this list, as a JSON array.
    #[arg(value_enum)]
    only: Option<Kind>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Tools, Kind::Resources, Kind::Templates, Kind::Prompts];

    /// The field of the result.
    fn field(self) -> &'static str {
        match self {
            Kind::Tools => "tools",
            Kind::Resources => "resources",
            Kind::Templates => "resourceTemplates",
            Kind::Prompts => "prompts",
        }
    }

    /// The capability of the server.
    fn capability(self) -> &'static str {
        match self {
            Kind::Templates => "resources",
            other => other.field(),
        }
    }
}

impl List {
    pub(super) async fn run(
        self,
        connection: &Connection,
        wait: Duration,
    ) -> Result<ExitCode, Failure> {
        if let Some(kind) = self.only {
            let list = all(connection, kind.field(), wait).await?;
            return output::show(&array(&list));
        }
        let mut lists = BTreeMap::new();
        lists.insert("server", connection.info.to_string());
        let version = connection.era().as_str();
        lists.insert("protocolVersion", Value::from(version).to_string());
        if let Some(text) = &connection.instructions {
            lists.insert("instructions", Value::from(text.as_str()).to_string());
        }
        let capabilities = &connection.capabilities;
        for kind in Kind::ALL {
            if capabilities[kind.capability()].is_object() {
                let list = all(connection, kind.field(), wait).await?;
                lists.insert(kind.field(), array(&list));
            }
        }
        let fields = lists
            .iter()
            .map(|(name, json)| format!("\"{name}\":{json}"));
        output::show(&format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
    }
}

/// All entries of a list, as the server wrote them.
pub(super) async fn all(
    connection: &Connection,
    field: &'static str,
    wait: Duration,
) -> Result<Vec<Box<RawValue>>, Failure> {
    let method = match field {
        "tools" => "tools/list",
        "resources" => "resources/list",
        "resourceTemplates" => "resources/templates/list",
        _ => "prompts/list",
    };
    let mut all = Vec::new();
    let mut params = json!({});
    for _ in 0..MAX_PAGES {
        let page = connection
            .ask(method, params, wait)
            .await
            .map_err(explained)?;
        let mut page: BTreeMap<String, Box<RawValue>> = serde_json::from_str(page.get())?;
        let entries = page.remove(field).map(|it| serde_json::from_str(it.get()));
        let Some(Ok(entries)) = entries else {
            return Err(format!("the server answered `{method}` without a list `{field}`").into());
        };
        all.extend::<Vec<Box<RawValue>>>(entries);
        let cursor = page.remove("nextCursor");
        let cursor = cursor.and_then(|it| serde_json::from_str(it.get()).ok());
        match cursor {
            Some(Value::String(cursor)) => params = json!({"cursor": cursor}),
            _ => return Ok(all),
        }
    }
    Err(format!("the server has more than {MAX_PAGES} pages of `{field}`").into())
}

fn array(entries: &[Box<RawValue>]) -> String {
    let entries: Vec<&str> = entries.iter().map(|it| it.get()).collect();
    format!("[{}]", entries.join(","))
}
