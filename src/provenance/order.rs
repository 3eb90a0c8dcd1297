//! The order of rows. Rows of all types share one sort, that of their places: a sort is much code, and is otherwise compiled
//! for each type.

use std::cmp::Ordering;

/// Sorts the rows; equal ones keep their order.
pub(super) fn sort<T>(rows: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = places(rows.len(), &|a, b| compare(&rows[a], &rows[b]));
    let mut taken: Vec<Option<T>> = std::mem::take(rows).into_iter().map(Some).collect();
    rows.extend(order.into_iter().filter_map(|place| taken[place].take()));
}

fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|&a, &b| compare(a, b));
    places
}

#[cfg(test)]
mod tests {
    use super::sort;

    #[test]
    fn rows_are_sorted_and_equal_ones_keep_their_order() {
        for count in [0, 1, 2, 100] {
            let mut rows: Vec<(usize, usize)> = (0..count).map(|it| (it * 7 % 5, it)).collect();
            let mut sorted = rows.clone();
            sorted.sort();
            sort(&mut rows, |a, b| a.0.cmp(&b.0));
            assert_eq!(rows, sorted);
        }
    }
}
