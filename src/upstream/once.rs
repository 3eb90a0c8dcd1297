//! A value that the first caller builds for all, and that is built anew once it has turned out to be broken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::Either;

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::upstream::flight::Flights;

/// A value that is built when it is first needed, once, whoever asks and however many.
///
/// A failure reaches all who wait for this attempt and is not kept: the next caller tries again. A caller that goes away
/// hands over to the others; one whose deadline passes gets `DeadlineExceeded` while the others go on waiting. Whoever
/// finds the value broken drops it, and the next callers have it built anew, once for all of them.
///
/// ```
/// use std::time::Duration;
/// use bifold::{Context, Once, Result};
///
/// /// A connection that everybody uses.
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
///     let link = link.get_whole(cx.deadline(), limit, |it| async move { it.answers().await }, Link::open).await?;
///     link.ask().await
/// }
/// ```
pub struct Once<T: Send + Sync + 'static> {
    value: Arc<Mutex<Option<Arc<T>>>>,
    building: Flights<Result<Arc<T>, Arc<Error>>>,
    checking: Flights<()>,
}

impl<T: Send + Sync + 'static> Once<T> {
    /// Not built yet.
    pub fn new() -> Once<T> {
        Once {
            value: Arc::default(),
            building: Flights::new(),
            checking: Flights::new(),
        }
    }

    /// The value, built with `build` if nobody has.
    ///
    /// # Errors
    /// What `build` failed with, or `DeadlineExceeded`.
    pub async fn get<F>(&self, deadline: Deadline, build: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        if let Some(value) = self.built() {
            return Ok(value);
        }
        let (building, _) = self.building.join("", deadline, |_| {
            // Another build may have ended between the look above and here.
            let found = self
                .built()
                .map_or_else(|| Either::Right(build()), Either::Left);
            let value = self.value.clone();
            async move {
                let built = match found {
                    Either::Left(found) => return Ok(found),
                    Either::Right(building) => Arc::new(building.await.map_err(Arc::new)?),
                };
                // Kept before this ends, so that nobody can come between the two and build again.
                *lock(&value) = Some(built.clone());
                Ok(built)
            }
        });
        match deadline.timeout(building).await {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(error.again()),
            None => Err(Error::deadline_exceeded()),
        }
    }

    /// The value, if `is_whole` says within `limit` that it is; else another one, built with `build`. All who ask at the
    /// same time wait for one look, and what was built just now is not looked at.
    ///
    /// # Errors
    /// As [`Once::get`]; a deadline that passes before `limit` says nothing of the value.
    pub async fn get_whole<F, C>(
        &self,
        deadline: Deadline,
        limit: Duration,
        is_whole: impl FnOnce(Arc<T>) -> C,
        build: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        C: Future<Output = bool> + Send + 'static,
    {
        if let Some(found) = self.built() {
            let (checking, _) = self.checking.join("", deadline, |_| {
                let (value, looking) = (self.value.clone(), is_whole(found.clone()));
                async move {
                    if tokio::time::timeout(limit, looking).await != Ok(true) {
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

    /// Drops the value because it has turned out to be `broken`, unless it was built anew already.
    pub fn drop_broken(&self, broken: &Arc<T>) {
        clear(&self.value, broken);
    }

    fn built(&self) -> Option<Arc<T>> {
        lock(&self.value).clone()
    }
}

impl<T: Send + Sync + 'static> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}

/// Empties the place if it holds that value.
fn clear<T>(place: &Mutex<Option<Arc<T>>>, broken: &Arc<T>) {
    let mut value = lock(place);
    if value.as_ref().is_some_and(|it| Arc::ptr_eq(it, broken)) {
        *value = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
