//! What an application does at its start and at its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bifold::{App, Config, Context, Result, Server, Starting, local};
use tokio::net::TcpListener;

type Notes = Arc<Mutex<Vec<&'static str>>>;

fn noting(
    notes: &Notes,
    text: &'static str,
) -> impl FnOnce(Context) -> std::future::Ready<Result<()>> + use<> {
    let notes = notes.clone();
    move |_| {
        notes.lock().unwrap().push(text);
        std::future::ready(Ok(()))
    }
}

#[tokio::test]
async fn any_error_ends_the_start_with_its_message_and_its_sources() {
    async fn open(_: Starting) -> std::io::Result<Starting> {
        let inner = std::io::Error::other("the disk is full");
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, inner))
    }
    let server = Server::new("notes", "1.0.0").on_start(open);
    let refused = App::start(Config::default(), server).await.err().unwrap();
    assert_eq!(refused.to_string(), "the disk is full");
    assert_eq!(format!("{refused:?}"), refused.to_string());
}

#[tokio::test]
async fn what_a_start_shares_is_there_at_the_end() {
    #[derive(Clone)]
    struct Pool(Notes);
    async fn close(cx: Context) -> Result<()> {
        cx.state::<Pool>()?.0.lock().unwrap().push("closed");
        assert!(cx.deadline().remaining() <= Duration::from_secs(3));
        Ok(())
    }
    let notes = Notes::default();
    let pool = Pool(notes.clone());
    let open = async |starting: Starting| Ok::<_, std::fmt::Error>(starting.with_state(pool));
    let server = Server::new("notes", "1.0.0").on_start(open).on_stop(close);
    let app = App::start(Config::default(), server).await.unwrap();
    app.stop(Duration::from_secs(3)).await;
    app.stop(Duration::from_secs(3)).await;
    assert_eq!(*notes.lock().unwrap(), ["closed"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_runs_first_and_neither_a_panic_nor_a_failure_nor_a_hang_keeps_the_others_from_running()
 {
    let notes = Notes::default();
    let panics = async |_: Context| -> Result<()> { panic!("a defect at the end") };
    let fails = async |_: Context| Err::<(), _>(std::io::Error::other("it failed"));
    let server = Server::new("notes", "1.0.0")
        .on_stop(async |_: Context| -> Result<()> { std::future::pending().await })
        .on_stop(noting(&notes, "first"))
        .on_stop(panics)
        .on_stop(fails)
        .on_stop(noting(&notes, "last"));
    let app = App::new(Config::default(), server).unwrap();
    let since = tokio::time::Instant::now();
    app.stop(Duration::from_secs(2)).await;
    assert_eq!(*notes.lock().unwrap(), ["last", "first"]);
    assert_eq!(since.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn a_local_server_runs_it_after_its_last_request() {
    let notes = Notes::default();
    let server = Server::new("notes", "1.0.0").on_stop(noting(&notes, "stopped"));
    let app = App::new(Config::default(), server).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    local::serve(app, listener, std::future::ready(()))
        .await
        .unwrap();
    assert_eq!(*notes.lock().unwrap(), ["stopped"]);
}
