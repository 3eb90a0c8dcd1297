//! The values of settings.

use std::sync::Arc;

use bifold::{App, Config, Server};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Target;
use crate::mutate::Mutator;
use crate::seeds::SETTINGS;
use crate::verdict::Verdict;
use crate::world::World;

/// An input is one setting per line, `NAME=value`.
pub fn target() -> Target {
    Target {
        name: "setting",
        width: 1,
        seeds: SETTINGS.map(|it| it.as_bytes().to_vec()).into(),
        generate,
        run,
    }
}

/// Some settings, mostly with only their value mutated.
fn generate(mutator: &mut Mutator, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..mutator.0.usize(1..4) {
        let seed = mutator.pick(seeds).clone();
        let value = seed
            .iter()
            .position(|it| *it == b'=')
            .map_or(0, |it| it + 1);
        let (name, value) = seed.split_at(value);
        match mutator.once_in(8) {
            true => all.extend(mutator.bytes(&[seed])),
            false => {
                all.extend_from_slice(name);
                all.extend(mutator.bytes(&[value.to_vec()]));
            }
        }
        all.push(b'\n');
    }
    all
}

fn run(_: Arc<World>, input: Vec<u8>) -> BoxFuture<'static, Verdict> {
    async move {
        let text = String::from_utf8_lossy(&input);
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let variables = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
        match Config::from_vars(variables, &[]) {
            Ok(config) => match App::new(config, Server::new("fuzz", "1.0.0")) {
                Err(error) if error.to_string().is_empty() => Err("no start, for no reason".into()),
                _ => Ok(()),
            },
            Err(error) if error.to_string().contains('`') => Ok(()),
            Err(error) => Err(format!("an error that names no setting: {error}")),
        }
    }
    .boxed()
}
