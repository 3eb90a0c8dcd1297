//! An application that `lambda_http` runs, beside layers and functions that are written for that crate.
//!
//! ```sh
//! cargo lambda watch --example lambda_http --features lambda_http
//! curl 'http://127.0.0.1:9000/api/greet?name=Ada'
//! ```

use bifold::prelude::*;
use bifold::telemetry::{self, Format};
use bifold::{App, Config};

/// Greets someone by name.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// The name of the person.
    name: String,
}

async fn greet(cx: Context, Greet { name }: Greet) -> Result<String> {
    let caller = cx.principal().map_or("a stranger", |it| it.id());
    Ok(format!("Hello, {name}! You came as {caller}."))
}

fn server() -> Server {
    Server::new("greeter", "1.0.0").tool(Tool::new("greet", greet).get("/greet"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), lambda_http::Error> {
    let config = Config::from_env()?;
    telemetry::start(Format::Json, &config.log)?;
    let app = App::start(config, server()).await?;
    lambda_http::run(app).await
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use bifold::Config;
    use lambda_http::request::LambdaRequest;
    use lambda_http::tower::ServiceExt;
    use lambda_http::{Adapter, Context, LambdaEvent};
    use serde_json::{Value, json};

    use super::*;

    /// The response that `lambda_http` posts for an event, with ten seconds left.
    async fn answer(event: &str, changes: &[(&str, Value)]) -> Value {
        let mut event: Value = serde_json::from_str(event).unwrap();
        for (pointer, value) in changes {
            *event.pointer_mut(pointer).unwrap() = value.clone();
        }
        let request: LambdaRequest = serde_json::from_value(event).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mut context = Context::default();
        context.request_id = "00000000-0000-4000-8000-000000000001".to_owned();
        context.deadline = (now + Duration::from_secs(10)).as_millis() as u64;
        context.xray_trace_id = Some("Root=1-691c5a00-3f8e2d1c0b9a87654321fedc".to_owned());
        let app = App::new(Config::default(), server()).unwrap();
        let adapter = Adapter::from(app);
        let answered = adapter.oneshot(LambdaEvent::new(request, context)).await;
        serde_json::to_value(answered.unwrap()).unwrap()
    }

    const URL: &str = include_str!("../tests/it/events/function_url_rest.json");
    const HTTP_API: &str = include_str!("../tests/it/events/http_api_v2.json");
    const REST_API: &str = include_str!("../tests/it/events/rest_api_rest.json");
    const BALANCER: &str = include_str!("../tests/it/events/load_balancer.json");

    #[tokio::test]
    async fn a_function_is_called_with_the_caller_of_the_event() {
        let query = json!("name=Ada");
        let path = json!("/api/greet");
        let said = answer(URL, &[("/rawPath", path), ("/rawQueryString", query)]).await;
        assert_eq!(said["statusCode"], 200, "{said}");
        let user = "iam:arn:aws:iam::123456789012:user/example";
        let expected = json!(format!("Hello, Ada! You came as {user}."));
        assert_eq!(said["body"], json!(expected.to_string()));
        let id = &said["headers"]["x-request-id"];
        assert_eq!(id, "00000000-0000-4000-8000-000000000001");
    }

    #[tokio::test]
    async fn the_stage_is_not_part_of_the_path() {
        let query = json!("name=Ada");
        for path in ["/prod/api/greet", "/api/greet"] {
            let changes = [
                ("/rawPath", json!(path)),
                ("/rawQueryString", query.clone()),
            ];
            let said = answer(HTTP_API, &changes).await;
            assert_eq!(said["statusCode"], 200, "{path}: {said}");
        }
        let arguments = json!({"name": ["Ada"]});
        let changes = [
            ("/path", json!("/api/greet")),
            ("/multiValueQueryStringParameters", arguments),
        ];
        assert_eq!(answer(REST_API, &changes).await["statusCode"], 200);
        let arguments = json!({"name": "Ada"});
        let changes = [
            ("/path", json!("/api/greet")),
            ("/queryStringParameters", arguments),
        ];
        assert_eq!(answer(BALANCER, &changes).await["statusCode"], 200);
    }
}
