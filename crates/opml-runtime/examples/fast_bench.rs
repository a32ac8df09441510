//! Times the fast executor on an encoder of BERT's kind, a decoder step and a convolutional network: `cargo run --release -p opml-runtime --example fast_bench`.
//!
//! Medians, and best times, of interleaved runs. `trace` computes the output of every node and commits to all of them. Runs on one thread and on two are not
//! interleaved: a system that has just seen one thread busy may wake two of them on the same core.

use std::time::Instant;

use opml::ops::{AddAttributes, LayerNormAttributes, MatMulAttributes, SoftmaxAttributes};
use opml_runtime::{
    Builder, Dense, ElementType, Model, Operand, Tensor, TensorSpec,
    builder::BuildError,
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
            ..PlanOptions::default()
        };
        Plan::with_options(model, options)
    };
    let best = Level::best();
    let (one, two) = (with(best, 1), with(best, 2));
    println!("  {one:?}");
    let output = one.run(input).expect("the input fits");
    let others: Vec<Plan> = Level::available()
        .into_iter()
        .filter(|level| *level != best)
        .map(|level| with(level, 1))
        .collect();
    let mut timed = run_and_trace("1 thread", &one, input);
    timed.push((
        "commit to input and output".into(),
        Box::new(|| {
            std::hint::black_box((tensor_root(input), tensor_root(&output)));
        }),
    ));
    for plan in &others {
        timed.push((
            format!("{plan:?}").chars().take(22).collect(),
            Box::new(|| drop(plan.run(input))),
        ));
    }
    measure(&mut timed);
    measure(&mut run_and_trace("2 threads", &two, input));
}

fn run_and_trace<'a>(threads: &str, plan: &'a Plan, input: &'a Tensor) -> Vec<Timed<'a>> {
    vec![
        (format!("run, {threads}"), Box::new(|| drop(plan.run(input)))),
        (
            format!("trace, {threads}"),
            Box::new(|| drop(plan.execute(input).map(|run| run.trace_root()))),
        ),
    ]
}

/// A weight matrix [n, k] with scales that keep values alive.
fn dense(k: u32, n: u32, seed: u64) -> Dense {
    let spec = TensorSpec::new(ElementType::Int8, &[n, k]).expect("a small matrix");
    let weights = synthetic::tensor(&spec, seed);
    Dense {
        weights: weights.bytes().iter().map(|byte| *byte as i8).collect(),
        bias: vec![1000; n as usize],
        multiplier: vec![1_500_000_000 / (100 * k.isqrt() as i32); n as usize],
        shift: vec![30; n as usize],
        x_zero_point: 1,
        y_zero_point: -1,
        low: i8::MIN,
        high: i8::MAX,
    }
}

/// An encoder of BERT's kind: float models of this size have 11 million weights.
fn encoder(layers: u64, tokens: u32, width: u32, heads: u32) -> Result<Model, BuildError> {
    let mut builder = Builder::new(TensorSpec::new(ElementType::Int8, &[tokens, width]).expect("a small input"));
    let exponentials: [i32; 256] = std::array::from_fn(|d| ((1 << 30) as f64 * (-(d as f64) / 24.0).exp()) as i32);
    let gelu: [i8; 256] = std::array::from_fn(|entry| {
        let x = (entry as f64 - 128.0) / 24.0;
        (12.0 * x * (1.0 + (0.8 * (x + 0.045 * x * x * x)).tanh())) as i8
    });
    let scaled = |k: u32| MatMulAttributes {
        a_zero_point: 3,
        b_zero_point: -2,
        y_zero_point: 0,
        shift: 30,
        multiplier: (1 << 30) / (70 * k.isqrt() as i32),
    };
    let sum = AddAttributes {
        a_zero_point: 1,
        b_zero_point: -1,
        y_zero_point: 2,
        low: i8::MIN,
        high: i8::MAX,
        shift: 30,
        a_multiplier: 700_000_000,
        b_multiplier: 800_000_000,
    };
    let norm = LayerNormAttributes {
        y_zero_point: 1,
        shift: 36,
        epsilon: 9,
    };
    let (gamma, beta) = (vec![48 << 16; width as usize], vec![5 << 14; width as usize]);
    let mut x = Operand::Input;
    for layer in 0..layers {
        let project = |which, builder: &mut Builder| {
            let y = builder.fully_connected(x, dense(width, width, 10 * layer + which))?;
            builder.reshape(y, &[tokens, heads, width / heads])
        };
        let [q, k, v] = [
            project(0, &mut builder)?,
            project(1, &mut builder)?,
            project(2, &mut builder)?,
        ];
        let q = builder.transpose(q, &[1, 0, 2])?;
        let k = builder.transpose(k, &[1, 0, 2])?;
        let v = builder.transpose(v, &[1, 2, 0])?;
        let scores = builder.mat_mul(q, k, scaled(width / heads))?;
        let weights = builder.softmax(scores, &exponentials, None, SoftmaxAttributes::default())?;
        let mixed = builder.mat_mul(weights, v, scaled(tokens))?;
        let mixed = builder.transpose(mixed, &[1, 0, 2])?;
        let mixed = builder.reshape(mixed, &[tokens, width])?;
        let attended = builder.fully_connected(mixed, dense(width, width, 10 * layer + 3))?;
        let attended = builder.add(attended, x, sum)?;
        let attended = builder.layer_norm(attended, &gamma, &beta, norm)?;
        let hidden = builder.fully_connected(attended, dense(width, 4 * width, 10 * layer + 4))?;
        let hidden = builder.lookup(hidden, &gelu)?;
        let hidden = builder.fully_connected(hidden, dense(4 * width, width, 10 * layer + 5))?;
        let hidden = builder.add(hidden, attended, sum)?;
        x = builder.layer_norm(hidden, &gamma, &beta, norm)?;
    }
    builder.build()
}

fn main() {
    let encoder = encoder(6, 128, 384, 12).expect("the sizes fit");
    let input = synthetic::tensor(encoder.input_spec(), 2);
    bench("encoder, 6 layers, 384 wide, 128 tokens", &encoder, &input);

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
