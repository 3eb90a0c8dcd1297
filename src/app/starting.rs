//! An application before it is built: its settings, and the values that its functions will share.

use http::Extensions;

use super::{App, Server, StartError};
use crate::config::{Config, Setting};
use crate::error::Error;

/// What [`Server::on_start`] may read and change.
pub struct Starting {
    /// The settings of the process.
    pub config: Config,
    state: Extensions,
    settings: Vec<Setting>,
}

impl Starting {
    /// Shares a value with all functions, as [`Server::state`] does.
    pub fn state<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
        self.state.insert(value);
    }

    /// The value of a setting that the application declares; empty where it declares no such one.
    pub fn setting(&self, name: &str) -> &str {
        self.config.setting(&self.settings, name)
    }
}

impl App {
    /// Runs what [`Server::on_start`] was given, and builds the application.
    ///
    /// # Errors
    /// As [`App::new`], and the failure of what runs before.
    pub async fn start(config: Config, mut server: Server) -> Result<App, StartError> {
        config.warn_of_unknown(&server.settings);
        config.check(&server.settings).map_err(StartError)?;
        let mut starting = Starting {
            config,
            state: server.state,
            settings: server.settings,
        };
        for start in server.on_start.drain(..) {
            starting = start(starting).await.map_err(failed)?;
        }
        server.state = starting.state;
        server.settings = starting.settings;
        App::new(starting.config, server)
    }
}

/// The sentence for the operator: the message of the error and its source.
fn failed(error: Error) -> StartError {
    use std::error::Error as _;
    let source = error.source().map(|it| format!(": {it}"));
    StartError(vec![format!("{error}{}", source.unwrap_or_default())])
}
