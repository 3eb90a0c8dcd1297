//! Imported OpenAPI documents: every operation that is allowed becomes a tool, whose call is a request to an upstream.
//!
//! | files | what they do |
//! |---|---|
//! | `import`, `settings` | the declaration of an import, in code and in the file of `BIFOLD_OPENAPI` |
//! | `yaml`, `document`, `library` | the files of a document, of which only what is asked for is decoded |
//! | `outline`, `names` | the operations of a document, and the names of their tools |
//! | `arguments`, `parameter`, `body`, `media`, `returns`, `plan` | one operation: its arguments and its result |
//! | `composed`, `choice`, `portable`, `keywords`, `wording` | schemas that every client takes |
//! | `servers`, `security` | where the API is, and with which credentials it is asked |
//! | `request`, `style`, `multipart`, `tool`, `problem` | one call |
//! | `load`, `report` | all of it together |

mod arguments;
mod body;
mod choice;
mod composed;
mod document;
mod import;
mod keywords;
mod library;
mod load;
mod media;
mod multipart;
mod names;
mod outline;
mod parameter;
mod plan;
mod portable;
mod problem;
#[cfg(feature = "cli")]
mod report;
mod request;
mod returns;
mod security;
mod servers;
mod settings;
mod style;
mod tool;
mod wording;
mod yaml;

pub use import::Import;
pub(crate) use load::load;
#[cfg(feature = "cli")]
pub(crate) use report::check;
pub(crate) use settings::read as imports_of;
