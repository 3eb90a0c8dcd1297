//! Valid inputs, which the targets mutate.

use serde_json::{Value, json};

use bifold::provenance::replay::{PLAIN, VESTING};

const MODERN: &str = "2026-07-28";

/// The methods of MCP with valid parameters.
fn messages() -> Vec<(&'static str, Value)> {
    let call = |name: &str, arguments: Value| json!({"name": name, "arguments": arguments});
    let many = json!([{"name": "get_registry_summary"}, {"name": "no_such"}]);
    let shapes = json!({
        "count": 1, "ratio": 0.5, "level": 3, "names": ["a"], "color": "red", "is_set": true,
        "inner": {"value": 7, "moments": ["2025-11-18T12:00:00Z"]},
    });
    vec![
        (
            "initialize",
            json!({
                "protocolVersion": "2025-06-18", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "f", "version": "1"},
            }),
        ),
        ("server/discover", json!({})),
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "bifold://system-context"})),
        (
            "resources/read",
            json!({"uri": format!("wallet://{VESTING}/summary")}),
        ),
        (
            "prompts/get",
            json!({"name": "analyse_wallet", "arguments": {"wallet_address": PLAIN}}),
        ),
        (
            "completion/complete",
            json!({
                "ref": {"type": "ref/prompt", "name": "market_briefing"}, "argument": {"name": "token_pair", "value": "H"},
            }),
        ),
        ("logging/setLevel", json!({"level": "info"})),
        (
            "subscriptions/listen",
            json!({"notifications": {"toolsListChanged": true}}),
        ),
        ("tasks/get", json!({"taskId": "0123456789abcdef"})),
        ("tools/call", call("get_registry_summary", json!({}))),
        (
            "tools/call",
            call("fetch_account_info", json!({"wallet_address": VESTING})),
        ),
        (
            "tools/call",
            call(
                "fetch_last_crypto_token_price",
                json!({"token_pair": "HASH-USD", "last_number_of_trades": 2}),
            ),
        ),
        (
            "tools/call",
            call("call_many", json!({"calls": many, "item_timeout_ms": 1000})),
        ),
        (
            "tools/call",
            call(
                "mcp_test_server",
                json!({"function_name": "get_registry_summary", "repeat": 2}),
            ),
        ),
        (
            "tools/call",
            call("dated", json!({"since": "2025-11-18T12:00:00+01:00"})),
        ),
        ("tools/call", call("shapes", shapes)),
        ("tools/call", call("ask", json!({}))),
        ("tools/call", call("report", json!({}))),
    ]
}

fn legacy(method: &str, mut params: Value) -> Value {
    if method == "tools/call" {
        params["_meta"] = json!({"progressToken": 7});
    }
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {
            "elicitation": {}, "roots": {}, "extensions": {"io.modelcontextprotocol/tasks": {}},
        },
        "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
        "progressToken": "a",
    });
    json!({"jsonrpc": "2.0", "id": "a", "method": method, "params": params})
}

/// Requests of legacy and modern revisions, notifications, and responses of clients.
pub fn rpc() -> Vec<Vec<u8>> {
    let mut all: Vec<Value> = Vec::new();
    for (method, params) in messages() {
        all.push(legacy(method, params.clone()));
        all.push(modern(method, params));
    }
    all.push(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let cancelled = json!({"requestId": 1, "reason": "enough"});
    all.push(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}));
    all.push(json!({"jsonrpc": "2.0", "id": "x", "result": {"action": "accept", "content": {"name": "Ada"}}}));
    all.push(json!({"jsonrpc": "2.0", "id": "x", "error": {"code": -1, "message": "no"}}));
    bytes(all)
}

/// JSON-RPC batches.
pub fn rpc_batches() -> Vec<Vec<u8>> {
    let messages = messages();
    let batches = messages.chunks(4).map(|some| {
        let some = some.iter().cloned();
        Value::Array(
            some.map(|(method, params)| legacy(method, params))
                .collect(),
        )
    });
    bytes(batches.chain([json!([])]).collect())
}

/// A call that resumes with the given request state.
pub fn continuation(state: &Value) -> Vec<u8> {
    let responses = json!({
        "name": {"action": "accept", "content": {"name": "Ada"}},
        "age": {"action": "accept", "content": {"age": 36}},
        "roots": {"roots": [{"uri": "file:///a"}]},
    });
    let params =
        json!({"name": "ask", "arguments": {}, "requestState": state, "inputResponses": responses});
    modern("tools/call", params).to_string().into_bytes()
}

/// A first call, whose answer contains a request state.
pub fn question() -> Value {
    modern("tools/call", json!({"name": "ask", "arguments": {}}))
}

/// Bodies of `POST /api/batch`.
pub fn batches() -> Vec<Vec<u8>> {
    let calls = json!([
        {"name": "get_registry_summary", "arguments": {}},
        {"name": "fetch_account_info", "arguments": {"wallet_address": VESTING}},
        {"name": "shapes", "arguments": {"count": 1}},
        {"name": "dated", "arguments": {"since": "2025-11-18T12:00:00Z"}},
        {"name": "no_such"},
    ]);
    bytes(vec![
        json!({"calls": calls}),
        json!({"calls": calls, "item_timeout_ms": 1000}),
        json!({"calls": [{"name": "call_many", "arguments": {"calls": calls}}]}),
        json!({"calls": []}),
    ])
}

/// Complete HTTP requests for a socket.
pub fn heads() -> Vec<Vec<u8>> {
    let host = "Host: localhost\r\nConnection: close\r\n";
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let length = ping.len();
    [
        format!("GET /health HTTP/1.1\r\n{host}\r\n"),
        format!("HEAD /openapi.json HTTP/1.1\r\n{host}If-None-Match: \"a\"\r\n\r\n"),
        format!("GET /api/registry_summary?x=1 HTTP/1.1\r\n{host}Accept: application/json, */*;q=0.1\r\n\r\n"),
        format!("GET /api/account_info/{VESTING} HTTP/1.1\r\n{host}X-Request-Id: a-b\r\n\r\n"),
        format!("OPTIONS /mcp HTTP/1.1\r\n{host}Origin: http://localhost:1\r\nAccess-Control-Request-Method: POST\r\n\r\n"),
        format!("POST /mcp HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{ping}"),
        format!(
            "POST /mcp HTTP/1.1\r\n{host}Content-Type: application/json\r\nMcp-Protocol-Version: {MODERN}\r\n\
             Mcp-Method: ping\r\nMcp-Name: x\r\nAccept: application/json, text/event-stream\r\n\
             Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\
             Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{ping}\r\n0\r\n\r\n"
        ),
        "GET /health HTTP/1.0\r\n\r\n".to_owned(),
        format!("GET http://localhost/docs HTTP/1.1\r\n{host}\r\n"),
            "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: null\r\n\r\n"
            .to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

/// Times as clients write them.
pub fn dates() -> Vec<Vec<u8>> {
    let dates = [
        "2025-11-18T12:00:00Z",
        "2025-11-18T12:00:00",
        "2025-11-18T12:00:00.123456789+01:00",
        "2025-11-18t12:00:00z",
        "2025-11-18 12:00Z",
        "2025-11-18T12:00+0000",
        "2025-11-18T12:00:00-00",
        "1969-12-31T23:59:59.5Z",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2024-02-29T23:59:60Z",
        "2025-11-18",
    ];
    dates.map(|it| it.as_bytes().to_vec()).into()
}

/// Numbers as upstreams write them.
pub const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "0.0",
    "1",
    "0.035",
    "-12.50",
    "1e9",
    "1E-18",
    "123456789012345678901234567890",
    "1e80",
    "1e-80",
    "1e99999999",
    "340282366920938463463374607431768211456",
    "00.1",
];

/// Settings, one per line.
pub const SETTINGS: [&str; 29] = [
    "BIFOLD_LISTEN=127.0.0.1:0",
    "BIFOLD_REPLAY=true",
    "BIFOLD_REPLAY_FAULTS=explorer=500@20",
    "BIFOLD_LCD_URL=http://127.0.0.1:1",
    "BIFOLD_UPSTREAM_TIMEOUT_MS=100",
    "BIFOLD_MAX_UPSTREAM_BYTES=1",
    "BIFOLD_UPSTREAM_TRIES=3",
    "BIFOLD_UPSTREAM_BREAKER=5",
    "BIFOLD_UPSTREAM_LIMITS=false",
    "BIFOLD_CACHE_BYTES=0",
    "BIFOLD_USER_AGENT=me",
    "BIFOLD_CALL_TIMEOUT_MS=1",
    "BIFOLD_INPUT_TIMEOUT_MS=1",
    "BIFOLD_TASK_TIMEOUT_MS=86400000",
    "BIFOLD_STATE_KEYS=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "BIFOLD_DEADLINE_MARGIN_MS=0",
    "BIFOLD_STREAM_MARGIN_MS=1",
    "BIFOLD_INVOKE_MODE=RESPONSE_STREAM",
    "BIFOLD_RESPONSE_TRANSFER_MODE=stream",
    "BIFOLD_BASE_PATH=/v1",
    "BIFOLD_MAX_REQUEST_BYTES=1",
    "BIFOLD_ALLOWED_ORIGINS=https://claude.ai,http://localhost:1",
    "BIFOLD_ADDRESS_PREFIX=tp",
    "BIFOLD_TABLE=bifold-1",
    "BIFOLD_WS_ENDPOINT=https://ws.example.com/ws",
    "BIFOLD_CLOCK=2025-11-18T12:00:00Z",
    "BIFOLD_METRICS_NAMESPACE=bifold",
    "AWS_REGION=eu-west-1",
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
];

fn bytes(all: Vec<Value>) -> Vec<Vec<u8>> {
    all.iter().map(|it| it.to_string().into_bytes()).collect()
}
