//! Instances that share nothing but an upstream's quota and a table: what each one adds, and where the design bends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bifold::testing::{Canned, CannedUpstream};
use bifold::upstream::{CachePolicy, Upstream};
use bifold::{App, Kind};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{API, app_of};
use crate::store::table::Table;

/// What the upstream allows all instances together, a second.
const QUOTA: usize = 20;
/// What one instance allows itself, a second.
const OWN_LIMIT: usize = 10;
/// The calls a second, divided between the instances.
const CALLS: usize = 40;
/// The time that is simulated.
const SECONDS: usize = 20;

/// An upstream as an instance is told about it: no more requests than that, evenly.
const LIMITED: Upstream = API.rate(1, Duration::from_millis(1_000 / OWN_LIMIT as u64));

/// What became of the calls, and what the upstream saw.
#[derive(Debug, Default)]
struct Outcome {
    answered: usize,
    /// Calls that their own instance refused.
    refused_here: usize,
    /// Calls that failed because of the quota.
    refused_there: usize,
    /// Requests that the upstream got, and those among them that were above the quota.
    sent: usize,
    over_quota: usize,
}

/// An upstream that answers as many requests as its quota in each second, and refuses the others.
async fn with_quota() -> (CannedUpstream, Arc<Mutex<Vec<usize>>>) {
    let seconds: Arc<Mutex<Vec<usize>>> = Arc::default();
    let (since, counted) = (Instant::now(), seconds.clone());
    let api = CannedUpstream::start(move |_| {
        let second = since.elapsed().as_secs() as usize;
        let mut counted = counted.lock().unwrap();
        let length = counted.len().max(second + 1);
        counted.resize(length, 0);
        counted[second] += 1;
        match counted[second] <= QUOTA {
            true => Canned::json("1"),
            false => Canned::status(429, "text/plain", "slow down").header("retry-after", "1"),
        }
    });
    (api.await.unwrap(), seconds)
}

/// So many instances get the calls in turn, each of them for one of so many targets.
async fn simulate(instances: usize, targets: usize, declared: Upstream) -> Outcome {
    let (api, seconds) = with_quota().await;
    let instance = |_| app_of(&api, declared.clone(), |_| {});
    let apps: Vec<App> = (0..instances).map(instance).collect();
    let call = async |number: usize| {
        sleep(Duration::from_millis((number * 1_000 / CALLS) as u64)).await;
        let path = format!("/{}", number % targets);
        let cx = apps[number % instances].context();
        cx.get_json::<Value>(&API, &path).await
    };
    let results = join_all((0..CALLS * SECONDS).map(call)).await;
    let mut outcome = Outcome::default();
    for result in results {
        let count = match &result {
            Ok(_) => &mut outcome.answered,
            Err(error)
                if error
                    .upstream_status()
                    .is_some_and(|it| it.status.is_none()) =>
            {
                &mut outcome.refused_here
            }
            Err(error) => {
                assert_eq!(error.kind(), Kind::RateLimited, "{error}");
                &mut outcome.refused_there
            }
        };
        *count += 1;
    }
    let seconds = seconds.lock().unwrap();
    outcome.sent = seconds.iter().sum();
    outcome.over_quota = seconds.iter().map(|it| it.saturating_sub(QUOTA)).sum();
    outcome
}

#[tokio::test(start_paused = true)]
async fn instances_keep_a_quota_together_only_while_the_sum_of_their_limits_does() {
    for instances in [1, 2, 4, 8] {
        // No two calls ask for the same, so no cache helps.
        let seen = simulate(instances, CALLS * SECONDS, LIMITED).await;
        let all = seen.answered + seen.refused_here + seen.refused_there;
        assert_eq!(all, CALLS * SECONDS, "{instances}: {seen:?}");
        if instances * OWN_LIMIT <= QUOTA {
            // Calls wait or are refused by their instance, and the upstream is never asked too often.
            assert_eq!(seen.over_quota, 0, "{instances}: {seen:?}");
            assert!(seen.refused_here > 0, "{instances}: {seen:?}");
        } else {
            // Here it bends: no instance knows of the others, and the upstream refuses what is too much.
            assert!(seen.over_quota > SECONDS, "{instances}: {seen:?}");
            assert!(seen.refused_there > 0, "{instances}: {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_instance_adds_the_requests_of_its_own_cache() {
    const FRESH: usize = 5;
    // Every instance gets calls for every target, because the two numbers have no common divisor.
    const TARGETS: usize = 7;
    let cached = API.cache_for(CachePolicy::seconds(FRESH as u64, 0));
    for instances in [1, 2, 4] {
        let seen = simulate(instances, TARGETS, cached.clone()).await;
        let within = seen.sent - seen.over_quota;
        // What is refused is tried again, and what was answered is asked for once in its time.
        let (least, most) = (SECONDS / FRESH - 1, SECONDS / FRESH);
        let expected = instances * TARGETS * least..=instances * TARGETS * most;
        assert!(expected.contains(&within), "{instances}: {seen:?}");
        assert_eq!(seen.answered, CALLS * SECONDS, "{instances}: {seen:?}");
    }
}

#[tokio::test]
async fn the_requests_to_the_table_grow_with_the_records_and_not_with_the_instances() {
    const RECORDS: usize = 24;
    for instances in [1, 3, 8] {
        let table = Table::start().await;
        let stores: Vec<_> = (0..instances).map(|_| table.store()).collect();
        for number in 0..RECORDS {
            let (writer, reader) = (number % instances, (number + 1) % instances);
            let (key, ttl) = (format!("record/{number}"), Duration::from_secs(60));
            assert!(
                stores[writer]
                    .create(&key, "v".to_owned(), ttl)
                    .await
                    .unwrap()
            );
            assert!(stores[reader].get(&key).await.unwrap().is_some());
        }
        let asked = (table.count("PutItem"), table.count("GetItem"), table.len());
        assert_eq!(asked, (RECORDS, RECORDS, RECORDS), "{instances}");
    }
}
