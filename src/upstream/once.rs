//! A value that is built on first use and shared, and rebuilt after it was found to be broken.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::Either;

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::upstream::single_flight::SingleFlight;

/// A value that is built on first use, once, however many calls need it.
///
/// If building fails, all calls that wait for this attempt get the error, and the next call tries again. If a call is
/// cancelled, the others continue to wait for the same attempt; a call whose deadline passes gets `DeadlineExceeded`.
/// A call that finds the value broken drops it, and the next call builds a new one for all.
///
/// ```
/// use std::time::Duration;
/// use bifold::{Context, Once, Result};
///
/// /// A shared connection.
/// struct Link;
///
/// impl Link {
///     async fn open() -> Result<Link> { Ok(Link) }
///     async fn answers(&self) -> bool { true }
///     async fn ask(&self) -> Result<u64> { Ok(7) }
/// }
///
/// // Shared with `Server::state(Arc::new(Once::<Link>::new()))`.
/// async fn ask(cx: &Context, link: &Once<Link>) -> Result<u64> {
///     let limit = Duration::from_secs(1);
///     let link = link.get_checked(cx.deadline(), limit, |it| async move { it.answers().await }, Link::open).await?;
///     link.ask().await
/// }
/// ```
pub struct Once<T: Send + Sync + 'static> {
    value: Arc<ArcSwapOption<T>>,
    building: SingleFlight<Result<Arc<T>, Arc<Error>>>,
    checking: SingleFlight<()>,
}

impl<T: Send + Sync + 'static> Once<T> {
    /// A value that is not built yet.
    pub fn new() -> Once<T> {
        Once {
            value: Arc::default(),
            building: SingleFlight::new(),
            checking: SingleFlight::new(),
        }
    }

    /// The value; builds it with `build` on first use.
    ///
    /// # Errors
    /// The error of `build`, or `DeadlineExceeded`.
    pub async fn get<F>(&self, deadline: Deadline, build: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        if let Some(value) = self.built() {
            return Ok(value);
        }
        let (building, _) = self.building.join("", deadline, |_| {
            // Another call may have built it since it was read above.
            let found = self
                .built()
                .map_or_else(|| Either::Right(build()), Either::Left);
            let value = self.value.clone();
            async move {
                let built = match found {
                    Either::Left(found) => return Ok(found),
                    Either::Right(building) => Arc::new(building.await.map_err(Arc::new)?),
                };
                // Stored before this execution ends, so that no call in between builds it again.
                value.store(Some(built.clone()));
                Ok(built)
            }
        });
        match deadline.timeout(building).await {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(error.again()),
            None => Err(Error::deadline_exceeded()),
        }
    }

    /// The value, if `check` returns true within `limit`; otherwise a new one, built with `build`. Concurrent calls
    /// share one check, and a value that was just built is not checked.
    ///
    /// # Errors
    /// As for [`Once::get`]. If the deadline passes before `limit`, the value is kept.
    pub async fn get_checked<F, C>(
        &self,
        deadline: Deadline,
        limit: Duration,
        check: impl FnOnce(Arc<T>) -> C,
        build: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        C: Future<Output = bool> + Send + 'static,
    {
        if let Some(found) = self.built() {
            let (checking, _) = self.checking.join("", deadline, |_| {
                let (value, outcome) = (self.value.clone(), check(found.clone()));
                async move {
                    if tokio::time::timeout(limit, outcome).await != Ok(true) {
                        clear(&value, &found);
                    }
                }
            });
            if deadline.timeout(checking).await.is_none() {
                return Err(Error::deadline_exceeded());
            }
        }
        self.get(deadline, build).await
    }

    /// Drops the value because it is `broken`, unless it was already rebuilt.
    pub fn drop_broken(&self, broken: &Arc<T>) {
        clear(&self.value, broken);
    }

    /// The value, if it is built.
    pub(crate) fn built(&self) -> Option<Arc<T>> {
        self.value.load_full()
    }
}

impl<T: Send + Sync + 'static> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}

/// Empties `slot` if it contains that value.
fn clear<T>(slot: &ArcSwapOption<T>, broken: &Arc<T>) {
    slot.compare_and_swap(&Some(broken.clone()), None);
}
