//! The table of all settings. The fields of [`Config`], the defaults, the parser of the environment, `--help` and the
//! documentation are generated from it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::auth::{self, Listing, RateLimit};
use super::kind::{self, Kind};
use super::{AwsConfig, Key, Secret, Setting, Transfer};
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
            /// The values of the variables that credentials of upstreams name, for tests; what is not here is read from
            /// the environment.
            pub secrets: BTreeMap<String, Secret>,
            /// `AWS_*`: region, credentials and endpoints, as [`AwsConfig`] lists them.
            pub aws: AwsConfig,
            /// The application's own settings by variable, as declared with
            /// [`Server::setting`](crate::Server::setting); a variable that is not set has its default.
            pub application: BTreeMap<String, String>,
        }

        impl Default for Config {
            fn default() -> Config {
                Config {
                    $($($field: $default,)+)+
                    upstream_urls: BTreeMap::new(),
                    secrets: BTreeMap::new(),
                    aws: AwsConfig::default(),
                    application: BTreeMap::new(),
                }
            }
        }

        impl Config {
            /// Reads a variable; `None` where the table does not have it.
            ///
            /// # Errors
            /// What is wrong with the value.
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
            "address of the local server";
        call_timeout: Duration = Duration::from_secs(30), kind::MILLISECONDS, "BIFOLD_CALL_TIMEOUT_MS",
            "longest call, where no invocation sets a shorter limit";
        max_request_bytes: usize = 1 << 20, kind::BYTES, "BIFOLD_MAX_REQUEST_BYTES",
            "largest request body";
        max_response_bytes: usize = 5 << 20, kind::BYTES, "BIFOLD_MAX_RESPONSE_BYTES",
            "largest response to one request, with its batch and nested calls; of a stream, the largest message. On Lambda it is never more than the integration takes. A call whose response does not fit fails with `answer_too_large` (REST: HTTP 500)";
        mcp_max_bytes: usize = 0, kind::BYTES_OR_NONE, "BIFOLD_MCP_MAX_BYTES",
            "what `max_bytes` is on MCP for functions that have this argument, where a client does not give it: beyond it, whole items of a list or lines of a text are left out; `0` leaves nothing out";
        max_buffered_bytes: usize = 64 << 20, kind::BYTES, "BIFOLD_MAX_BUFFERED_BYTES",
            "bytes of heads, bodies and messages held at a time, of requests above 16 KiB; a request that does not fit gets 503";
        max_connections: usize = 1024, kind::CONNECTIONS, "BIFOLD_MAX_CONNECTIONS",
            "connections of the local server, fewer where the process may not open so many files; beyond it, requests other than `/health` get 503";
        allowed_origins: Vec<String> = Vec::new(), kind::ORIGINS, "BIFOLD_ALLOWED_ORIGINS",
            "origins whose pages may call from a browser and read the responses (CORS) on every path; the server's own origin is always allowed: its host over TLS, and on loopback every page of the same machine";
        allowed_hosts: Vec<String> = Vec::new(), kind::HOSTS, "BIFOLD_ALLOWED_HOSTS",
            "hosts that requests may name, separated by commas, beside those of the allowed origins and of the public URL: `api.example.com` for any port, `api.example.com:8443` for that one, `*.example.com` for every name below. All others get 403 on every path. Without it, a server that listens on loopback takes `localhost`, `*.localhost` and the loopback addresses, and any other takes every host";
        public_url: Option<String> = None, kind::PUBLIC_URL, "BIFOLD_PUBLIC_URL",
            "URL under which clients reach the server, e.g. `https://api.example.com/v1`, for the OpenAPI document, the metadata of authorization and the audience of tokens; without it that of each request, which never decides on an audience";
    }
    "Authorization" {
        auth_issuer: Vec<String> = Vec::new(), auth::ISSUERS, "BIFOLD_AUTH_ISSUER",
            "issuers of access tokens, separated by commas. As soon as there is one, every function that is not public needs an authenticated caller";
        auth_jwks_url: Option<String> = None, auth::JWKS, "BIFOLD_AUTH_JWKS_URL",
            "URL of the keys of the issuer, where its metadata cannot be read from here, e.g. in a network without a way to it; with one issuer only";
        auth_audience: Vec<String> = Vec::new(), auth::WORDS, "BIFOLD_AUTH_AUDIENCE",
            "audiences of tokens that are accepted, separated by commas; without it the public URL, alone or with `/mcp` or `/api`";
        auth_client_ids: Vec<String> = Vec::new(), auth::WORDS, "BIFOLD_AUTH_CLIENT_IDS",
            "clients whose tokens are accepted without an audience, as those of Cognito are";
        auth_scopes: Vec<String> = Vec::new(), auth::WORDS, "BIFOLD_AUTH_SCOPES",
            "scopes that every function needs that is not public, beside its own";
        auth_scopes_claim: Vec<String> = vec!["scope".to_owned(), "scp".to_owned()], auth::WORDS, "BIFOLD_AUTH_SCOPES_CLAIM",
            "claims of a token that hold its scopes, as a text or a list, e.g. `permissions` or `cognito:groups`";
        auth_scope_map: BTreeMap<String, Vec<String>> = BTreeMap::new(), auth::SCOPE_MAP, "BIFOLD_AUTH_SCOPE_MAP",
            "scopes that include others, and scopes of principals by their id or its beginning, e.g. `{\"notes:admin\": [\"notes:write\"], \"iam:arn:aws:sts::123456789012:assumed-role/ops/*\": [\"notes:admin\"]}`";
        auth_list: Listing = Listing::All, auth::LISTING, "BIFOLD_AUTH_LIST",
            "whether lists and documents show `all` functions or those that the caller is `allowed` to call";
        api_keys: Option<String> = None, auth::SOURCE, "BIFOLD_API_KEYS",
            "hashes of API keys, as `key new` prints them: a file with a line for each, the lines themselves with `;` between them, or the ARN of a secret of AWS Secrets Manager with the lines";
    }
    "Rate limits" {
        rate_limit: Option<RateLimit> = None, auth::RATE, "BIFOLD_RATE_LIMIT",
            "calls of one caller, a principal or else a network, e.g. `100/m`";
        rate_limit_classes: BTreeMap<String, RateLimit> = BTreeMap::new(), auth::RATES, "BIFOLD_RATE_LIMIT_CLASSES",
            "calls of one caller of the functions of a tag, or of one function, e.g. `wallet=10/m,market=5/s`";
        rate_limit_total: Option<RateLimit> = None, auth::RATE, "BIFOLD_RATE_LIMIT_TOTAL",
            "calls of all callers";
        rate_limit_shared: bool = false, kind::SWITCH, "BIFOLD_RATE_LIMIT_SHARED",
            "whether the processes share the rate limits in `BIFOLD_TABLE`, approximately; else each process has its own";
    }
    "Functions from elsewhere" {
        mcp_servers: Option<String> = None, kind::PATH_OF_FILE, "BIFOLD_MCP_SERVERS",
            "file of MCP servers whose functions are offered too, an `mcpServers` object as in the settings of MCP clients; `${VARIABLE}` stands for a variable. It is read again after it has changed, and at SIGHUP";
        mount_stale: Duration = Duration::from_secs(300), kind::MARGIN, "BIFOLD_MOUNT_STALE_MS",
            "how old the lists of a mounted server may be on Lambda before they are read again, after an answer; `0` reads them after every one";
        openapi: Option<String> = None, kind::PATH_OF_FILE, "BIFOLD_OPENAPI",
            "file with a list of OpenAPI documents whose operations become functions";
        search_above: usize = 100, kind::COUNT, "BIFOLD_SEARCH_ABOVE",
            "functions that an MCP client may see in a list; where there are more, it is shown a search instead; `0` means never";
        search_scope: String = "tools:list".to_owned(), kind::TEXT, "BIFOLD_SEARCH_SCOPE",
            "scope whose callers are shown the whole list all the same";
    }
    "Upstreams" {
        upstream_timeout: Duration = Duration::from_secs(10), kind::MILLISECONDS, "BIFOLD_UPSTREAM_TIMEOUT_MS",
            "time of one upstream request with all its tries and waits; a single try is given up after two fifths of it where another one is allowed";
        upstream_tries: u32 = 3, kind::TRIES, "BIFOLD_UPSTREAM_TRIES",
            "how often one upstream request is tried at the most, from 1 to 10";
        upstream_breaker: u32 = 5, kind::FAILURES, "BIFOLD_UPSTREAM_BREAKER",
            "failures in a row after which a path class of an upstream is not asked for a moment; `0` means never";
        upstream_limits: bool = true, kind::SWITCH, "BIFOLD_UPSTREAM_LIMITS",
            "whether the limits that each upstream declares are kept; replay sets `false`";
        max_upstream_bytes: usize = 8 << 20, kind::BYTES, "BIFOLD_MAX_UPSTREAM_BYTES",
            "largest upstream body";
        cache_bytes: usize = 16 << 20, kind::BYTES_OR_NONE, "BIFOLD_CACHE_BYTES",
            "size of the cache of upstream responses; `0` keeps nothing";
        user_agent: String = super::LIBRARY.to_owned(), kind::TEXT, "BIFOLD_USER_AGENT",
            "user agent that upstreams see; the default stands in parentheses behind the name and the version of an application";
    }
    "Questions and tasks" {
        input_timeout: Duration = Duration::from_secs(600), kind::MILLISECONDS, "BIFOLD_INPUT_TIMEOUT_MS",
            "how long a client may take to answer a question of a function";
        task_timeout: Duration = Duration::from_secs(900), kind::MILLISECONDS, "BIFOLD_TASK_TIMEOUT_MS",
            "longest time that a call may run as a task";
        state_keys: Vec<Key> = Vec::new(), kind::KEYS, "BIFOLD_STATE_KEYS",
            "keys for what clients keep for the server, the request state between two rounds of a call and cursors, 64 hexadecimal digits each: the first one encrypts, all of them decrypt; without it a random key for each process";
        table: Option<String> = None, kind::TABLE, "BIFOLD_TABLE",
            "DynamoDB table for records that processes share; without it they are in the memory of the process";
    }
    "Lambda" {
        deadline_margin: Duration = Duration::from_millis(500), kind::MARGIN, "BIFOLD_DEADLINE_MARGIN_MS",
            "how long before the end of an invocation a response must be ready, at most a quarter of the function's timeout; may be `0`";
        stream_margin: Duration = Duration::from_secs(30), kind::MARGIN, "BIFOLD_STREAM_MARGIN_MS",
            "the same for a stream, which needs more time to end; may be `0`";
        invoke_mode: Transfer = Transfer::Buffered, kind::INVOKE_MODE, "BIFOLD_INVOKE_MODE",
            "the `InvokeMode` of the Function URL: `buffered` or `response_stream`";
        response_transfer_mode: Transfer = Transfer::Buffered, kind::TRANSFER_MODE, "BIFOLD_RESPONSE_TRANSFER_MODE",
            "the `ResponseTransferMode` of the REST API: `buffered` or `stream`";
        base_path: String = String::new(), kind::PATH, "BIFOLD_BASE_PATH",
            "what a custom domain or a load balancer puts before every path, e.g. `/v1`";
        ws_endpoint: Option<String> = None, kind::URL, "BIFOLD_WS_ENDPOINT",
            "URL of the WebSocket API through which clients are answered; needed behind a custom domain; without it the API that an event comes from";
        function: Option<String> = None, kind::FUNCTION, "AWS_LAMBDA_FUNCTION_NAME",
            "name of the function, set by Lambda: the process is then frozen between requests, announces no changes, and continues tasks only by invoking itself";
    }
    "Logs and metrics" {
        log: String = "info".to_owned(), kind::TEXT, "BIFOLD_LOG",
            "log levels, e.g. `warn,bifold=debug`; a release build with the feature `lean` has no level below `debug`";
        metrics_namespace: Option<String> = None, kind::NAMESPACE, "BIFOLD_METRICS_NAMESPACE",
            "namespace of CloudWatch metrics, written as a part of each request's log line";
        collector: Option<String> = None, kind::COLLECTOR, "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OpenTelemetry collector that receives spans, where bifold is built with the feature `otel`";
        clock: Clock = Clock::System, kind::CLOCK, "BIFOLD_CLOCK",
            "a clock that stands still, RFC 3339; replay sets `2025-11-18T12:00:00Z`; without it the system's clock";
    }
}
