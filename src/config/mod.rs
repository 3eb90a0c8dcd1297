//! Every setting once: its variable, its default, its meaning.

mod address;
mod aws;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::config::key::Key;

use address::{base_path, endpoint, hosts, origins, public_url};
pub use aws::{AwsConfig, Secret};

/// The settings of one process. [`Config::default`] holds the defaults, [`Config::from_env`] reads the environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// `BIFOLD_LISTEN`: the local server's address. Default `127.0.0.1:8787`.
    pub listen: SocketAddr,
    /// `BIFOLD_REPLAY` (`true`, `false`): serve recorded upstream bodies. Default `false`.
    pub replay: bool,
    /// `BIFOLD_REPLAY_FAULTS` (e.g. `explorer=500@20,lcd=delay:3000`): lets recorded answers go wrong, for trying out
    /// what happens then; [`Plan`](crate::provenance::replay::Plan) lists the faults. Default none.
    pub replay_faults: String,
    /// `BIFOLD_<NAME>_URL`: the base URL of the upstream called NAME, instead of its own default.
    pub upstream_urls: BTreeMap<String, String>,
    /// `BIFOLD_UPSTREAM_TIMEOUT_MS`: the time that one upstream request has with all its tries and waits; a single try is
    /// given up after two fifths of it where another one is allowed. Default 10 s.
    pub upstream_timeout: Duration,
    /// `BIFOLD_MAX_UPSTREAM_BYTES`: the largest upstream body that is read. Default 8 MiB.
    pub max_upstream_bytes: usize,
    /// `BIFOLD_UPSTREAM_TRIES`: how often one upstream request is tried at the most. Default 3.
    pub upstream_tries: u32,
    /// `BIFOLD_UPSTREAM_BREAKER`: after how many failures in a row a path class of an upstream is left alone for a
    /// moment; `0` never does. Default 5.
    pub upstream_breaker: u32,
    /// `BIFOLD_UPSTREAM_LIMITS` (`true`, `false`): keep to the limits that each upstream declares. Default `true`.
    pub upstream_limits: bool,
    /// `BIFOLD_CACHE_BYTES`: how much of what upstreams answered is kept; `0` keeps nothing. Default 16 MiB.
    pub cache_bytes: usize,
    /// `BIFOLD_USER_AGENT`: what upstreams are told of who calls. Default `bifold/<version>`.
    pub user_agent: String,
    /// `BIFOLD_CALL_TIMEOUT_MS`: the longest one call may take, where no invocation sets a shorter limit. Default 30 s.
    pub call_timeout: Duration,
    /// `BIFOLD_INPUT_TIMEOUT_MS`: how long a client may take to answer what a function asks of it. Default 10 min.
    pub input_timeout: Duration,
    /// `BIFOLD_TASK_TIMEOUT_MS`: the longest that a call may go on as a task. Default 15 min.
    pub task_timeout: Duration,
    /// `BIFOLD_STATE_KEYS` (comma-separated, 64 hexadecimal digits each): what clients keep for this server between two
    /// rounds of a call is sealed with the first key and opened with any; all processes of one application must have
    /// the same. Default a key that dies with the process.
    pub state_keys: Vec<Key>,
    /// `AWS_LAMBDA_FUNCTION_NAME`, which the Lambda platform sets: the function's name there. Such a process is frozen
    /// between two requests. Default none.
    pub function: Option<String>,
    /// `BIFOLD_DEADLINE_MARGIN_MS`: how long before the end of a Lambda invocation its call must have answered, at
    /// most a quarter of the function's timeout. Default 500 ms.
    pub deadline_margin: Duration,
    /// `BIFOLD_STREAM_MARGIN_MS`: the same for a stream, which has more to bring to an end. Default 30 s.
    pub stream_margin: Duration,
    /// `BIFOLD_INVOKE_MODE` (`buffered`, `response_stream`): the `InvokeMode` of the Function URL. Default `buffered`.
    pub invoke_mode: Transfer,
    /// `BIFOLD_RESPONSE_TRANSFER_MODE` (`buffered`, `stream`): the `ResponseTransferMode` of the REST API. Default
    /// `buffered`.
    pub response_transfer_mode: Transfer,
    /// `BIFOLD_BASE_PATH` (e.g. `/v1`): what stands before every path where a custom domain or a load balancer maps a
    /// base path to this function; taken away where it is there. Default none.
    pub base_path: String,
    /// `BIFOLD_MAX_REQUEST_BYTES`: the largest request body that is read. Default 1 MiB.
    pub max_request_bytes: usize,
    /// `BIFOLD_MAX_RESPONSE_BYTES`: the largest response to one request, with all that a batch or a nested call adds to
    /// it; of a stream, the largest message. On Lambda never more than the integration takes. Default 5 MiB.
    pub max_response_bytes: usize,
    /// `BIFOLD_MAX_BUFFERED_BYTES`: how many bytes of heads, bodies and messages are held at a time, of requests above
    /// 16 KiB; what does not fit is refused with 503. Default 64 MiB.
    pub max_buffered_bytes: usize,
    /// `BIFOLD_MAX_CONNECTIONS`: how many connections the local server has open, fewer where the process may not open so
    /// many files; beyond, requests are refused with 503. Default 1,024.
    pub max_connections: usize,
    /// `BIFOLD_ALLOWED_ORIGINS` (comma-separated, e.g. `https://claude.ai`): origins whose pages may call from a browser
    /// and read the answers of every path, beside the server's own. Default none.
    pub allowed_origins: Vec<String>,
    /// `BIFOLD_ALLOWED_HOSTS` (comma-separated, e.g. `api.example.com,*.example.org,localhost:8787`): the hosts that
    /// requests may name, beside those of the allowed origins and of the public URL; `*.` stands for every name below, and
    /// a host without a port for any port. All others are refused on every path. Default none: a server that listens on
    /// loopback takes the names of its machine, any other takes every host.
    pub allowed_hosts: Vec<String>,
    /// `BIFOLD_PUBLIC_URL` (e.g. `https://api.example.com/v1`): the URL under which clients reach this server, for documents
    /// that name it. Default the URL of each request.
    pub public_url: Option<String>,
    /// `BIFOLD_ADDRESS_PREFIX` (`pb`, `tp`): the network whose wallet addresses are taken, mainnet or testnet. Default `pb`.
    pub address_prefix: String,
    /// `BIFOLD_TABLE`: the DynamoDB table of short-lived records, for more processes than one. Default none: they are in
    /// the memory of the process.
    pub table: Option<String>,
    /// `BIFOLD_WS_ENDPOINT` (e.g. `https://abc.execute-api.us-east-1.amazonaws.com/ws`): the WebSocket API of API Gateway
    /// through which clients of Lambda are answered, for a domain of one's own. Default the API that an event comes from.
    pub ws_endpoint: Option<String>,
    /// `BIFOLD_CLOCK` (RFC 3339): a clock that stands still, for recorded data. Default the system's clock.
    pub clock: Clock,
    /// `BIFOLD_METRICS_NAMESPACE` (e.g. `bifold`): CloudWatch metrics are written under this name, as a part of the line
    /// that each request has in the log. Default none are written.
    pub metrics_namespace: Option<String>,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` (e.g. `http://127.0.0.1:4318`): the OpenTelemetry collector that gets a span for each
    /// request, where the crate is built with the feature `otel`. Default none.
    pub collector: Option<String>,
    /// `BIFOLD_LOG`: log levels, e.g. `info` or `warn,bifold=debug`. Default `info`.
    pub log: String,
    /// `AWS_*`: region, credentials and endpoints, as [`AwsConfig`] lists them.
    pub aws: AwsConfig,
}

/// How a integration of Lambda hands answers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Whole.
    Buffered,
    /// As they are made.
    Streamed,
}

/// A setting that cannot be used.
#[derive(Debug)]
pub struct ConfigError(String);

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)),
            replay: false,
            replay_faults: String::new(),
            upstream_urls: BTreeMap::new(),
            upstream_timeout: Duration::from_secs(10),
            max_upstream_bytes: 8 << 20,
            upstream_tries: 3,
            upstream_breaker: 5,
            upstream_limits: true,
            cache_bytes: 16 << 20,
            user_agent: concat!("bifold/", env!("CARGO_PKG_VERSION")).to_owned(),
            call_timeout: Duration::from_secs(30),
            input_timeout: Duration::from_secs(600),
            task_timeout: Duration::from_secs(900),
            state_keys: Vec::new(),
            function: None,
            deadline_margin: Duration::from_millis(500),
            stream_margin: Duration::from_secs(30),
            invoke_mode: Transfer::Buffered,
            response_transfer_mode: Transfer::Buffered,
            base_path: String::new(),
            max_request_bytes: 1 << 20,
            max_response_bytes: 5 << 20,
            max_buffered_bytes: 64 << 20,
            max_connections: 1024,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            public_url: None,
            address_prefix: "pb".to_owned(),
            table: None,
            ws_endpoint: None,
            clock: Clock::System,
            metrics_namespace: None,
            collector: None,
            log: "info".to_owned(),
            aws: AwsConfig::default(),
        }
    }
}

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// The variable that holds something else than it should.
    pub fn from_env() -> Result<Config, ConfigError> {
        let vars = std::env::vars_os().filter_map(|(name, value)| {
            // Other names are not ours; a value of ours that is not Unicode is told like any other that is wrong.
            let name = name.into_string().ok()?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        Config::from_vars(vars)
    }

    /// Reads the given variables: all with the prefix `BIFOLD_`, and of those with `AWS_` the ones that it knows.
    ///
    /// # Errors
    /// The variable that is unknown or holds something else than it should.
    pub fn from_vars(vars: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        for (name, value) in vars {
            if name == "AWS_LAMBDA_FUNCTION_NAME" {
                config.function = Some(value);
            } else if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
                config.collector = Some(value).filter(|it| !it.is_empty());
            } else if let Some(setting) = name.strip_prefix("BIFOLD_") {
                config
                    .set(setting, &value)
                    .map_err(|problem| ConfigError(format!("`{name}`: {problem}")))?;
            } else if let Some(variable) = name.strip_prefix("AWS_") {
                config.aws.set(variable, &value);
            }
        }
        Ok(config)
    }

    /// Whether the process stands still between two requests: then it can tell nobody anything in between.
    pub fn is_frozen(&self) -> bool {
        self.function.is_some()
    }

    /// The time after which one try of an upstream request is given up, where another one is allowed.
    pub(crate) fn try_timeout(&self) -> Duration {
        self.upstream_timeout * 2 / 5
    }

    /// The time of upstream requests that follow one another: that of one request, and of one more try.
    pub fn sequence_timeout(&self) -> Duration {
        self.upstream_timeout + self.try_timeout()
    }

    fn set(&mut self, setting: &str, value: &str) -> Result<(), String> {
        match setting {
            "LISTEN" => {
                self.listen = value
                    .parse()
                    .map_err(|_| "expected an address such as `127.0.0.1:8787`")?
            }
            "REPLAY" => self.replay = boolean(value)?,
            "REPLAY_FAULTS" => self.replay_faults = value.to_owned(),
            "UPSTREAM_TIMEOUT_MS" => self.upstream_timeout = milliseconds(value)?,
            "MAX_UPSTREAM_BYTES" => self.max_upstream_bytes = bytes(value)?,
            "UPSTREAM_TRIES" => {
                self.upstream_tries = match value.parse() {
                    Ok(tries @ 1..=10) => tries,
                    _ => return Err("expected a whole number from 1 to 10".into()),
                }
            }
            "UPSTREAM_BREAKER" => {
                self.upstream_breaker =
                    value.parse().map_err(|_| "expected a number of failures")?
            }
            "UPSTREAM_LIMITS" => self.upstream_limits = boolean(value)?,
            "CACHE_BYTES" => {
                self.cache_bytes = value.parse().map_err(|_| "expected a number of bytes")?
            }
            "USER_AGENT" => self.user_agent = value.to_owned(),
            "CALL_TIMEOUT_MS" => self.call_timeout = milliseconds(value)?,
            "INPUT_TIMEOUT_MS" => self.input_timeout = milliseconds(value)?,
            "TASK_TIMEOUT_MS" => self.task_timeout = milliseconds(value)?,
            "STATE_KEYS" => self.state_keys = keys(value)?,
            "DEADLINE_MARGIN_MS" => self.deadline_margin = margin(value)?,
            "STREAM_MARGIN_MS" => self.stream_margin = margin(value)?,
            "INVOKE_MODE" => self.invoke_mode = transfer(value, "response_stream")?,
            "RESPONSE_TRANSFER_MODE" => self.response_transfer_mode = transfer(value, "stream")?,
            "BASE_PATH" => self.base_path = base_path(value)?,
            "MAX_REQUEST_BYTES" => self.max_request_bytes = bytes(value)?,
            "MAX_RESPONSE_BYTES" => self.max_response_bytes = bytes(value)?,
            "MAX_BUFFERED_BYTES" => self.max_buffered_bytes = bytes(value)?,
            "MAX_CONNECTIONS" => {
                self.max_connections =
                    bytes(value).map_err(|_| "expected a number of connections above 0")?
            }
            "ALLOWED_ORIGINS" => self.allowed_origins = origins(value)?,
            "ALLOWED_HOSTS" => self.allowed_hosts = hosts(value)?,
            "PUBLIC_URL" => self.public_url = Some(public_url(value)?),
            "ADDRESS_PREFIX" => match value {
                "pb" | "tp" => self.address_prefix = value.to_owned(),
                _ => return Err("expected `pb` or `tp`".into()),
            },
            "TABLE" => self.table = Some(table(value)?),
            "WS_ENDPOINT" => self.ws_endpoint = Some(endpoint(value)?),
            "CLOCK" => self.clock = Clock::Fixed(Timestamp::parse(value)?),
            "METRICS_NAMESPACE" => self.metrics_namespace = Some(namespace(value)?),
            "LOG" => self.log = value.to_owned(),
            _ => match setting.strip_suffix("_URL") {
                Some(upstream) => drop(
                    self.upstream_urls
                        .insert(upstream.to_ascii_lowercase(), value.to_owned()),
                ),
                None => return Err("there is no such setting".into()),
            },
        }
        Ok(())
    }
}

/// Keys are never repeated in a message, not even wrong ones.
fn keys(value: &str) -> Result<Vec<Key>, String> {
    let keys: Option<Vec<Key>> = value.split(',').map(|it| Key::parse(it.trim())).collect();
    keys.ok_or_else(|| {
        "expected keys of 64 hexadecimal digits, as `openssl rand -hex 32` gives".into()
    })
}

fn boolean(value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| "expected `true` or `false`".into())
}

fn milliseconds(value: &str) -> Result<Duration, String> {
    match value.parse() {
        // A day is beyond every limit of the platforms; more would overflow a deadline.
        Ok(ms @ 1..=86_400_000) => Ok(Duration::from_millis(ms)),
        _ => Err("expected milliseconds, a whole number from 1 to 86400000".into()),
    }
}

/// Milliseconds, or none at all.
fn margin(value: &str) -> Result<Duration, String> {
    match value {
        "0" => Ok(Duration::ZERO),
        _ => milliseconds(value),
    }
}

/// In the platform's own words, which templates write in capitals.
fn transfer(value: &str, streamed: &str) -> Result<Transfer, String> {
    match value {
        _ if value.eq_ignore_ascii_case("buffered") => Ok(Transfer::Buffered),
        _ if value.eq_ignore_ascii_case(streamed) => Ok(Transfer::Streamed),
        _ => Err(format!("expected `buffered` or `{streamed}`")),
    }
}

/// A name as CloudWatch takes it; those that begin with `AWS/` are its own.
fn namespace(value: &str) -> Result<String, String> {
    let is_legal = |it: u8| it.is_ascii_alphanumeric() || b".-_/#".contains(&it);
    let is_name = (1..=255).contains(&value.len()) && value.bytes().all(is_legal);
    match is_name && !value.starts_with("AWS/") {
        true => Ok(value.to_owned()),
        false => Err("expected 1 to 255 characters of `A-Z`, `a-z`, `0-9`, `.-_/#`, not beginning with `AWS/`".into()),
    }
}

fn bytes(value: &str) -> Result<usize, String> {
    value
        .parse()
        .ok()
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "expected a number of bytes above 0".into())
}

/// The name of a table, by the rules of DynamoDB.
fn table(value: &str) -> Result<String, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    match (3..=255).contains(&value.len()) && value.bytes().all(is_name) {
        true => Ok(value.to_owned()),
        false => {
            Err("expected a table name: 3 to 255 of `a-z`, `A-Z`, `0-9`, `_`, `.`, `-`".into())
        }
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
