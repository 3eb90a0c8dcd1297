//! Runs the inputs of one target in batches, and reports the failures.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::mutate::Mutator;
use crate::shrink::shrink;
use crate::targets::Target;
use crate::verdict::{TAKEN, Verdict};
use crate::world::{Failure, World};

/// The maximum time of one input: many times what the slowest input needs on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// The number of reported failures after which a target ends.
const MOST_FAILURES: usize = 5;

/// Panics, including those that the application has caught.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// When a target ends.
#[derive(Clone, Copy)]
pub enum StopAfter {
    Time(Duration),
    Inputs(u64),
}

pub struct Campaign {
    world: Arc<World>,
    seed: u64,
    until: StopAfter,
}

/// The result of one target.
pub struct Report {
    name: &'static str,
    pub inputs: u64,
    pub failures: usize,
    /// Accepted inputs: answers that are not refusals.
    taken: usize,
    slowest: Duration,
    took: Duration,
}

impl Campaign {
    pub fn new(world: Arc<World>, seed: u64, until: StopAfter) -> Campaign {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // The first panics are enough to find their origin.
            if PANICS.fetch_add(1, Ordering::SeqCst) < 20 {
                told(panic);
            }
        }));
        Campaign { world, seed, until }
    }

    /// Runs the target until its end.
    ///
    /// # Errors
    /// A failing input cannot be saved.
    pub async fn run(&self, target: &Target) -> Result<Report, Failure> {
        let mut mutator = Mutator::new(self.seed);
        let mut report = Report::of(target);
        let since = Instant::now();
        while !self.is_enough(&report, since) {
            let inputs: Vec<Vec<u8>> = (0..target.width)
                .map(|_| (target.generate)(&mut mutator, &target.seeds))
                .collect();
            let begin = Instant::now();
            for (input, problem) in self.failing(target, &inputs).await {
                report.failures += 1;
                self.report_failure(target, &report, input, &problem)
                    .await?;
            }
            report.slowest = report.slowest.max(begin.elapsed());
            report.inputs += inputs.len() as u64;
            if report.inputs.is_multiple_of(1024) {
                self.world.tidy();
            }
        }
        report.took = since.elapsed();
        report.taken = TAKEN.swap(0, Ordering::Relaxed);
        Ok(report)
    }

    /// Runs one input.
    pub async fn repeat(&self, target: &Target, input: Vec<u8>) -> Report {
        let mut report = Report::of(target);
        let since = Instant::now();
        if let Err(problem) = self.alone(target, input).await {
            println!("{}: {problem}", target.name);
            report.failures = 1;
        }
        report.inputs = 1;
        report.took = since.elapsed();
        report.slowest = report.took;
        report.taken = TAKEN.swap(0, Ordering::Relaxed);
        report
    }

    fn is_enough(&self, report: &Report, since: Instant) -> bool {
        report.failures >= MOST_FAILURES
            || match self.until {
                StopAfter::Time(time) => since.elapsed() >= time,
                StopAfter::Inputs(inputs) => report.inputs >= inputs,
            }
    }

    /// The failing inputs, each with its problem.
    async fn failing<'i>(&self, target: &Target, inputs: &'i [Vec<u8>]) -> Vec<(&'i [u8], String)> {
        let before = PANICS.load(Ordering::SeqCst);
        let running = inputs.iter().map(|it| self.judge(target, it.clone()));
        let verdicts = join_all(running).await;
        let told = inputs.iter().zip(verdicts);
        let mut failing: Vec<(&[u8], String)> = told
            .filter_map(|(input, verdict)| Some((input.as_slice(), verdict.err()?)))
            .collect();
        let has_panicked = PANICS.load(Ordering::SeqCst) > before;
        if !has_panicked || !failing.is_empty() {
            return failing;
        }
        // Each input runs again alone, to find the one that panics.
        for input in inputs {
            if let Err(problem) = self.alone(target, input.clone()).await {
                failing.push((input, problem));
            }
        }
        if failing.is_empty() {
            let all = inputs.iter().map(|it| {
                (
                    it.as_slice(),
                    "a panic that needs all of a batch".to_owned(),
                )
            });
            failing.extend(all);
        }
        failing
    }

    /// Judges an input alone, so that a panic during the run is its own.
    async fn alone(&self, target: &Target, input: Vec<u8>) -> Verdict {
        let before = PANICS.load(Ordering::SeqCst);
        self.judge(target, input).await?;
        match PANICS.load(Ordering::SeqCst) > before {
            true => Err("a panic".to_owned()),
            false => Ok(()),
        }
    }

    async fn judge(&self, target: &Target, input: Vec<u8>) -> Verdict {
        // A task also catches panics outside of functions.
        let running = tokio::spawn((target.run)(self.world.clone(), input));
        match tokio::time::timeout(LIMIT, running).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err("a panic".to_owned()),
            Err(_) => Err(format!("no answer within {LIMIT:?}")),
        }
    }

    /// Shrinks the input while it still fails, and saves it to a file.
    async fn report_failure(
        &self,
        target: &Target,
        report: &Report,
        input: &[u8],
        problem: &str,
    ) -> Result<(), Failure> {
        let is_slow = problem.starts_with("no answer within");
        let still_fails = async |input: Vec<u8>| self.alone(target, input).await.is_err();
        // Shrinking an input that hangs would take hours.
        let small = match is_slow {
            true => input.to_vec(),
            false => shrink(input, still_fails).await,
        };
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/fuzz"));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}-{}", target.name, report.failures));
        std::fs::write(&file, &small)?;
        let shown: String = small
            .escape_ascii()
            .to_string()
            .chars()
            .take(2_000)
            .collect();
        println!(
            "{}: {problem}\n  {shown}\n  kept in {}",
            target.name,
            file.display()
        );
        Ok(())
    }
}

impl Report {
    fn of(target: &Target) -> Report {
        Report {
            name: target.name,
            inputs: 0,
            failures: 0,
            taken: 0,
            slowest: Duration::ZERO,
            took: Duration::ZERO,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.inputs as f64 / self.took.as_secs_f64().max(0.001);
        let Report {
            name,
            inputs,
            failures,
            taken,
            ..
        } = self;
        let (took, slowest) = (self.took.as_secs_f64(), self.slowest.as_millis());
        write!(
            f,
            "{name:<16} {inputs:>8} inputs in {took:>5.1} s, {rate:>7.0}/s, slowest {slowest} ms, {taken} taken, {failures} failures"
        )
    }
}
