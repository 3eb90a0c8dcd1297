//! `listen`: prints each notification of the server as a line of JSON.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::explained;
use crate::cli::{Failure, print};
use crate::client::{Connection, Era, Event, Exchange, Failure as Refusal, Request};

#[derive(Args)]
pub(super) struct Listen {
    /// The URI of a resource whose changes matter. Repeat it for more.
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
}

impl Listen {
    pub(super) async fn run(
        self,
        connection: &Connection,
        wait: Duration,
    ) -> Result<ExitCode, Failure> {
        let opened = match connection.era() {
            Era::Modern => self.subscribe(connection, wait).await,
            Era::Legacy(_) => self.follow(connection, wait).await,
        };
        let mut exchange = opened.map_err(explained)?;
        loop {
            // Nothing may happen for a long time.
            match exchange.next(Duration::MAX).await.map_err(explained)? {
                Some(Event::Notification { method, params }) => {
                    let mut message = json!({"method": method});
                    if let Some(params) = params {
                        message["params"] = serde_json::from_str(params.get())?;
                    }
                    print(format!("{message}\n"))?;
                }
                Some(Event::Question(question)) => {
                    exchange.refuse(question, wait).await.map_err(explained)?;
                }
                Some(Event::Result(_)) | None => return Ok(ExitCode::SUCCESS),
            }
        }
    }

    /// Asks for every kind of change.
    async fn subscribe<'a>(
        &self,
        connection: &'a Connection,
        wait: Duration,
    ) -> Result<Exchange<'a>, Refusal> {
        let mut wanted = json!({
            "toolsListChanged": true,
            "promptsListChanged": true,
            "resourcesListChanged": true,
        });
        if !self.resource.is_empty() {
            wanted["resourceSubscriptions"] = Value::from(self.resource.clone());
        }
        let params = json!({"notifications": wanted});
        connection
            .start(Request::new("subscriptions/listen", params), wait)
            .await
    }

    /// Subscribes to the resources, and opens the stream of the session.
    async fn follow<'a>(
        &self,
        connection: &'a Connection,
        wait: Duration,
    ) -> Result<Exchange<'a>, Refusal> {
        for uri in &self.resource {
            connection
                .ask("resources/subscribe", json!({"uri": uri}), wait)
                .await?;
        }
        connection.listen(wait).await
    }
}
