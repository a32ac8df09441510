//! A small decoder of LLaMA's kind: RMSNorm, rotary embedding, masks, shared key heads and SiLU in pieces, for a whole prompt and for one step with a cache.

use opml_runtime::{
    Tensor, execute,
    fast::Plan,
    onnx::{Array, Imported, Port},
};

use crate::files::{array, folder, import};

const MODEL: &str = "decoder";
const PREFILL: &str = "prefill.qdq.int8.onnx";
const STEP: &str = "step.qdq.int8.onnx";

/// Tokens of a prompt; the rest of a recorded generation follows from them.
const PROMPT: usize = 12;

fn operators(imported: &Imported) -> Vec<&'static str> {
    let nodes = imported.model.nodes().iter();
    nodes
        .map(|node| opml::ops::operator(node.operator).unwrap().name())
        .collect()
}

/// The first place of the greatest value.
fn greatest(values: &[f32]) -> usize {
    let mut places = 0..values.len();
    places
        .find(|i| values.iter().all(|value| *value <= values[*i]))
        .unwrap()
}

/// A step that feeds the next one. The cache is what the model itself takes and gives: bytes.
struct Generation<'a> {
    imported: &'a Imported,
    input: Vec<u8>,
    length: usize,
}

impl<'a> Generation<'a> {
    fn new(imported: &'a Imported) -> Self {
        let spec = imported.model.input_spec();
        Self {
            imported,
            input: vec![0; spec.byte_len() as usize],
            length: 0,
        }
    }

    fn port(&self, name: &str) -> &'a Port {
        let ports = &self.imported.report.inputs;
        ports.iter().find(|port| port.name == name).unwrap()
    }

    fn write_number(&mut self, name: &str, number: usize) {
        let bytes = self.port(name).bytes.clone();
        self.input[bytes].copy_from_slice(&(number as i32).to_le_bytes());
    }

    /// The logits of what follows this token. `run` executes the model.
    fn feed(&mut self, token: usize, run: impl Fn(&Tensor) -> Tensor) -> Vec<f32> {
        self.write_number("input_ids", token);
        self.write_number("position_ids", self.length);
        self.write_number("length", self.length);
        let input = Tensor::new(*self.imported.model.input_spec(), self.input.clone()).unwrap();
        let output = run(&input);
        let mut logits = None;
        for port in &self.imported.report.outputs {
            match port.name.strip_prefix("present.") {
                None => logits = Some(port.decode(output.bytes())),
                Some(name) => self.write_row(name, port, &output.bytes()[port.bytes.clone()]),
            }
        }
        self.length += 1;
        logits.unwrap()
    }

    /// Writes a key or value behind those in use.
    fn write_row(&mut self, name: &str, row: &Port, bytes: &[u8]) {
        let cache = self.port(&format!("past_key_values.{name}"));
        assert_eq!(cache.scale, row.scale, "a row can be written as it is");
        let [1, heads, rows, width] = cache.shape[..] else {
            panic!("{cache:?}")
        };
        for head in 0..heads {
            let to = cache.bytes.start + (head * rows + self.length) * width;
            self.input[to..to + width].copy_from_slice(&bytes[head * width..][..width]);
        }
    }
}

/// Greedy decoding of a prompt: all tokens, and the logits of each.
fn generate(
    imported: &Imported,
    prompt: &[i64],
    count: usize,
    run: impl Fn(&Tensor) -> Tensor,
) -> (Vec<i64>, Vec<Vec<f32>>) {
    let mut generation = Generation::new(imported);
    let (mut tokens, mut logits) = (prompt.to_vec(), Vec::new());
    for i in 0..count {
        logits.push(generation.feed(tokens[i] as usize, &run));
        if i + 1 == tokens.len() && tokens.len() < count {
            tokens.push(greatest(&logits[i]) as i64);
        }
    }
    (tokens, logits)
}

fn by_the_reference(imported: &Imported) -> impl Fn(&Tensor) -> Tensor {
    |input| execute(&imported.model, input).unwrap().output().clone()
}

/// What onnxruntime generated: of each prompt the tokens and the logits of each token.
fn recorded() -> Vec<(Vec<i64>, Vec<Vec<f32>>)> {
    let rows = |array: Array| -> (Vec<usize>, Array) { (array.shape.clone(), array) };
    let (shape, tokens) = rows(array(MODEL, "samples/generation/tokens.npy"));
    let (_, logits) = rows(array(MODEL, "samples/generation/logits.npy"));
    let (tokens, logits) = (tokens.to_integers().unwrap(), logits.to_floats());
    let vocabulary = logits.len() / tokens.len();
    let logits: Vec<Vec<f32>> = logits.chunks(vocabulary).map(<[f32]>::to_vec).collect();
    let pairs = tokens.chunks(shape[1]).zip(logits.chunks(shape[1]));
    pairs
        .map(|(tokens, logits)| (tokens.to_vec(), logits.to_vec()))
        .collect()
}

#[test]
fn given_the_prefill_when_imported_then_it_agrees_with_onnxruntime() {
    let imported = import(MODEL, PREFILL);
    let samples = imported.samples(&folder(MODEL).join("samples/prefill")).unwrap();
    let agreement = imported.compare(&samples).unwrap();
    println!("{}\n{agreement:?}", imported.report);
    let [logits] = &agreement.outputs[..] else {
        panic!("{agreement:?}")
    };
    assert!(agreement.recorded);
    assert_eq!((agreement.samples, logits.rows), (200, 200));
    assert!(logits.equal_rows * 100 >= logits.rows * 99, "{agreement:?}");
    assert!(logits.mean_cosine > 0.999, "{agreement:?}");
}

#[test]
fn given_the_prefill_when_its_answers_are_compared_with_what_follows_then_they_are_right() {
    let imported = import(MODEL, PREFILL);
    let samples = imported.samples(&folder(MODEL).join("samples/prefill")).unwrap();
    let labels = array(MODEL, "samples/prefill/labels.npy").to_integers().unwrap();
    let plan = Plan::new(&imported.model);
    let right = samples
        .inputs
        .iter()
        .zip(&labels)
        .filter(|(inputs, label)| {
            let execution = plan.execute(&imported.quantise(inputs).unwrap()).unwrap();
            greatest(&imported.dequantise(execution.output())[0]) == **label as usize
        })
        .count();
    println!("{right} of {}", labels.len());
    assert!(right * 100 >= labels.len() * 98, "{right} of {}", labels.len());
}

#[test]
fn given_the_step_when_imported_then_all_of_its_outputs_agree_with_onnxruntime() {
    let imported = import(MODEL, STEP);
    let samples = imported.samples(&folder(MODEL).join("samples/step")).unwrap();
    let agreement = imported.compare(&samples).unwrap();
    println!("{}\n{agreement:?}", imported.report);
    assert_eq!(agreement.outputs.len(), 5);
    for output in &agreement.outputs {
        assert!(output.mean_cosine > 0.999, "{output:?}");
    }
    assert_eq!(agreement.outputs[0].equal_rows, 8);
}

#[test]
fn given_the_decoder_when_imported_then_each_group_of_operators_is_one_node() {
    for (file, layers) in [(PREFILL, 2), (STEP, 2)] {
        let names = operators(&import(MODEL, file));
        let count = |name: &str| names.iter().filter(|other| **other == name).count();
        let found = [
            "RMSNorm",
            "RotaryEmbedding",
            "Softmax",
            "MatMul",
            "FullyConnected",
            "Lookup",
            "Mul",
            "Add",
        ]
        .map(count);
        let per_layer = [2, 2, 1, 2, 7, 1, 1, 2].map(|count| count * layers);
        // One more norm and one more product at the end.
        let ends = [1, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(
            found,
            std::array::from_fn(|i| per_layer[i] + ends[i]),
            "{file}: {names:?}"
        );
    }
}

#[test]
fn given_a_prompt_when_steps_feed_each_other_then_onnxruntimes_tokens_follow() {
    let imported = import(MODEL, STEP);
    let plan = Plan::new(&imported.model);
    let run = |input: &Tensor| plan.execute(input).unwrap().output().clone();
    let recorded = recorded();
    let (mut equal, mut all) = (0, 0);
    for (tokens, logits) in &recorded {
        let (found, found_logits) = generate(&imported, &tokens[..PROMPT], tokens.len(), run);
        equal += found.iter().zip(tokens).skip(PROMPT).filter(|(a, b)| a == b).count();
        all += tokens.len() - PROMPT;
        // As long as the tokens are the same, so is where the logits are greatest, and nearly how great.
        let same = found.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        let width = logits[0].iter().fold(0f32, |width, logit| width.max(logit.abs()));
        for (found, expected) in found_logits.iter().zip(logits).take(same) {
            let off = found
                .iter()
                .zip(expected)
                .map(|(a, b)| (a - b).abs())
                .fold(0f32, f32::max);
            assert!(off < 0.15 * width, "{off} of {width}");
        }
    }
    println!("{equal} of {all} generated tokens are onnxruntime's");
    assert!(equal * 100 >= all * 99, "{equal} of {all}");
}

#[test]
fn given_a_prompt_when_generated_by_the_fast_and_the_reference_executor_then_the_same_bytes() {
    let imported = import(MODEL, STEP);
    let plan = Plan::new(&imported.model);
    for (tokens, _) in recorded().iter().take(4) {
        let fast = generate(&imported, &tokens[..PROMPT], tokens.len(), |input| {
            let fast = plan.execute(input).unwrap().output().clone();
            assert_eq!(fast, execute(&imported.model, input).unwrap().output().clone());
            fast
        });
        let reference = generate(&imported, &tokens[..PROMPT], tokens.len(), by_the_reference(&imported));
        assert_eq!(fast, reference);
    }
}

#[test]
fn given_a_prompt_when_prefilled_and_when_fed_step_by_step_then_the_same_token_follows() {
    let [prefill, step] = [PREFILL, STEP].map(|file| import(MODEL, file));
    for (tokens, _) in &recorded() {
        let (all, _) = generate(&step, tokens, tokens.len(), by_the_reference(&step));
        let mut prompt = all[..PROMPT].to_vec();
        prompt.resize(all.len(), 7);
        let inputs = [
            Array::from_integers(opml_runtime::onnx::Kind::Int64, vec![1, all.len()], prompt.into_iter()),
            Array::from_integers(opml_runtime::onnx::Kind::Int64, vec![1], [PROMPT as i64].into_iter()),
        ];
        let execution = execute(&prefill.model, &prefill.quantise(&inputs).unwrap()).unwrap();
        let next = greatest(&prefill.dequantise(execution.output())[0]);
        assert_eq!(next as i64, all[PROMPT]);
    }
}

#[test]
fn given_what_is_behind_a_prompt_when_it_changes_then_the_answer_does_not() {
    let imported = import(MODEL, PREFILL);
    let samples = imported.samples(&folder(MODEL).join("samples/prefill")).unwrap();
    let short = samples
        .inputs
        .iter()
        .find(|inputs| inputs[1].to_integers().unwrap()[0] < 20);
    let [tokens, length] = &short.unwrap()[..] else {
        panic!("two inputs")
    };
    let used = length.to_integers().unwrap()[0] as usize;
    let answer = |change: fn(i64) -> i64| {
        let values = tokens.to_integers().unwrap().into_iter().enumerate();
        let changed = values.map(|(i, token)| if i < used { token } else { change(token) });
        let tokens = Array::from_integers(tokens.kind(), tokens.shape.clone(), changed);
        let input = imported.quantise(&[tokens, length.clone()]).unwrap();
        execute(&imported.model, &input).unwrap().output().clone()
    };
    assert_eq!(answer(|token| token), answer(|token| (token + 5) % 48));
}

#[test]
fn given_random_inputs_when_compared_with_the_interpreter_then_close() {
    for file in [PREFILL, STEP] {
        let imported = import(MODEL, file);
        let agreement = imported.compare(&imported.random_samples(6)).unwrap();
        println!("{file}: {agreement:?}");
        assert!(agreement.outputs[0].mean_cosine > 0.98, "{file}: {agreement:?}");
    }
}
