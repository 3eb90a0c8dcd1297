//! The caller of a connection behind API Gateway: only the request that opens it has credentials, its messages have none.

use std::time::Duration;

use super::Sockets;
use super::connection::Connection;
use crate::auth::Principal;
use crate::context::Context;
use crate::error::{Error, Result};

/// The lifetime of the record: API Gateway closes a connection after two hours.
const LONGEST: Duration = Duration::from_secs(2 * 3600 + 300);

impl Sockets {
    /// Keeps the principal of a connection that is opened, unless the integration names it with each message.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keep_caller(&self, connection: &Connection, cx: &Context) -> Result<()> {
        let Some(principal) = cx.authenticated_principal() else {
            return Ok(());
        };
        let record = serde_json::to_string(principal);
        let record = record.map_err(|error| {
            Error::internal("the caller of a connection cannot be kept").with_source(error)
        })?;
        let created = self
            .store
            .create_for(cx.holder().as_deref(), &key(connection), record, LONGEST)
            .await?;
        match created {
            true => Ok(()),
            // API Gateway gives each connection an id of its own.
            false => Err(Error::internal("a connection was opened twice")),
        }
    }

    /// Gives the message the principal of its connection.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn recall_caller(&self, connection: &Connection, cx: &Context) -> Result<()> {
        if !cx.is_guarded() || cx.principal().is_some() {
            return Ok(());
        }
        let record = self.store.get(&key(connection)).await?;
        let principal: Option<Principal> =
            record.and_then(|it| serde_json::from_str(&it.value).ok());
        cx.set_principal(principal);
        Ok(())
    }

    /// Forgets the principal of a connection that has ended.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget_caller(&self, connection: &Connection, cx: &Context) -> Result<()> {
        match cx.is_guarded() {
            true => self.store.remove(&key(connection)).await,
            false => Ok(()),
        }
    }
}

fn key(connection: &Connection) -> String {
    format!("ws-caller#{}", connection.id())
}
