//! The path classes of one upstream: failures in one class do not affect the others.

use std::sync::OnceLock;

use super::breaker::Breaker;
use super::retry::Retry;

/// The maximum number of classes; paths of further classes share the last one.
const MAX_CLASSES: usize = 64;

/// One class: its circuit breaker and its retry budget.
pub(super) struct Class {
    name: Box<str>,
    pub(super) breaker: Breaker,
    pub(super) retry: Retry,
    next: Link,
}

/// The next class, which is set once, so that a look-up takes no lock.
type Link = OnceLock<Box<Class>>;

/// The classes that were used so far, in the order of their first use.
pub(super) struct Classes {
    failures: u32,
    tries: u32,
    first: Link,
}

impl Classes {
    /// Each class has a breaker that opens after `failures`, and `tries` of one request.
    pub(super) fn new(failures: u32, tries: u32) -> Classes {
        Classes {
            failures,
            tries,
            first: Link::new(),
        }
    }

    /// The class with this name.
    pub(super) fn get(&self, name: &str) -> &Class {
        let mut class = self.get_or_set(&self.first, name);
        for _ in 1..MAX_CLASSES {
            if *class.name == *name {
                break;
            }
            class = self.get_or_set(&class.next, name);
        }
        class
    }

    fn get_or_set<'a>(&self, link: &'a Link, name: &str) -> &'a Class {
        link.get_or_init(|| {
            Box::new(Class {
                name: name.into(),
                breaker: Breaker::new(self.failures),
                retry: Retry::new(self.tries),
                next: Link::new(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::iter::successors;
    use std::ptr;
    use std::sync::Barrier;
    use std::thread;

    use super::{Classes, MAX_CLASSES};

    #[test]
    fn a_name_always_finds_the_same_class_and_the_number_of_classes_is_limited() {
        let classes = Classes::new(5, 3);
        let (first, other) = (classes.get("first"), classes.get("other"));
        assert!(ptr::eq(first, classes.get("first")));
        assert!(!ptr::eq(first, other));
        for number in 0..2 * MAX_CLASSES {
            classes.get(&format!("class {number}"));
        }
        let beyond = [classes.get("one more"), classes.get("and one")];
        assert!(ptr::eq(beyond[0], beyond[1]));
        assert!(ptr::eq(first, classes.get("first")));
    }

    #[test]
    fn threads_that_use_a_name_first_at_the_same_time_get_the_same_class() {
        const THREADS: usize = 8;
        let (classes, start) = (Classes::new(5, 3), Barrier::new(THREADS));
        let get = |number: usize| {
            start.wait();
            let names = ["first", "second", "third"].into_iter().cycle();
            let found = names.skip(number).take(3);
            let mut found: Vec<_> = found
                .map(|it| (it, ptr::from_ref(classes.get(it))))
                .collect();
            found.sort_unstable_by_key(|it| it.0);
            found.into_iter().map(|it| it.1.addr()).collect::<Vec<_>>()
        };
        let found: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| scope.spawn(move || get(number)))
                .collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(found.iter().all(|it| *it == found[0]), "{found:?}");
        let known = successors(classes.first.get(), |it| it.next.get());
        assert_eq!(known.count(), 3);
    }
}
