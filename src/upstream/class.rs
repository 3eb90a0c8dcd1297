//! The path classes of one upstream: what fails in one of them is no reason to leave the others alone.

use std::sync::{Arc, Mutex, PoisonError};

use super::breaker::Breaker;
use super::retry::Retry;

/// The most classes that are told apart; what is beyond them counts as one.
const MOST: usize = 64;

/// One class: its breaker and its retries.
pub(super) struct Class {
    pub(super) breaker: Breaker,
    pub(super) retry: Retry,
}

/// The classes that were asked for so far.
pub(super) struct Classes {
    failures: u32,
    tries: u32,
    known: Mutex<Vec<(&'static str, Arc<Class>)>>,
}

impl Classes {
    /// Each class with a breaker that opens after so many failures, and with so many tries of one request.
    pub(super) fn new(failures: u32, tries: u32) -> Classes {
        let known = Mutex::default();
        Classes {
            failures,
            tries,
            known,
        }
    }

    /// The class of that name.
    pub(super) fn get(&self, name: &'static str) -> Arc<Class> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, class)) = known.iter().find(|it| it.0 == name) {
            return class.clone();
        }
        if known.len() >= MOST {
            return known[MOST - 1].1.clone();
        }
        let class = Arc::new(Class {
            breaker: Breaker::new(self.failures),
            retry: Retry::new(self.tries),
        });
        known.push((name, class.clone()));
        class
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Classes, MOST};

    #[test]
    fn a_class_is_the_same_each_time_and_their_number_is_bounded() {
        let classes = Classes::new(5, 3);
        let (first, other) = (classes.get("first"), classes.get("other"));
        assert!(Arc::ptr_eq(&first, &classes.get("first")));
        assert!(!Arc::ptr_eq(&first, &other));
        for number in 0..2 * MOST {
            classes.get(format!("class {number}").leak());
        }
        assert_eq!(classes.known.lock().unwrap().len(), MOST);
        let beyond = [classes.get("one more"), classes.get("and one")];
        assert!(Arc::ptr_eq(&beyond[0], &beyond[1]));
        assert!(Arc::ptr_eq(&first, &classes.get("first")));
    }
}
