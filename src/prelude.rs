//! The imports that most programs need: `use bifold::prelude::*;`.

pub use std::process::ExitCode;

pub use serde::{Deserialize, Serialize};
pub use serde_json::json;

pub use crate::app::Server;
pub use crate::context::Context;
pub use crate::error::{Error, Kind, Result};
pub use crate::registry::{Answer, Bytes, Content, Created, NoContent, Prompt, Resource, Tool};
pub use crate::schema::JsonSchema;
