//! Times the fast executor on an encoder of BERT's kind, a decoder step and a convolutional network: `cargo run --release -p opml-runtime --example fast_bench`.
//!
//! Medians, and best times, of interleaved runs. `trace` computes the output of every node and commits to all of them.

use std::time::Instant;

use opml_runtime::{
    Model, Tensor,
    fast::{Level, Plan, PlanOptions, tensor_root},
    synthetic,
};

const ROUNDS: usize = 40;

/// What is timed, by name.
type Timed<'a> = (String, Box<dyn FnMut() + 'a>);

/// The median time of each, measured in turns so that a busy machine slows all of them.
fn measure(timed: &mut [Timed]) {
    let mut times = vec![Vec::with_capacity(ROUNDS); timed.len()];
    for round in 0..ROUNDS + 3 {
        for ((_, run), times) in timed.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run();
            if round >= 3 {
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    for ((name, _), mut times) in timed.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!(
            "  {name:40} {:9.3} ms, best {:9.3} ms",
            times[times.len() / 2],
            times[0]
        );
    }
}

fn bench(name: &str, model: &Model, input: &Tensor) {
    println!("{name}: {} nodes", model.nodes().len());
    let with = |level, threads| {
        let options = PlanOptions {
            threads: Some(threads),
            level: Some(level),
        };
        Plan::with_options(model, options)
    };
    let best = Level::best();
    let (one, two) = (with(best, 1), with(best, 2));
    println!("  {one:?}");
    let output = one.run(input).expect("the input fits");
    let execution = one.execute(input).expect("the input fits");
    let others: Vec<Plan> = Level::available()
        .into_iter()
        .filter(|level| *level != best)
        .map(|level| with(level, 1))
        .collect();
    let mut timed: Vec<Timed> = vec![
        ("run, 1 thread".into(), Box::new(|| drop(one.run(input)))),
        ("run, 2 threads".into(), Box::new(|| drop(two.run(input)))),
        ("every node, 1 thread".into(), Box::new(|| drop(one.execute(input)))),
        (
            "trace, 2 threads".into(),
            Box::new(|| drop(two.execute(input).map(|run| run.trace_root()))),
        ),
        (
            "commit to input and output".into(),
            Box::new(|| {
                std::hint::black_box((tensor_root(input), tensor_root(&output)));
            }),
        ),
        (
            "commit to every node, 1 thread".into(),
            Box::new(|| {
                for output in execution.outputs() {
                    std::hint::black_box(tensor_root(output));
                }
            }),
        ),
    ];
    for plan in &others {
        timed.push((
            format!("{plan:?}").chars().take(22).collect(),
            Box::new(|| drop(plan.run(input))),
        ));
    }
    measure(&mut timed);
}

fn main() {
    let encoder = synthetic::encoder_block(128, 384, 12, 1000, 1).expect("the sizes fit");
    let input = synthetic::words(encoder.input_spec(), 128, 2);
    bench("encoder block, 384 wide, 128 tokens", &encoder, &input);

    let step = synthetic::decoder_step(256, 768, 12, 3).expect("the sizes fit");
    bench(
        "decoder step, 768 wide, cache 256",
        &step,
        &synthetic::words(step.input_spec(), 200, 4),
    );

    let network = synthetic::conv_net(224, 32, 5).expect("the sizes fit");
    bench(
        "convolutional network, 224 x 224 x 3",
        &network,
        &synthetic::tensor(network.input_spec(), 6),
    );
}
