//! A value that the first caller builds for all.

use std::sync::{Arc, OnceLock};

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::flight::Flights;

/// A value that is built when it is first needed, once, whoever asks and however many.
///
/// A failure reaches all who wait for this attempt and is not kept: the next caller tries again. A caller that goes away
/// hands over to the others; one whose deadline passes gets `DeadlineExceeded` while the others go on waiting.
pub struct Once<T: Send + Sync + 'static> {
    value: Arc<OnceLock<Arc<T>>>,
    building: Flights<Result<Arc<T>, Arc<Error>>>,
}

impl<T: Send + Sync + 'static> Once<T> {
    /// Not built yet.
    pub fn new() -> Once<T> {
        Once {
            value: Arc::default(),
            building: Flights::new(),
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
        if let Some(value) = self.value.get() {
            return Ok(value.clone());
        }
        let (building, _) = self.building.join("", deadline, |_| {
            // Another build may have ended between the look above and here.
            let building = self.value.get().is_none().then(build);
            let value = self.value.clone();
            async move {
                let built = match building {
                    Some(building) => Arc::new(building.await.map_err(Arc::new)?),
                    None => return Ok(value.get().expect("it has been looked at").clone()),
                };
                // Kept before this ends, so that nobody can come between the two and build again.
                Ok(value.get_or_init(|| built).clone())
            }
        });
        match deadline.timeout(building).await {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(error.again()),
            None => Err(Error::deadline_exceeded()),
        }
    }
}

impl<T: Send + Sync + 'static> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}
