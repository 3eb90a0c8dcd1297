//! The page about scale says what `examples/scale` computes.

#[path = "../../../examples/scale/assumptions.rs"]
mod assumptions;
#[path = "../../../examples/scale/estimate.rs"]
mod estimate;

use assumptions::Assumptions;
use estimate::Estimate;

use super::page::read;

const PAGE: &str = "docs/scale.md";
const END: &str = "<!-- end -->";

#[test]
fn the_page_has_the_result_of_the_example() {
    let assumptions = Assumptions::default();
    let mut text = read(PAGE).text;
    let before = text.clone();
    for (what, table) in [
        ("the result", estimate::report(&assumptions)),
        ("the assumptions", estimate::assumed(&assumptions)),
    ] {
        let start = format!("<!-- made by examples/scale: {what} -->\n");
        let (head, rest) = text
            .split_once(&start)
            .expect("the page has a place for it");
        let (_, tail) = rest.split_once(END).expect("the place has an end");
        text = [head, &start, "\n", &table, "\n", END, tail].concat();
    }
    if std::env::var_os("UPDATE").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        std::fs::write(path, text).unwrap();
        return;
    }
    assert!(
        text == before,
        "`{PAGE}` is not what the example says: UPDATE=1 cargo test --test it docs::scale"
    );
}

#[test]
fn a_parameter_that_is_unknown_or_no_number_is_named() {
    let of = |arg: &str| Assumptions::from_args([arg.to_owned()].into_iter());
    for arg in ["call=1", "calls", "calls=many", "calls=-1"] {
        let problem = of(arg).err().unwrap();
        assert!(problem.contains(&format!("`{arg}`")), "{problem}");
        assert!(problem.contains("calls, peak"), "{problem}");
    }
    assert_eq!(of("calls=2e9").unwrap().get("calls"), 2e9);
}

#[test]
fn the_estimate_agrees_with_what_can_be_said_without_it() {
    let none = Assumptions::default().with("edges", 0.0);
    // Nothing is fresh: every call that needs an upstream asks it.
    let fresh = Estimate::of(&none.clone().with("ttl_s", 0.0), 100.0);
    assert_eq!((fresh.edge_hits, fresh.instance_hits), (0.0, 0.0));
    assert!((fresh.upstream - 70.0).abs() < 1e-6, "{}", fresh.upstream);
    // Little's law.
    let busy = fresh.function * fresh.billed_ms / 1000.0;
    assert!((fresh.instances - busy).abs() < 1e-6);
    // However many calls there are, an instance asks for a target at most once in its time.
    let many = Estimate::of(&none, 100_000.0);
    let most = many.instances * none.get("targets") / none.get("ttl_s");
    assert!(many.upstream <= most, "{} > {most}", many.upstream);
}
