//! A decoder that is paid step by step.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::payer::{PaidQuestion, Purse};
use imo_node::{
    decoder::{Generation, Layout},
    gateway::Limits,
};
use opml_runtime::{Tensor, execute, onnx::import_file};
use serde_json::{Value, json};

use crate::{
    decoder_world::{PROMPT, file, layout, recorded, world},
    world::World,
};

/// A payer who follows the steps.
struct Reader<'a> {
    world: &'a World,
    purse: Purse,
    generation: Generation,
    tokens: Vec<u32>,
}

impl<'a> Reader<'a> {
    fn new(world: &'a World, prompt: &[u32]) -> Self {
        Self {
            world,
            purse: world.purse(),
            generation: Generation::new(world.model.input_spec()),
            tokens: prompt.to_vec(),
        }
    }

    fn layout(&self) -> &'a Layout {
        self.world.layout.as_ref().unwrap()
    }

    /// The next step's question, as the payer makes it.
    fn next(&mut self) -> (Tensor, PaidQuestion) {
        let token = self.tokens[self.generation.length()];
        let input = self.generation.question(self.layout(), token).unwrap();
        let question = self.world.question(&mut self.purse, &input);
        (input, question)
    }

    /// Checks a chunk against the model itself, and takes what it says.
    fn take(&mut self, input: &Tensor, question: &PaidQuestion, chunk: &Value) {
        let truth = execute(&self.world.model, input).unwrap();
        assert_eq!(chunk["object"], "text_completion");
        let output = STANDARD.decode(chunk["imo"]["output"].as_str().unwrap()).unwrap();
        assert_eq!(output, truth.output().bytes());
        let receipt = STANDARD.decode(chunk["imo"]["receipt"].as_str().unwrap()).unwrap();
        assert_eq!(chunk["imo"]["sequence"], question.request.sequence);
        assert!(
            receipt.windows(32).any(|bytes| bytes == input.root()),
            "the receipt is about this very input"
        );
        assert!(receipt.windows(32).any(|bytes| bytes == truth.output().root()));
        self.generation.take(self.layout(), truth.output()).unwrap();
        if let Some(token) = chunk["choices"][0]["token_ids"][0].as_u64() {
            self.tokens.push(token as u32);
        }
    }

    async fn begin(&mut self, body: Value) -> reqwest::Response {
        let (_, question) = self.next();
        self.post("/v1/completions", &question, body.to_string()).await
    }

    async fn post(&self, path: &str, question: &PaidQuestion, body: String) -> reqwest::Response {
        let request = reqwest::Client::new().post(format!("{}{path}", self.world.url));
        let request = request.header("x-payment", self.world.header(question)).body(body);
        request.send().await.unwrap()
    }
}

/// The next event of a stream; `None` at its end.
async fn event(response: &mut reqwest::Response, buffer: &mut String) -> Option<String> {
    loop {
        while let Some((event, rest)) = buffer.split_once("\n\n") {
            let data = event.strip_prefix("data: ").map(str::to_owned);
            *buffer = rest.to_owned();
            if data.is_some() {
                return data;
            }
        }
        buffer.push_str(std::str::from_utf8(&response.chunk().await.unwrap()?).unwrap());
    }
}

async fn json(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn given_a_prompt_when_each_step_is_paid_then_onnxruntimes_tokens_stream_with_a_receipt_each() {
    let world = world(|_| {}).await;
    let recorded = recorded();
    let mut reader = Reader::new(&world, &recorded[..PROMPT]);
    let (mut input, mut question) = reader.next();
    let body = json!({ "prompt": &recorded[..PROMPT], "max_tokens": recorded.len() - PROMPT, "stream": true, "temperature": 0 });
    let mut stream = reader.post("/v1/completions", &question, body.to_string()).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut buffer = String::new();
    for step in 0..recorded.len() - 1 {
        let chunk: Value = serde_json::from_str(&event(&mut stream, &mut buffer).await.unwrap()).unwrap();
        assert_eq!(chunk["choices"].as_array().unwrap().is_empty(), step + 1 < PROMPT);
        reader.take(&input, &question, &chunk);
        if step + 2 == recorded.len() {
            assert_eq!(chunk["choices"][0]["finish_reason"], "length");
            break;
        }
        assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
        (input, question) = reader.next();
        let path = format!("/v1/completions/{}", chunk["id"].as_str().unwrap());
        let paid = reader.post(&path, &question, String::new()).await;
        assert_eq!(paid.status(), 200);
    }
    assert_eq!(event(&mut stream, &mut buffer).await.unwrap(), "[DONE]");
    assert_eq!(event(&mut stream, &mut buffer).await, None);
    assert_eq!(reader.tokens, recorded);
    let stored = world.store.lane(&world.lane(), 11).await.unwrap().unwrap();
    assert_eq!(stored.count() as usize, recorded.len() - 1);
}

#[tokio::test]
async fn given_a_lost_answer_when_the_step_is_paid_again_then_the_same_and_after_the_last_none() {
    // The first token that is generated ends the answer.
    let recorded = recorded();
    let world = world(|layout| layout.end_tokens = vec![recorded[PROMPT]]).await;
    let mut reader = Reader::new(&world, &recorded[..PROMPT]);
    let (input, question) = reader.next();
    let body = json!({ "prompt": [&recorded[..PROMPT]], "stream": true });
    let mut stream = reader.post("/v1/completions", &question, body.to_string()).await;
    let chunk: Value = serde_json::from_str(&event(&mut stream, &mut String::new()).await.unwrap()).unwrap();
    reader.take(&input, &question, &chunk);
    let path = format!("/v1/completions/{}", chunk["id"].as_str().unwrap());
    // Nobody reads the stream any more: the payments' own answers are enough.
    drop(stream);
    for _ in 1..PROMPT {
        let (input, question) = reader.next();
        let first = json(reader.post(&path, &question, String::new()).await).await;
        let again = json(reader.post(&path, &question, String::new()).await).await;
        assert_eq!(first, again);
        reader.take(&input, &question, &first);
    }
    assert_eq!(reader.tokens, recorded[..=PROMPT]);
    let stored = world.store.lane(&world.lane(), 11).await.unwrap().unwrap();
    assert_eq!(stored.count() as usize, PROMPT, "what was repeated was not paid twice");
    let (_, question) = reader.next();
    assert_eq!(reader.post(&path, &question, String::new()).await.status(), 409);
}

#[tokio::test]
async fn given_an_operator_that_has_forgotten_when_the_next_step_is_asked_as_a_question_then_answered() {
    let mut world = world(|_| {}).await;
    let mut reader = Reader::new(&world, &[3, 4]);
    let (input, question) = reader.next();
    let body = json!({ "prompt": [3, 4], "stream": true }).to_string();
    let mut stream = reader.post("/v1/completions", &question, body).await;
    let chunk: Value = serde_json::from_str(&event(&mut stream, &mut String::new()).await.unwrap()).unwrap();
    reader.take(&input, &question, &chunk);
    let Reader {
        mut purse, generation, ..
    } = reader;
    drop(stream);
    world.stop().await;
    world.start(Limits::default(), None).await;
    let input = generation.question(world.layout.as_ref().unwrap(), 4).unwrap();
    let question = world.question(&mut purse, &input);
    let path = format!("{}/v1/completions/{}", world.url, chunk["id"].as_str().unwrap());
    let request = reqwest::Client::new()
        .post(path)
        .header("x-payment", world.header(&question));
    assert_eq!(request.send().await.unwrap().status(), 404);
    let response = world
        .infer(&world.header(&question), world.values(&input).to_string())
        .await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn given_a_request_that_cannot_be_served_when_begun_then_told_why_and_nothing_is_charged() {
    let world = world(|_| {}).await;
    for (body, why) in [
        (json!({ "prompt": [1] }), "set stream to true"),
        (
            json!({ "prompt": [1], "stream": true, "temperature": 0.7 }),
            "highest score",
        ),
        (json!({ "prompt": [1], "stream": true, "n": 2 }), "highest score"),
        (
            json!({ "prompt": [1], "stream": true, "max_tokens": 0 }),
            "one token at least",
        ),
        (json!({ "prompt": "words", "stream": true }), "list of integers"),
        (
            json!({ "prompt": [100_000], "stream": true }),
            "A token of this model is 0 to",
        ),
        (
            json!({ "prompt": [-1], "stream": true }),
            "A token of this model is 0 to",
        ),
        (json!({ "prompt": vec![1; 1_000], "stream": true }), "The cache is full"),
    ] {
        let response = Reader::new(&world, &[1]).begin(body.clone()).await;
        assert_eq!(response.status(), 400, "{body}");
        let said = response.text().await.unwrap();
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(world.store.owed_units().await.unwrap(), 0);

    let plain = World::new().await;
    let question = plain.question(&mut plain.purse(), &plain.input(0));
    let request = reqwest::Client::new()
        .post(format!("{}/v1/completions", plain.url))
        .header("x-payment", plain.header(&question))
        .body(json!({ "prompt": [1], "stream": true }).to_string());
    let said = request.send().await.unwrap().text().await.unwrap();
    assert!(said.contains("not served as a decoder"), "{said}");
}

#[test]
fn given_the_guides_decoder_when_compared_with_what_the_import_says_then_the_same() {
    let guide = include_str!("../../../../docs/operators-guide.md");
    let (_, example) = guide.split_once("[operator.models.decoder]").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let mut imported = layout(&import_file(&file("step.qdq.int8.onnx")).unwrap());
    imported.end_tokens = vec![1];
    assert_eq!(toml::from_str::<Layout>(example).unwrap(), imported);
}
