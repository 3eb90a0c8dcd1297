//! The functions of imported OpenAPI documents, and the APIs that they ask.

use super::Server;
use crate::config::Config;
#[cfg(feature = "openapi")]
use crate::registry::Functions;

#[cfg(feature = "openapi")]
impl Server {
    /// Adds the functions of the imports that the server and the settings name.
    ///
    /// # Errors
    /// A line for each import that cannot be used.
    pub(super) fn add_imports(&mut self, config: &Config) -> Result<(), Vec<String>> {
        use std::sync::Arc;

        use crate::providers::openapi;

        let mut imports = std::mem::take(&mut self.imports);
        let mut problems = Vec::new();
        if let Some(path) = &config.openapi {
            match openapi::imports_of(path) {
                Ok(more) => imports.extend(more),
                Err(problem) => problems.push(problem),
            }
        }
        for import in &imports {
            match openapi::load(import, config) {
                Ok(loaded) => {
                    for problem in loaded.left_out() {
                        tracing::warn!("an operation is not imported: {problem}");
                    }
                    self.search |= loaded.is_long;
                    self.upstreams.extend(loaded.upstreams);
                    let tools: Vec<_> = loaded.tools.into_iter().map(Arc::new).collect();
                    let add = |all: &mut Functions| all.tools.extend(tools);
                    self.functions.push(Box::new(add));
                }
                Err(problem) => problems.push(problem),
            }
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems),
        }
    }
}

#[cfg(not(feature = "openapi"))]
impl Server {
    /// Nothing is imported without the feature.
    ///
    /// # Errors
    /// The settings name imports.
    pub(super) fn add_imports(&mut self, config: &Config) -> Result<(), Vec<String>> {
        match config.openapi {
            None => Ok(()),
            Some(_) => Err(vec![
                "`BIFOLD_OPENAPI`: this program is built without the feature `openapi`".to_owned(),
            ]),
        }
    }
}
