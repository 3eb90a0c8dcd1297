//! Values that concurrent calls build once.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bifold::Deadline;
use bifold::Error;
use bifold::Kind;
use bifold::Once;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, pending, ready};
use tokio::time::Instant;

use super::FRESH;

#[tokio::test]
async fn concurrent_first_calls_build_the_value_once() {
    let (once, built) = (Once::new(), Arc::new(AtomicUsize::new(0)));
    let get = async || {
        let built = built.clone();
        once.get(Deadline::after(FRESH), || async move {
            tokio::task::yield_now().await;
            Ok(built.fetch_add(1, Ordering::SeqCst))
        })
        .await
    };
    let values = join_all((0..20).map(|_| get())).await;
    assert!(values.into_iter().all(|value| *value.unwrap() == 0));
    assert_eq!(*get().await.unwrap(), 0);
    assert_eq!(built.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_first_calls_on_many_threads_build_the_value_once() {
    for _ in 0..5_000 {
        let (once, built) = (Arc::new(Once::new()), Arc::new(AtomicUsize::new(0)));
        let callers = (0..8).map(|_| {
            let (once, built) = (once.clone(), built.clone());
            tokio::spawn(async move {
                let build = || async move { Ok(built.fetch_add(1, Ordering::SeqCst)) };
                once.get(Deadline::after(FRESH), build).await.map(|it| *it)
            })
        });
        for value in join_all(callers).await {
            assert_eq!(value.unwrap().unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_build_that_panics_does_not_block_the_others() {
    let once: Once<u8> = Once::new();
    let (sent, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let panics = || -> std::future::Ready<bifold::Result<u8>> { panic!("a defect") };
            let broken = std::panic::AssertUnwindSafe(once.get(Deadline::after(FRESH), panics));
            assert!(broken.catch_unwind().await.is_err());
            let good = once.get(Deadline::after(FRESH), || async { Ok(7) }).await;
            sent.send(*good.unwrap()).unwrap();
        });
    });
    assert_eq!(done.recv_timeout(Duration::from_secs(5)), Ok(7));
}

#[tokio::test]
async fn a_failed_build_reaches_all_waiting_calls_and_the_next_call_builds_again() {
    let once: Once<u8> = Once::new();
    let fail = || async {
        tokio::task::yield_now().await;
        Err(Error::failed("not today"))
    };
    let failed = join_all((0..20).map(|_| once.get(Deadline::after(FRESH), fail))).await;
    assert!(
        failed
            .iter()
            .all(|it| it.as_ref().is_err_and(|error| error.kind() == Kind::Failed))
    );
    assert_eq!(
        *once
            .get(Deadline::after(FRESH), || async { Ok(7) })
            .await
            .unwrap(),
        7
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_leaves_the_build_to_the_others_and_a_hanging_build_ends_at_each_deadline()
{
    let once: Once<u8> = Once::new();
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(7)
    };
    let mut leader = Box::pin(once.get(Deadline::after(FRESH), slow));
    let mut follower = Box::pin(once.get(Deadline::after(FRESH), slow));
    assert!(futures_util::poll!(&mut leader).is_pending());
    assert!(futures_util::poll!(&mut follower).is_pending());
    drop(leader);
    let hurried = once.get(Deadline::after(Duration::from_secs(1)), slow);
    assert_eq!(hurried.await.unwrap_err().kind(), Kind::DeadlineExceeded);
    assert_eq!(*follower.await.unwrap(), 7);
}

/// A builder that counts what it has built.
fn counting(built: &Arc<AtomicUsize>) -> impl Fn() -> BoxFuture<'static, bifold::Result<usize>> {
    let built = built.clone();
    move || {
        let built = built.clone();
        let build = async move {
            tokio::task::yield_now().await;
            Ok(built.fetch_add(1, Ordering::SeqCst) + 1)
        };
        build.boxed()
    }
}

#[tokio::test]
async fn a_broken_value_is_rebuilt_once_for_all() {
    let (once, built) = (Once::new(), Arc::new(AtomicUsize::new(0)));
    let build = counting(&built);
    let broken = once.get(Deadline::after(FRESH), &build).await.unwrap();
    assert_eq!(*broken, 1);
    // Each of them notices it in turn, some after others have already requested a new value.
    let callers = (0..20).map(async |_| {
        once.drop_broken(&broken);
        let value = once.get(Deadline::after(FRESH), &build).await.unwrap();
        once.drop_broken(&broken);
        *value
    });
    assert_eq!(join_all(callers).await, [2; 20]);
    assert_eq!(*once.get(Deadline::after(FRESH), &build).await.unwrap(), 2);
    assert_eq!(built.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_one_check() {
    let (once, built) = (Once::new(), Arc::new(AtomicUsize::new(0)));
    let (build, looks) = (counting(&built), Arc::new(AtomicUsize::new(0)));
    once.get(Deadline::after(FRESH), &build).await.unwrap();
    let get = async || {
        let looks = looks.clone();
        let look = |value: Arc<usize>| async move {
            looks.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            *value != 1
        };
        let found = once.get_checked(Deadline::after(FRESH), FRESH, look, &build);
        *found.await.unwrap()
    };
    assert_eq!(join_all((0..50).map(|_| get())).await, [2; 50]);
    assert_eq!(looks.load(Ordering::SeqCst), 1);
    assert_eq!(join_all((0..50).map(|_| get())).await, [2; 50]);
    assert_eq!(looks.load(Ordering::SeqCst), 2);
    assert_eq!(built.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_or_hanging_check_rebuilds_the_value_and_a_short_deadline_does_not() {
    let (once, built) = (Once::new(), Arc::new(AtomicUsize::new(0)));
    let build = counting(&built);
    let limit = Duration::from_secs(1);
    let later = || Deadline::after(FRESH);
    let whole = |_| ready(true);
    let get = async || {
        *once
            .get_checked(later(), limit, whole, &build)
            .await
            .unwrap()
    };
    assert_eq!(get().await, 1);
    assert_eq!(get().await, 1);
    let failing = || once.get_checked(later(), limit, |value| ready(*value != 1), &build);
    let values = join_all((0..20).map(|_| failing())).await;
    assert!(values.into_iter().all(|value| *value.unwrap() == 2));
    let hurried = Deadline::after(limit / 2);
    let hurried = once
        .get_checked(hurried, limit, |_| pending(), &build)
        .await;
    assert_eq!(hurried.unwrap_err().kind(), Kind::DeadlineExceeded);
    assert_eq!(get().await, 2);
    let since = Instant::now();
    let hanging = || once.get_checked(later(), limit, |_| pending(), &build);
    let values = join_all((0..20).map(|_| hanging())).await;
    assert!(values.into_iter().all(|value| *value.unwrap() == 3));
    assert_eq!(since.elapsed(), limit);
    assert_eq!(get().await, 3);
}
