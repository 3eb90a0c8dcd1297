//! A server in its own process, with honest and hostile clients.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bifold::provenance::replay::{PERIODIC, RECORDED_AT, Replay};
use bifold::testing::{Canned, Fault};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cases::{Case, truth};
use crate::honest::{self, Results};
use crate::hostile::{self, Kind};
use crate::scene::Scene;
use crate::{Failure, Options, process};

/// The interval of memory measurements.
const SAMPLE: Duration = Duration::from_millis(500);

/// The allowed growth of memory from the middle to the end, in MB: what allocators retain.
const GROWTH: u64 = 64;

/// The maximum time for the server to stop while clients do not read.
const STOP: Duration = Duration::from_secs(10);

/// Calls for `seconds`.
///
/// # Errors
/// An answer to an honest client was wrong or late, the memory grew, or the server did not stop.
pub async fn run(options: &Options, kinds: Vec<Kind>, seconds: u64) -> Result<(), Failure> {
    // The hanging path belongs to another wallet than those of the honest clients, and to a class that they do not
    // use.
    let cases = truth().await?.into_iter();
    let cases: Arc<Vec<Case>> = Arc::new(cases.filter(|it| !asks_rewards(it)).collect());
    let replay = Replay::start().await?;
    let hung = Canned::json("{}").fault(Fault::Hang);
    replay.answer(
        &format!("/explorer/api/v2/accounts/{PERIODIC}/rewards"),
        hung,
    );
    let (mut server, address) = start(&replay).await?;
    let id = server.id().ok_or("the server is gone")?;
    let scene = Scene::new(address, Duration::from_secs(seconds));
    let results = Results::default();
    let mut clients = JoinSet::new();
    for caller in 0..options.callers {
        clients.spawn(honest::call(
            scene.clone(),
            cases.clone(),
            results.clone(),
            caller,
        ));
    }
    clients.spawn(honest::call_on_websocket(
        scene.clone(),
        cases.clone(),
        results.clone(),
    ));
    clients.spawn(honest::check_health(scene.clone(), results.clone()));
    let mut attackers = JoinSet::new();
    for (place, kind) in (1..).zip(&kinds) {
        for _ in 0..kind.clients {
            attackers.spawn(hostile::attack(kind.attack, scene.from(place)));
        }
    }
    let names: Vec<&str> = kinds.iter().map(|it| it.name).collect();
    println!("hostile: {}", names.join(" "));
    let memory = watch(&scene, &replay, id).await;
    while clients.join_next().await.transpose()?.is_some() {}
    attackers.abort_all();
    let mut problems = results.report();
    problems.extend(grown(&memory, options.most_mb));
    problems.extend(stop(&mut server, &scene).await?);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n").into()),
    }
}

fn asks_rewards(case: &Case) -> bool {
    case.targets.iter().any(|it| it.ends_with("/rewards"))
}

/// Starts this program again as the server of the bundled functions with default settings.
async fn start(replay: &Replay) -> Result<(Child, SocketAddr), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--serve").env("BIFOLD_LISTEN", "127.0.0.1:0");
    command.env("BIFOLD_CLOCK", RECORDED_AT);
    for name in ["explorer", "lcd", "exchange"] {
        let variable = format!("BIFOLD_{}_URL", name.to_uppercase());
        command.env(variable, replay.url(name));
    }
    let mut server = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let said = server.stdout.take().ok_or("the server says nothing")?;
    let first = BufReader::new(said).lines().next_line().await?;
    let address = first.ok_or("the server did not start")?.parse()?;
    Ok((server, address))
}

/// The memory of the server over time, in MB.
async fn watch(scene: &Scene, replay: &Replay, id: u32) -> Vec<u64> {
    let mut samples = Vec::new();
    while scene.is_running() {
        sleep(SAMPLE).await;
        // The recorded requests are cleared, so that their list does not look like a memory leak.
        replay.forget();
        let memory = process::memory_mb(id);
        samples.push(memory);
        if samples.len().is_multiple_of(10) {
            let descriptors = process::descriptors(id);
            println!("{memory} MB, {descriptors} descriptors");
        }
    }
    samples
}

/// Whether the memory exceeded its maximum, or has grown after the warm-up, which is the first half.
fn grown(samples: &[u64], most: u64) -> Option<String> {
    let (_, late) = samples.split_at(samples.len() / 2);
    let (middle, end) = late.split_at(late.len() / 2);
    let peak = |some: &[u64]| some.iter().copied().max().unwrap_or(0);
    let (highest, middle, end) = (peak(samples), peak(middle), peak(end));
    println!(
        "memory: at most {highest} MB, {middle} MB in the third quarter, {end} MB in the last"
    );
    if highest > most {
        return Some(format!(
            "the server had {highest} MB, it may have {most} MB"
        ));
    }
    (end > middle + GROWTH).then(|| format!("the memory grew from {middle} MB to {end} MB"))
}

/// Stops the server while some clients do not read.
async fn stop(server: &mut Child, scene: &Scene) -> Result<Option<String>, Failure> {
    let unread = tokio::spawn(hostile::stay_unread(scene.from(250)));
    sleep(Duration::from_secs(1)).await;
    let Some(id) = server.id() else {
        return Ok(Some("the server ended on its own".to_owned()));
    };
    let since = Instant::now();
    Command::new("kill")
        .args(["-TERM", &id.to_string()])
        .status()
        .await?;
    let stopped = tokio::time::timeout(STOP, server.wait()).await;
    unread.abort();
    match stopped {
        Err(_) => Ok(Some(format!("the server did not stop within {STOP:?}"))),
        Ok(status) => {
            println!("stopped after {:?}: {}", since.elapsed(), status?);
            Ok(None)
        }
    }
}
