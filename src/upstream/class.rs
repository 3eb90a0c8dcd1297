//! The path classes of one upstream: failures in one class do not affect the others.

use std::sync::{Arc, Mutex, PoisonError};

use super::breaker::Breaker;
use super::retry::Retry;

/// The maximum number of classes; paths of further classes share the last one.
const MAX_CLASSES: usize = 64;

/// One class: its circuit breaker and its retry budget.
pub(super) struct Class {
    pub(super) breaker: Breaker,
    pub(super) retry: Retry,
}

/// The classes that were used so far.
pub(super) struct Classes {
    failures: u32,
    tries: u32,
    known: Mutex<Vec<(Box<str>, Arc<Class>)>>,
}

impl Classes {
    /// Each class has a breaker that opens after `failures`, and `tries` of one request.
    pub(super) fn new(failures: u32, tries: u32) -> Classes {
        let known = Mutex::default();
        Classes {
            failures,
            tries,
            known,
        }
    }

    /// The class with this name.
    pub(super) fn get(&self, name: &str) -> Arc<Class> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, class)) = known.iter().find(|it| *it.0 == *name) {
            return class.clone();
        }
        if known.len() >= MAX_CLASSES {
            return known[MAX_CLASSES - 1].1.clone();
        }
        let class = Arc::new(Class {
            breaker: Breaker::new(self.failures),
            retry: Retry::new(self.tries),
        });
        known.push((name.into(), class.clone()));
        class
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Classes, MAX_CLASSES};

    #[test]
    fn a_name_always_finds_the_same_class_and_the_number_of_classes_is_limited() {
        let classes = Classes::new(5, 3);
        let (first, other) = (classes.get("first"), classes.get("other"));
        assert!(Arc::ptr_eq(&first, &classes.get("first")));
        assert!(!Arc::ptr_eq(&first, &other));
        for number in 0..2 * MAX_CLASSES {
            classes.get(&format!("class {number}"));
        }
        assert_eq!(classes.known.lock().unwrap().len(), MAX_CLASSES);
        let beyond = [classes.get("one more"), classes.get("and one")];
        assert!(Arc::ptr_eq(&beyond[0], &beyond[1]));
        assert!(Arc::ptr_eq(&first, &classes.get("first")));
    }
}
