//! What the cache and requests at the same time share, and what a write makes invalid.

use std::time::Duration;

use bifold::testing::{Canned, upstream};
use bifold::upstream::{CachePolicy, Upstream};
use bifold::{Context, Kind};
use serde_json::{Value, json};

use super::{API, app_of};

const CACHED: Upstream = API.cache_for(CachePolicy::seconds(60, 0));

#[tokio::test]
async fn a_response_is_shared_only_by_requests_with_the_same_headers() {
    let api = upstream("api")
        .on_get("/x")
        .json(json!("x"))
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, CACHED, |_| {}).context();
    let get = |language: &'static str| {
        cx.upstream(&API)
            .get("/x")
            .header("accept-language", language)
    };
    for (language, count) in [("de", 1), ("en", 2), ("de", 2), ("en", 2)] {
        get(language).json::<Value>().await.unwrap();
        assert_eq!(api.received().len(), count, "{language}");
    }
    cx.get_json::<Value>(&API, "/x").await.unwrap();
    cx.upstream(&API).get("/x").json::<Value>().await.unwrap();
    assert_eq!(api.received().len(), 3);
    // The same body, but of any type.
    cx.upstream(&API).get("/x").text().await.unwrap();
    assert_eq!(api.received().len(), 4);
}

#[tokio::test]
async fn a_response_to_one_person_is_shared_with_nobody() {
    let api = upstream("api").on_get("/x").json(1).start().await.unwrap();
    let cx = app_of(&api, CACHED, |_| {}).context();
    for header in ["authorization", "cookie"] {
        api.forget();
        let get = || cx.upstream(&API).get("/x").header(header, "a").json::<u8>();
        let (first, second) = tokio::join!(get(), get());
        assert_eq!(
            (first.unwrap(), second.unwrap(), api.received().len()),
            (1, 1, 2)
        );
        get().await.unwrap();
        assert_eq!(api.received().len(), 3);
    }
}

#[tokio::test]
async fn requests_at_the_same_time_are_one_unless_they_write() {
    let api = upstream("api")
        .on_get("/x")
        .json(1)
        .delay(Duration::from_millis(20))
        .on_post("/x")
        .json(1)
        .delay(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, API, |_| {}).context();
    let client = cx.upstream(&API);
    let (first, second) =
        tokio::join!(client.get("/x").json::<u8>(), client.get("/x").json::<u8>());
    assert_eq!(
        (first.unwrap(), second.unwrap(), api.count("GET", "/x")),
        (1, 1, 1)
    );
    let (first, second) = tokio::join!(
        client.post("/x").json::<u8>(),
        client.post("/x").json::<u8>()
    );
    assert_eq!(
        (first.unwrap(), second.unwrap(), api.count("POST", "/x")),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn a_write_makes_what_is_cached_of_its_path_invalid() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let api = upstream("api")
            .on(method, "/notes")
            .status(500)
            .on_get("/notes")
            .json(1)
            .on_get("/notes/7")
            .json(1)
            .start()
            .await
            .unwrap();
        let cx = app_of(&api, CACHED, |_| {}).context();
        let client = cx.upstream(&API);
        let read = async || {
            client.get("/notes").json::<u8>().await.unwrap();
            client.get("/notes?page=2").json::<u8>().await.unwrap();
            client
                .get("/notes")
                .header("accept-language", "de")
                .json::<u8>()
                .await
                .unwrap();
            client.get("/notes/7").json::<u8>().await.unwrap();
            (api.count("GET", "/notes"), api.count("GET", "/notes/7"))
        };
        assert_eq!(read().await, (3, 1));
        assert_eq!(read().await, (3, 1));
        // It failed, but it may have been carried out.
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        assert!(client.request(method, "/notes").text().await.is_err());
        assert_eq!(read().await, (6, 1));
        assert_eq!(read().await, (6, 1));
    }
}

#[tokio::test]
async fn what_was_missing_before_a_write_is_asked_for_again() {
    let api = upstream("api")
        .on_get("/notes/7")
        .times(1)
        .status(404)
        .on_get("/notes/7")
        .json(1)
        .on_put("/notes/7")
        .json(1)
        .start()
        .await
        .unwrap();
    let cx = app_of(&api, CACHED, |_| {}).context();
    let client = cx.upstream(&API);
    for _ in 0..2 {
        let error = client.get("/notes/7").json::<u8>().await.err().unwrap();
        assert_eq!(error.kind(), Kind::NotFound);
    }
    client.put("/notes/7").json::<u8>().await.unwrap();
    assert_eq!(client.get("/notes/7").json::<u8>().await.unwrap(), 1);
}

#[tokio::test]
async fn a_response_from_before_a_write_is_neither_cached_nor_shared_after_it() {
    let api = upstream("api")
        .on_get("/x")
        .times(1)
        .json(1)
        .delay(Duration::from_millis(100))
        .on_get("/x")
        .json(2)
        .on_post("/x")
        .json(0)
        .start()
        .await
        .unwrap();
    let cx: Context = app_of(&api, CACHED, |_| {}).context();
    let client = cx.upstream(&API);
    let before = client.get("/x").json::<u8>();
    let after = async {
        while api.count("GET", "/x") == 0 {
            tokio::task::yield_now().await;
        }
        client.post("/x").json::<u8>().await.unwrap();
        client.get("/x").json::<u8>().await.unwrap()
    };
    let (before, after) = tokio::join!(before, after);
    assert_eq!((before.unwrap(), after), (1, 2));
    assert_eq!(client.get("/x").json::<u8>().await.unwrap(), 2);
}

#[tokio::test]
async fn rules_may_be_closures_with_values_of_their_own() {
    let api = upstream("api")
        .on_get("/{any}")
        .json(1)
        .start()
        .await
        .unwrap();
    let (kept, class) = (String::from("/kept"), String::from("own"));
    let declared = Upstream::named(String::from("api"), String::from("https://api.example.com"))
        .cache_with(move |path| match path == kept {
            true => CachePolicy::seconds(60, 0),
            false => CachePolicy::NONE,
        })
        .classes_with(move |path| format!("{class}{}", path.len()).into());
    let app = app_of(&api, declared, |_| {});
    let client = app.context().upstream(&API);
    for path in ["/kept", "/kept", "/other", "/other"] {
        client.get(path).json::<u8>().await.unwrap();
    }
    assert_eq!(
        (api.count("GET", "/kept"), api.count("GET", "/other")),
        (1, 2)
    );
    for length in 0..5 {
        api.answer("/api/fail", Canned::status(503, "", ""));
        let _ = client.post("/fail").text().await;
        assert_eq!(api.count("POST", "/fail"), length + 1);
    }
    let refused = client.post("/fail").text().await.err().unwrap();
    assert_eq!(refused.kind(), Kind::UpstreamUnavailable);
    assert!(client.get("/longer-path").json::<u8>().await.is_ok());
}
