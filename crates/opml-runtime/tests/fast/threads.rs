//! On which threads a plan runs.

use opml_runtime::{
    fast::{Plan, PlanOptions},
    synthetic,
};

/// How many threads a plan uses of three, as it says of itself.
fn threads(sizes: &[u32], worth_sharing: Option<u64>) -> String {
    let options = PlanOptions {
        threads: Some(3),
        worth_sharing,
        ..PlanOptions::default()
    };
    let plan = Plan::with_options(&synthetic::dense(sizes, 7).unwrap(), options);
    let text = format!("{plan:?}");
    let (_, rest) = text.split_once("threads: ").unwrap();
    rest.split(',').next().unwrap().to_owned()
}

#[test]
fn given_little_work_when_several_threads_are_allowed_then_it_stays_on_the_callers_unless_it_is_told_not_to() {
    assert_eq!(threads(&[256, 256, 10], None), "1");
    assert_eq!(threads(&[256, 256, 10], Some(0)), "3");
    assert_eq!(threads(&[2048, 2048, 10], None), "3");
    assert_eq!(threads(&[2048, 2048, 10], Some(u64::MAX)), "1");
}
