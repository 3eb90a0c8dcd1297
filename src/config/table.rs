//! The table of all settings, from which the fields of [`Config`], its defaults, the reading of the environment, `--help`
//! and the documentation are made.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::kind::{self, Kind};
use super::{AwsConfig, Key, Setting, Transfer};
use crate::clock::Clock;

/// One row for each setting: its group, then `field: type = default, kind, variable, meaning`.
macro_rules! settings {
    ($($group:literal { $($field:ident: $type:ty = $default:expr, $kind:expr, $variable:literal, $meaning:literal;)+ })+) => {
        /// The settings of one process. [`Config::default`] holds the defaults, [`Config::from_env`] reads the
        /// environment.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct Config {
            $($(
                #[doc = concat!("`", $variable, "`: ", $meaning)]
                pub $field: $type,
            )+)+
            /// `BIFOLD_<NAME>_URL`: the base URL of the upstream called NAME, instead of its own default.
            pub upstream_urls: BTreeMap<String, String>,
            /// `AWS_*`: region, credentials and endpoints, as [`AwsConfig`] lists them.
            pub aws: AwsConfig,
            /// The application's own settings by their variables, as [`Server::setting`](crate::Server::setting)
            /// declares them; those that are not given have their default.
            pub application: BTreeMap<String, String>,
        }

        impl Default for Config {
            fn default() -> Config {
                Config {
                    $($($field: $default,)+)+
                    upstream_urls: BTreeMap::new(),
                    aws: AwsConfig::default(),
                    application: BTreeMap::new(),
                }
            }
        }

        impl Config {
            /// Takes a variable over; `None` where the table has no such one.
            ///
            /// # Errors
            /// A sentence for a value that cannot be used.
            pub(super) fn set(&mut self, variable: &str, value: &str) -> Option<Result<(), String>> {
                let read = match variable {
                    $($($variable => ($kind.parse)(value).map(|it| self.$field = it),)+)+
                    _ => return None,
                };
                Some(read)
            }

            /// Every setting of the library with its default, by group.
            pub fn settings() -> Vec<(&'static str, Vec<Setting>)> {
                let defaults = Config::default();
                vec![$(
                    ($group, vec![$({
                        let kind: &Kind<$type> = &$kind;
                        let default = (kind.show)(&defaults.$field);
                        Setting::of_library($variable, default, kind.takes, $meaning)
                    },)+]),
                )+]
            }
        }
    };
}

settings! {
    "Server" {
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8787)), kind::ADDRESS, "BIFOLD_LISTEN",
            "the address of the local server.";
        call_timeout: Duration = Duration::from_secs(30), kind::MILLISECONDS, "BIFOLD_CALL_TIMEOUT_MS",
            "the longest that one call may take, where no invocation sets a shorter limit.";
        max_request_bytes: usize = 1 << 20, kind::BYTES, "BIFOLD_MAX_REQUEST_BYTES",
            "the largest request body that is read.";
        allowed_origins: Vec<String> = Vec::new(), kind::ORIGINS, "BIFOLD_ALLOWED_ORIGINS",
            "origins, separated by commas (e.g. `https://claude.ai`), whose pages may call from a browser and read the answers of every path, beside the server's own.";
    }
    "Upstreams" {
        upstream_timeout: Duration = Duration::from_secs(10), kind::MILLISECONDS, "BIFOLD_UPSTREAM_TIMEOUT_MS",
            "the longest that one upstream request may take.";
        upstream_tries: u32 = 3, kind::TRIES, "BIFOLD_UPSTREAM_TRIES",
            "how often one upstream request is tried at most.";
        upstream_breaker: u32 = 5, kind::FAILURES, "BIFOLD_UPSTREAM_BREAKER",
            "after how many failures in a row an upstream is left alone for a moment; `0` for never.";
        upstream_limits: bool = true, kind::SWITCH, "BIFOLD_UPSTREAM_LIMITS",
            "keep to the limits that each upstream declares.";
        max_upstream_bytes: usize = 8 << 20, kind::BYTES, "BIFOLD_MAX_UPSTREAM_BYTES",
            "the largest upstream body that is read.";
        cache_bytes: usize = 16 << 20, kind::BYTES_OR_NONE, "BIFOLD_CACHE_BYTES",
            "how many bytes of upstream bodies are kept; `0` keeps none.";
        user_agent: String = concat!("bifold/", env!("CARGO_PKG_VERSION")).to_owned(), kind::TEXT, "BIFOLD_USER_AGENT",
            "the `User-Agent` of upstream requests.";
    }
    "Questions and tasks" {
        input_timeout: Duration = Duration::from_secs(600), kind::MILLISECONDS, "BIFOLD_INPUT_TIMEOUT_MS",
            "how long a client may take to answer what a function asks of it.";
        task_timeout: Duration = Duration::from_secs(900), kind::MILLISECONDS, "BIFOLD_TASK_TIMEOUT_MS",
            "the longest that a call may go on as a task.";
        state_keys: Vec<Key> = Vec::new(), kind::KEYS, "BIFOLD_STATE_KEYS",
            "keys of 64 hexadecimal digits, separated by commas. The state that clients carry between two rounds of a call is encrypted with the first and decrypted with any; all processes of one application need the same. Without it each process makes a key of its own.";
        table: Option<String> = None, kind::TABLE, "BIFOLD_TABLE",
            "the DynamoDB table of short-lived records, which several processes share; without it they are in the memory of the process.";
    }
    "Lambda" {
        deadline_margin: Duration = Duration::from_millis(500), kind::MARGIN, "BIFOLD_DEADLINE_MARGIN_MS",
            "how long before the end of a Lambda invocation its call must have answered, at most a quarter of the function's timeout.";
        stream_margin: Duration = Duration::from_secs(30), kind::MARGIN, "BIFOLD_STREAM_MARGIN_MS",
            "how long before the end of a Lambda invocation a stream ends.";
        invoke_mode: Transfer = Transfer::Buffered, kind::INVOKE_MODE, "BIFOLD_INVOKE_MODE",
            "the `InvokeMode` of the Function URL.";
        response_transfer_mode: Transfer = Transfer::Buffered, kind::TRANSFER_MODE, "BIFOLD_RESPONSE_TRANSFER_MODE",
            "the `ResponseTransferMode` of the REST API.";
        base_path: String = String::new(), kind::PATH, "BIFOLD_BASE_PATH",
            "the path (e.g. `/v1`) that a custom domain or a load balancer puts before every path; it is removed where it is there.";
        ws_endpoint: Option<String> = None, kind::URL, "BIFOLD_WS_ENDPOINT",
            "the URL of the WebSocket API (e.g. `https://abc.execute-api.us-east-1.amazonaws.com/ws`) through which its clients are answered, for a domain of one's own; without it the API that an event comes from.";
        function: Option<String> = None, kind::FUNCTION, "AWS_LAMBDA_FUNCTION_NAME",
            "the name of the function, set by the Lambda platform; such a process is frozen between two requests.";
    }
    "Logs and metrics" {
        log: String = "info".to_owned(), kind::TEXT, "BIFOLD_LOG",
            "log levels, e.g. `info` or `warn,bifold=debug`.";
        metrics_namespace: Option<String> = None, kind::NAMESPACE, "BIFOLD_METRICS_NAMESPACE",
            "the namespace under which CloudWatch metrics are written, as a part of the log line of each request; without it none are written.";
        collector: Option<String> = None, kind::COLLECTOR, "OTEL_EXPORTER_OTLP_ENDPOINT",
            "the OpenTelemetry collector (e.g. `http://127.0.0.1:4318`) that gets a span for each request, where the crate is built with the feature `otel`.";
        clock: Clock = Clock::System, kind::CLOCK, "BIFOLD_CLOCK",
            "a clock that stands still at this time, for recorded data; without it the clock of the system.";
    }
}
