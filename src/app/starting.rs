//! An application before it is built: its settings, and the values that its functions will share.

use std::error::Error;

use futures_util::future::BoxFuture;
use http::Extensions;

use super::{App, Server, StartError};
use crate::config::{Config, Setting};

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

    /// Shares a value with all functions, as [`Starting::state`], and returns itself.
    pub fn with_state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Starting {
        self.state(value);
        self
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
    pub async fn start(config: Config, server: Server) -> Result<App, StartError> {
        started(config, server).await
    }
}

/// Boxed, so that it is compiled once, and not for each program that awaits it.
fn started(config: Config, mut server: Server) -> BoxFuture<'static, Result<App, StartError>> {
    Box::pin(async move {
        config.warn_of_unknown(&server.settings);
        config.check(&server.settings).map_err(StartError)?;
        let mut starting = Starting {
            config,
            state: server.state,
            settings: server.settings,
        };
        for start in server.on_start.drain(..) {
            starting = start(starting).await.map_err(|error| failed(&*error))?;
        }
        server.state = starting.state;
        server.settings = starting.settings;
        let app = App::new(starting.config, server)?;
        app.start_mounts();
        Ok(app)
    })
}

/// The sentence for the operator: the message of the error and of each source, once.
fn failed(error: &(dyn Error + 'static)) -> StartError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(&format!(": {inner_text}"));
        }
        source = inner.source();
    }
    StartError(vec![text])
}
