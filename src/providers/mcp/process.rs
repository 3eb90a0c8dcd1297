//! A child process that is a mounted server, with what goes in and comes out of it; one task owns it.

use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command as Program, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::failure::{Failure, error};
use super::lines::Lines;
use super::link::{Said, unbidden};
use super::mount::Transport;
use super::stdio::{Command, Commands, StdioLink, Teller};
use super::wire;
use crate::client::{Call, Message, Response};
use crate::error::Kind;

/// The variables of this process that a child process gets too: no settings and no secrets of this server.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TZ",
    "TERM",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
];

/// The most bytes that wait to be written to a process that reads too slowly.
const MAX_UNSENT: usize = 16 << 20;

/// The longest line of the log of the process that is repeated.
const MAX_LOG: usize = 4 << 10;

/// How long a process has to end by itself, and then after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// How often a process is checked for its end.
const STEP: Duration = Duration::from_millis(20);

/// How many checks follow the end of its output.
const REAPING: u32 = 25;

/// A running child process. Its process group is killed when this is dropped.
pub(super) struct Process {
    mount: Arc<str>,
    child: Child,
    is_ended: bool,
    input: Option<pipe::Sender>,
    output: pipe::Receiver,
    log: pipe::Receiver,
    commands: Commands,
    open: HashMap<u64, Teller>,
    unsent: BytesMut,
    max_bytes: usize,
    /// Is told when the server says that a list has changed.
    changed: mpsc::Sender<()>,
}

impl Process {
    /// Starts the process in its own process group.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(
        mount: &str,
        transport: &Transport,
        max_bytes: usize,
        changed: mpsc::Sender<()>,
    ) -> Result<(Process, StdioLink), String> {
        let Transport::Stdio {
            command,
            args,
            env,
            folder,
        } = transport
        else {
            return Err("it is not a child process".to_owned());
        };
        let mut program = Program::new(command);
        program.args(args).env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                program.env(name, value);
            }
        }
        program.envs(env).process_group(0);
        program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(folder) = folder {
            program.current_dir(folder);
        }
        let child = program.spawn();
        let mut child = child
            .map_err(|error| format!("`{}` cannot be started: {error}", wire::shown(command)))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(log)) = pipes else {
            return Err("it was started without pipes".to_owned());
        };
        let pipe = |error: std::io::Error| format!("its pipes cannot be used: {error}");
        let mount: Arc<str> = mount.into();
        let (link, commands) = StdioLink::new(mount.clone());
        let process = Process {
            mount,
            child,
            is_ended: false,
            input: Some(pipe::Sender::from_owned_fd(input.into()).map_err(pipe)?),
            output: pipe::Receiver::from_owned_fd(output.into()).map_err(pipe)?,
            log: pipe::Receiver::from_owned_fd(log.into()).map_err(pipe)?,
            commands,
            open: HashMap::new(),
            unsent: BytesMut::new(),
            max_bytes,
            changed,
        };
        Ok((process, link))
    }

    /// Passes messages on until the process ends or breaks the protocol.
    pub(super) async fn run(&mut self) -> String {
        let (mut read, mut logged) = (Lines::default(), Lines::default());
        let mut has_log = true;
        loop {
            let input = self.input.as_mut().filter(|_| !self.unsent.is_empty());
            let writing = async {
                match input {
                    Some(input) => input.write(&self.unsent).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                written = writing => match written {
                    Ok(bytes) if bytes > 0 => drop(self.unsent.split_to(bytes)),
                    _ => return self.reaped("it no longer reads its input").await,
                },
                more = self.output.read_buf(read.room()) => {
                    if !matches!(more, Ok(bytes) if bytes > 0) {
                        return self.reaped("it closed its output").await;
                    }
                    while let Some(line) = read.next() {
                        match line.is_cut {
                            true => self.refuse_long(&line.text),
                            false => self.hear(line.text.trim_ascii()),
                        }
                    }
                    if read.pending() > self.max_bytes {
                        read.shorten();
                    }
                }
                more = self.log.read_buf(logged.room()), if has_log => {
                    has_log = matches!(more, Ok(bytes) if bytes > 0);
                    self.repeat(&mut logged, !has_log);
                }
                command = self.commands.next() => match command {
                    Some(command) => self.obey(command),
                    None => return "it is no longer needed".to_owned(),
                },
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open(_, said) if said.is_closed() => {}
            Command::Open(request, said) => {
                if self.unsent.len() > MAX_UNSENT {
                    let problem = "does not read its requests";
                    let busy =
                        Failure::Unseen(error(&self.mount, Kind::UpstreamTimeout, None, problem));
                    said.end(Said::Ended(Err(busy)));
                    return;
                }
                self.open.insert(request.id, said);
                self.write(&request.body);
            }
            Command::Tell(body) => self.write(&body),
            Command::Forget(id) => {
                if self.open.remove(&id).is_some() {
                    let params = serde_json::json!({ "requestId": id, "reason": "the caller no longer waits" });
                    let cancelled = wire::notification("notifications/cancelled", Some(&params));
                    self.write(&cancelled);
                }
            }
        }
    }

    fn write(&mut self, body: &[u8]) {
        if self.unsent.len() <= MAX_UNSENT {
            self.unsent.extend_from_slice(body);
            self.unsent.extend_from_slice(b"\n");
        }
    }

    /// Passes on the messages of a line.
    fn hear(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        match wire::messages(line) {
            Ok(messages) => messages.into_iter().for_each(|it| self.pass_on(it)),
            // Some servers write their log where only messages belong.
            Err(problem) => {
                debug!(mount = &*self.mount, problem, "a line is not a message");
                self.refuse(wire::answered(line), &format!("sent {problem}"));
            }
        }
    }

    /// Refuses a response that is too long, of which only the beginning and the end are known.
    fn refuse_long(&mut self, text: &[u8]) {
        let only = self.open.keys().next().filter(|_| self.open.len() == 1);
        let id = wire::answered(text).or(only.copied());
        let problem = format!("answered with more than {} bytes", self.max_bytes);
        self.refuse(id, &problem);
    }

    /// Fails the request with this id, if it is open. The others go on.
    fn refuse(&mut self, id: Option<u64>, problem: &str) {
        if let Some(open) = id.and_then(|id| self.open.remove(&id)) {
            let kind = Kind::UpstreamInvalidResponse;
            let failure = Failure::broken(&self.mount, kind, problem);
            open.end(Said::Ended(Err(failure)));
        }
    }

    /// Gives a message to the request that it belongs to.
    fn pass_on(&mut self, message: Message) {
        match &message {
            Message::Response(Response { id, .. }) => {
                let id = id.as_ref().and_then(|it| it.get().parse().ok());
                if let Some(open) = id.and_then(|id| self.open.remove(&id)) {
                    open.end(Said::of(message));
                }
            }
            Message::Request(Call { id, method, .. }) => match self.only() {
                Some(only) if method != "ping" => {
                    let id = id.clone();
                    if !only.tell(Said::of(message)) {
                        let busy = Err((-32000, "the caller is busy"));
                        let reply = wire::reply(&id, busy);
                        self.write(&reply);
                    }
                }
                // With several calls at a time nothing says whose client is asked, and no other must answer.
                _ => {
                    let reply = wire::reply(id, unbidden(method));
                    self.write(&reply);
                }
            },
            Message::Notification { method, params } => {
                if method.ends_with("/list_changed") {
                    // A change that is not heard of yet covers this one.
                    let _ = self.changed.try_send(());
                    return;
                }
                let about = match progress_token(params.as_deref()) {
                    Some(id) => self.open.get(&id),
                    None => self.only(),
                };
                if let Some(open) = about {
                    open.tell(Said::of(message));
                }
            }
        }
    }

    /// The only open request: what the server says without naming a request is about it.
    fn only(&self) -> Option<&Teller> {
        match self.open.len() {
            1 => self.open.values().next(),
            _ => None,
        }
    }

    /// Repeats the log of the process in ours, line by line.
    fn repeat(&self, logged: &mut Lines, is_end: bool) {
        while let Some(line) = logged.next() {
            self.repeat_line(&line.text);
        }
        if is_end || logged.pending() > MAX_LOG {
            self.repeat_line(&logged.take_pending());
        }
    }

    fn repeat_line(&self, line: &[u8]) {
        let line = line.trim_ascii_end();
        let line = String::from_utf8_lossy(&line[..line.len().min(MAX_LOG)]);
        if !line.is_empty() {
            info!(mount = &*self.mount, %line, "log of a mounted server");
        }
    }

    /// Why a pipe is closed: by the end of the process, which closes its pipes a moment before, or for the given reason.
    async fn reaped(&mut self, otherwise: &str) -> String {
        self.commands.close();
        for _ in 0..REAPING {
            if let Some(status) = self.reap() {
                return format!("it ended with {status}");
            }
            tokio::time::sleep(STEP).await;
        }
        otherwise.to_owned()
    }

    /// The exit status, once the process has ended.
    fn reap(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        // The processes that it has started must not outlive it.
        self.signal(Signal::KILL);
        self.is_ended = true;
        Some(status)
    }

    /// Ends the process: by the end of its input, then by a signal, then by force.
    pub(super) async fn end(mut self) {
        self.commands.close();
        self.input = None;
        self.open.clear();
        for signal in [None, Some(Signal::TERM)] {
            if let Some(signal) = signal {
                self.signal(signal);
            }
            let tries = GRACE.as_millis() / STEP.as_millis();
            for _ in 0..tries {
                if !self.is_ended {
                    self.reap();
                }
                if self.is_ended {
                    return;
                }
                tokio::time::sleep(STEP).await;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.child.id().cast_signed()) {
            // The group may have ended already.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_ended {
            self.signal(Signal::KILL);
            // A killed process ends at once.
            let _ = self.child.wait();
        }
    }
}

/// The id of the request that a progress report is about, which we gave as its token.
fn progress_token(params: Option<&RawValue>) -> Option<u64> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        progress_token: u64,
    }
    let params: Params = serde_json::from_str(params?.get()).ok()?;
    Some(params.progress_token)
}
