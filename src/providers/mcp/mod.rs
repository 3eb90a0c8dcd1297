//! Mounted MCP servers: their tools, resources and prompts are offered with our own, on every protocol.
//!
//! `mount` and `file` declare them, `mounts` starts and stops them. `owner` is the task that owns the connection to one
//! server, with what it lists (`lists`, `offer`, `names`) and what the catalog has of it (`published`). Where the process is
//! frozen between requests, the owner has `visits`, and the lists are `kept`. `peer` is that server as its calls see it
//! (`call`, `bridge`), over a `link` (`http_link`, or `stdio` to a `process`) in the era of the server (`session`).

mod bridge;
mod call;
mod failure;
mod file;
mod http_link;
mod kept;
mod link;
mod listen;
mod lists;
mod mount;
mod mount_client;
mod mounts;
mod names;
mod offer;
mod owner;
mod params;
mod peer;
#[cfg(unix)]
mod process;
mod published;
mod session;
mod status;
#[cfg(unix)]
mod stdio;
mod uris;
mod visits;
mod watch_file;
mod wire;

pub use mount::Mount;
pub(crate) use mounts::Mounts;
pub(crate) use published::Change;
