//! The imports that most programs need: `use bifold::prelude::*;`.

pub use std::process::ExitCode;

pub use serde::{Deserialize, Serialize};

pub use crate::app::Server;
pub use crate::context::Context;
pub use crate::error::{Error, Result};
pub use crate::registry::{Content, Prompt, Resource, Tool};
pub use crate::schema::JsonSchema;
