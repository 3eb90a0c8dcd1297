//! Shrinks a failing input.

/// The maximum number of attempts.
const TRIES: usize = 300;

/// Removes parts, large ones first, while the rest still fails.
pub async fn shrink(input: &[u8], still_fails: impl AsyncFn(Vec<u8>) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut tries = 0;
    let mut size = best.len() / 2;
    while size > 0 && tries < TRIES {
        let mut at = 0;
        while at < best.len() && tries < TRIES {
            let mut smaller = best.clone();
            drop(smaller.drain(at..(at + size).min(best.len())));
            tries += 1;
            match still_fails(smaller.clone()).await {
                true => best = smaller,
                false => at += size,
            }
        }
        size /= 2;
    }
    best
}
