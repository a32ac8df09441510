//! A payer that buys a completion token by token: what it takes for an answer, what it pays, and how it goes on after a break.

use std::{path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::challenge::Answer;
use imo_node::{
    decoder::Generation,
    gateway::Limits,
    model::{Executor, Fast},
    payer::{Buyer, Completion, Offer, Stop, Wish},
};
use opml_runtime::{Tensor, execute::ExecuteError};
use serde_json::{Value, json};

use crate::{
    decoder_world::{PROMPT, recorded, register, registered, world},
    middleman::{Middleman, Mischief},
    world::{PRICE, World},
};

/// Tokens that follow the prompt, and what all of it costs.
const TOKENS: usize = 8;
const STEPS: u64 = (PROMPT + TOKENS - 1) as u64;

fn purse(world: &World) -> PathBuf {
    world.folder.path().join("purse.json")
}

fn buyer(world: &World, endpoint: &str) -> Buyer {
    Buyer {
        session: world.session.insecure_clone(),
        payer: world.payer,
        model: world.model_address,
        operator: world.operator,
        endpoint: Some(endpoint.to_owned()),
        purse: purse(world),
    }
}

fn wish(world: &World) -> Wish {
    Wish {
        prompt: recorded()[..PROMPT].to_vec(),
        max_tokens: TOKENS,
        budget_units: None,
        layout: world.layout.clone().unwrap(),
        verifier: Some(world.model.clone()),
        patience: Duration::ZERO,
    }
}

/// What a run brought.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    tokens: Vec<u32>,
    spent_units: u64,
    stopped: Option<Stop>,
    steps: usize,
    from_record: usize,
}

async fn drain(completion: &mut Completion<'_>) -> anyhow::Result<Run> {
    let (mut steps, mut from_record) = (0, 0);
    while let Some(step) = completion.next().await? {
        steps += 1;
        from_record += usize::from(step.from_record);
    }
    Ok(Run {
        tokens: completion.tokens().to_vec(),
        spent_units: completion.spent_units(),
        stopped: completion.stopped(),
        steps,
        from_record,
    })
}

async fn run_with(world: &World, endpoint: &str, wish: Wish) -> anyhow::Result<Run> {
    let buyer = buyer(world, endpoint);
    let offer: Offer = buyer.look_up(&*world.chain).await?;
    let mut completion = buyer.complete(&offer, wish).await?;
    drain(&mut completion).await
}

async fn run(world: &World, endpoint: &str) -> anyhow::Result<Run> {
    run_with(world, endpoint, wish(world)).await
}

/// How many questions the operator can be paid for.
async fn paid(world: &World) -> u64 {
    let stored = world.store.lane(&world.lane(), 11).await.unwrap();
    stored.map_or(0, |stored| stored.count())
}

fn whole(from_record: usize) -> Run {
    Run {
        tokens: recorded()[PROMPT..].to_vec(),
        spent_units: (STEPS - from_record as u64) * PRICE,
        stopped: Some(Stop::MaxTokens),
        steps: STEPS as usize,
        from_record,
    }
}

#[tokio::test]
async fn given_a_prompt_when_bought_then_onnxruntimes_tokens_each_step_paid_once_and_checked() {
    let world = registered().await;
    let buyer = buyer(&world, &world.url);
    let offer = buyer.look_up(&*world.chain).await.unwrap();
    let layout = buyer.layout(&offer).await.unwrap();
    assert_eq!(Some(&layout), world.layout.as_ref());
    let mut completion = buyer.complete(&offer, Wish { layout, ..wish(&world) }).await.unwrap();
    for sequence in 0..STEPS {
        let step = completion.next().await.unwrap().unwrap();
        let expected = (sequence + 1 >= PROMPT as u64).then(|| recorded()[sequence as usize + 1]);
        assert_eq!(step.token, expected);
        assert_eq!(step.evidence.receipt.sequence, sequence);
        assert_eq!(step.evidence.receipt.claim.output_root, step.output.root());
        assert!(!step.from_record);
        assert_eq!(paid(&world).await, sequence + 1, "nothing is asked before it is wanted");
    }
    assert!(completion.next().await.unwrap().is_none());
    assert_eq!(completion.stopped(), Some(Stop::MaxTokens));
    assert_eq!(completion.spent_units(), STEPS * PRICE);
}

#[tokio::test]
async fn given_a_completion_that_was_bought_when_wanted_again_then_it_is_there_and_more_of_it_costs_only_what_is_new() {
    let world = registered().await;
    assert_eq!(run(&world, &world.url).await.unwrap(), whole(0));
    assert_eq!(run(&world, &world.url).await.unwrap(), whole(STEPS as usize));
    let longer = Wish {
        max_tokens: TOKENS + 2,
        ..wish(&world)
    };
    let longer = run_with(&world, &world.url, longer).await.unwrap();
    assert_eq!(longer.tokens[..TOKENS], recorded()[PROMPT..]);
    assert_eq!((longer.steps, longer.spent_units), (STEPS as usize + 2, 2 * PRICE));
    let shorter = Wish {
        max_tokens: 3,
        ..wish(&world)
    };
    let shorter = run_with(&world, &world.url, shorter).await.unwrap();
    assert_eq!((shorter.tokens.len(), shorter.spent_units), (3, 0));
    // Another prompt is another completion.
    let other = Wish {
        prompt: vec![3, 4],
        max_tokens: 1,
        ..wish(&world)
    };
    assert_eq!(
        run_with(&world, &world.url, other).await.unwrap().spent_units,
        2 * PRICE
    );
    assert_eq!(paid(&world).await, STEPS + 4);
}

#[tokio::test]
async fn given_a_token_that_ends_answers_a_full_cache_a_budget_or_an_empty_lane_when_reached_then_it_ends_there() {
    let end = recorded()[PROMPT + 2];
    let ending = world(|layout| layout.end_tokens = vec![end]).await;
    register(&ending);
    let ended = run(&ending, &ending.url).await.unwrap();
    assert_eq!(ended.stopped, Some(Stop::EndToken));
    let first = recorded()[PROMPT..].iter().position(|token| *token == end).unwrap();
    assert_eq!(ended.tokens, recorded()[PROMPT..=PROMPT + first]);

    let world = registered().await;
    let budget = |units| Wish {
        budget_units: Some(units),
        ..wish(&world)
    };
    // The budget ends in the middle of the prompt, then behind the second token; what was paid is not paid again.
    let short = run_with(&world, &world.url, budget(10 * PRICE + PRICE / 2))
        .await
        .unwrap();
    assert_eq!(
        (short.stopped, short.steps, short.spent_units),
        (Some(Stop::Budget), 10, 10 * PRICE)
    );
    assert!(short.tokens.is_empty());
    let more = run_with(&world, &world.url, budget(3 * PRICE)).await.unwrap();
    assert_eq!(
        (more.stopped, more.steps, more.spent_units),
        (Some(Stop::Budget), 13, 3 * PRICE)
    );
    assert_eq!(more.tokens, recorded()[PROMPT..PROMPT + 2]);
    assert_eq!(run(&world, &world.url).await.unwrap(), whole(13));

    let rows = world.layout.as_ref().unwrap().capacity();
    let long = Wish {
        max_tokens: 1_000,
        ..wish(&world)
    };
    let full = run_with(&world, &world.url, long).await.unwrap();
    assert_eq!((full.stopped, full.steps), (Some(Stop::CacheFull), rows));

    let mut lane = world.lane_account();
    lane.reserved_units = (paid(&world).await + 4) * PRICE;
    world.chain.put(world.lane(), &lane);
    let other = Wish {
        prompt: vec![5; 8],
        ..wish(&world)
    };
    let poor = run_with(&world, &world.url, other).await.unwrap();
    assert_eq!((poor.stopped, poor.steps), (Some(Stop::Money), 4));
}

#[tokio::test]
async fn given_connections_that_break_when_gone_on_with_then_nothing_is_paid_twice_and_none_is_left_out() {
    let world = registered().await;
    // The first answer is lost, one in the prompt, one behind it, and the one to the same question again.
    let cuts = |at: &[usize]| -> Vec<_> {
        (0..40)
            .map(|step| at.contains(&step).then_some(Mischief::Cut))
            .collect()
    };
    let middleman = Middleman::new(&world.url, cuts(&[0, 4, 15, 16])).await;
    let mut runs = 0;
    let last = loop {
        runs += 1;
        match run(&world, &middleman.url).await {
            Ok(run) => break run,
            Err(error) => assert!(
                error.to_string().contains("the same again goes on from here"),
                "{error}"
            ),
        }
    };
    assert_eq!(runs, 5);
    assert_eq!(
        (last.tokens, last.steps),
        (recorded()[PROMPT..].to_vec(), STEPS as usize)
    );
    assert_eq!(paid(&world).await, STEPS);

    // With patience one run is enough.
    let second = registered().await;
    let middleman = Middleman::new(&second.url, cuts(&[0, 5])).await;
    let patient = Wish {
        patience: Duration::from_secs(20),
        ..wish(&second)
    };
    assert_eq!(run_with(&second, &middleman.url, patient).await.unwrap(), whole(0));
    assert_eq!(paid(&second).await, STEPS);
}

#[tokio::test]
async fn given_a_payer_that_is_killed_while_it_waits_when_started_again_then_it_goes_on_from_there() {
    let world = registered().await;
    for (answers, hanging) in [(0, 0), (3, 1), (PROMPT + 1, 2)] {
        let mischief: Vec<_> = (0..answers).map(|_| None).chain([Some(Mischief::Hang)]).collect();
        let middleman = Middleman::new(&world.url, mischief).await;
        let going = tokio::time::timeout(Duration::from_secs(2), run(&world, &middleman.url));
        assert!(going.await.is_err(), "it waits for the answer");
        let stored = paid(&world).await;
        assert!(stored > hanging, "the operator has the question");
    }
    let last = run(&world, &world.url).await.unwrap();
    assert_eq!(
        (last.tokens, last.steps),
        (recorded()[PROMPT..].to_vec(), STEPS as usize)
    );
    assert_eq!(paid(&world).await, STEPS);
}

#[tokio::test]
async fn given_a_crash_between_the_record_and_the_purse_when_gone_on_with_then_the_answer_is_not_asked_for_again() {
    let world = registered().await;
    let budget = Wish {
        budget_units: Some(4 * PRICE),
        ..wish(&world)
    };
    run_with(&world, &world.url, budget).await.unwrap();
    let text = std::fs::read_to_string(purse(&world)).unwrap();
    assert!(text.contains(r#""asking":false"#));
    std::fs::write(purse(&world), text.replace(r#""asking":false"#, r#""asking":true"#)).unwrap();
    let middleman = Middleman::new(&world.url, []).await;
    assert_eq!(run(&world, &middleman.url).await.unwrap(), whole(4));
    assert_eq!(middleman.asked().len() as u64, STEPS - 4);
}

#[tokio::test]
async fn given_a_question_without_an_answer_when_another_completion_is_wanted_then_that_one_is_answered_first_and_an_answer_to_no_completion_is_not_touched()
 {
    let world = registered().await;
    let middleman = Middleman::new(&world.url, [None, None, Some(Mischief::Cut)]).await;
    assert!(run(&world, &middleman.url).await.is_err());
    assert_eq!(paid(&world).await, 3);
    let other = || Wish {
        prompt: vec![3, 4],
        max_tokens: 1,
        ..wish(&world)
    };
    let second = run_with(&world, &world.url, other()).await.unwrap();
    assert_eq!(
        (second.steps, second.spent_units),
        (2, 3 * PRICE),
        "and the answer that was lost"
    );
    assert_eq!(paid(&world).await, 5);

    // A single question waits.
    let buyer = buyer(&world, "http://127.0.0.1:1");
    let offer = buyer.look_up(&*world.chain).await.unwrap();
    let input = Tensor::new(*world.model.input_spec(), vec![7; 4_108]).unwrap();
    buyer.buy(&offer, &input).await.err().unwrap();
    let error = run(&world, &world.url).await.unwrap_err();
    assert!(error.to_string().contains("is no step of a completion"), "{error}");
}

#[tokio::test]
async fn given_a_gateway_that_is_busy_when_asked_then_the_same_question_after_the_time_that_it_names() {
    let world = registered().await;
    let busy = |status, seconds| {
        Some(Mischief::Refuse(
            status,
            json!({ "error": { "message": "Too many." } }),
            seconds,
        ))
    };
    let middleman = Middleman::new(
        &world.url,
        [busy(429, Some(0)), busy(503, Some(0)), None, busy(500, Some(0))],
    )
    .await;
    let patient = Wish {
        patience: Duration::from_secs(20),
        ..wish(&world)
    };
    assert_eq!(run_with(&world, &middleman.url, patient).await.unwrap(), whole(0));
    assert_eq!(paid(&world).await, STEPS);

    // It says when; that is longer than the payer waits.
    let other = || Wish {
        prompt: vec![9],
        max_tokens: 1,
        ..wish(&world)
    };
    for seconds in [60, u64::MAX] {
        middleman.then([busy(429, Some(seconds))]);
        let error = run_with(&world, &middleman.url, other()).await.unwrap_err();
        assert!(error.to_string().contains("Too many."), "{error}");
    }
    assert_eq!(
        run_with(&world, &middleman.url, other()).await.unwrap().spent_units,
        PRICE
    );
    assert_eq!(paid(&world).await, STEPS + 1);
}

#[tokio::test]
async fn given_a_refused_voucher_when_it_was_the_first_try_then_the_question_is_not_owed() {
    let world = registered().await;
    let no = |code| Some(Mischief::Refuse(402, json!({ "error": "No.", "code": code }), None));
    let middleman = Middleman::new(&world.url, [None, None, no("session_over")]).await;
    let error = run(&world, &middleman.url).await.unwrap_err();
    assert_eq!(error.to_string(), "The operator refuses: No.");
    assert_eq!(entries(&world), 2);
    // Tried before: it may have been taken, unless the refusal says that it was not.
    for (code, kept) in [("session_over", 3), ("lane_overdrawn", 2)] {
        middleman.then([Some(Mischief::Refuse(503, json!({}), None))]);
        run(&world, &middleman.url).await.unwrap_err();
        middleman.then([no(code)]);
        run(&world, &middleman.url).await.unwrap_err();
        assert_eq!(entries(&world), kept, "{code}");
    }
    // The same within one run, also when the other try was at another address.
    for (status, kept) in [(503, 3), (409, 4)] {
        let first = Some(Mischief::Refuse(status, json!({}), Some(0)));
        middleman.then([first, no("session_over")]);
        let patient = Wish {
            patience: Duration::from_secs(20),
            ..wish(&world)
        };
        let error = run_with(&world, &middleman.url, patient).await.unwrap_err();
        assert!(error.to_string().contains("may have the question already"), "{error}");
        assert_eq!(entries(&world), kept);
        let one = Wish {
            budget_units: Some(PRICE),
            ..wish(&world)
        };
        run_with(&world, &world.url, one).await.unwrap();
    }
    assert_eq!(run(&world, &world.url).await.unwrap(), whole(4));
}

#[tokio::test]
async fn given_a_step_that_failed_or_that_nobody_waited_for_when_the_next_is_wanted_then_it_is_the_same_step() {
    let world = registered().await;
    let middleman = Middleman::new(&world.url, [None, Some(Mischief::Cut), Some(Mischief::Hang)]).await;
    let buyer = buyer(&world, &middleman.url);
    let offer = buyer.look_up(&*world.chain).await.unwrap();
    let mut completion = buyer.complete(&offer, wish(&world)).await.unwrap();
    completion.next().await.unwrap().unwrap();
    completion.next().await.err().unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(500), completion.next());
    assert!(waited.await.is_err());
    let step = completion.next().await.unwrap().unwrap();
    assert_eq!(step.evidence.receipt.sequence, 1);
    assert_eq!((entries(&world), paid(&world).await), (2, 2));
    let rest = drain(&mut completion).await.unwrap();
    assert_eq!(
        (rest.tokens, rest.spent_units),
        (recorded()[PROMPT..].to_vec(), STEPS * PRICE)
    );
}

/// Questions that the purse has signed for.
fn entries(world: &World) -> usize {
    let text = std::fs::read_to_string(purse(world)).unwrap();
    let purse: Value = serde_json::from_str(&text).unwrap();
    purse["entries"].as_array().unwrap().len()
}

/// Changes the bytes behind some base64.
fn changed(text: &mut Value, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *text = STANDARD.encode(bytes).into();
}

#[tokio::test]
async fn given_a_gateway_that_cheats_when_a_step_is_bought_then_that_is_no_answer_and_an_honest_one_to_the_same_question_is()
 {
    type Cheat = fn() -> Mischief;
    let cheats: [(&str, Cheat); 8] = [
        // It was paid for this token, and answers with the one before.
        ("The receipt is not the one", || Mischief::Repeat),
        // Another input than the one that was asked: byte 72 of a receipt begins its root.
        ("The receipt is not the one", || {
            Mischief::Change(Box::new(|chunk| {
                changed(&mut chunk["imo"]["receipt"], |bytes| bytes[72] ^= 1)
            }))
        }),
        // Another output than the one that was signed: other tokens, and another cache to go on with.
        ("The receipt is not the one", || {
            Mischief::Change(Box::new(|chunk| {
                changed(&mut chunk["imo"]["output"], |bytes| bytes[0] ^= 64)
            }))
        }),
        ("The receipt is not the one", || {
            Mischief::Change(Box::new(|chunk| {
                changed(&mut chunk["imo"]["output"], |bytes| bytes.truncate(50))
            }))
        }),
        ("The answer's signature is not valid.", || {
            Mischief::Change(Box::new(|chunk| {
                changed(&mut chunk["imo"]["answer_signature"], |bytes| bytes[9] ^= 1);
            }))
        }),
        ("signed by a key that is not the operator's", || {
            Mischief::Change(Box::new(|chunk| {
                chunk["imo"]["answer_key"] = "11111111111111111111111111111111".into()
            }))
        }),
        ("is not understood", || {
            Mischief::Change(Box::new(|chunk| chunk["imo"] = json!({})))
        }),
        ("is not understood", || {
            Mischief::Change(Box::new(|chunk| *chunk = json!("paid, thank you")))
        }),
    ];
    let world = registered().await;
    let middleman = Middleman::new(&world.url, []).await;
    // Some of it is about the prompt, some about what follows.
    let first = 7;
    let honest = Wish {
        budget_units: Some(first as u64 * PRICE),
        ..wish(&world)
    };
    run_with(&world, &middleman.url, honest).await.unwrap();
    let count = cheats.len();
    for (number, (why, cheat)) in cheats.into_iter().enumerate() {
        // What was cheated about before is answered honestly at last.
        let before = (number > 0).then_some(None);
        middleman.then(before.into_iter().chain([Some(cheat())]));
        let error = run(&world, &middleman.url).await.unwrap_err();
        assert!(format!("{error:#}").contains(why), "{error:#}");
        assert_eq!(entries(&world), first + number + 1);
    }
    assert!(first + count > PROMPT + 1);
    assert_eq!(run(&world, &middleman.url).await.unwrap(), whole(first + count - 1));
    assert_eq!(paid(&world).await, STEPS);
}

#[tokio::test]
async fn given_a_gateway_that_says_other_or_more_tokens_than_it_signed_when_bought_then_the_signed_ones_are_taken_and_paid_for()
 {
    let world = registered().await;
    let says = |tokens: Value| {
        Some(Mischief::Change(Box::new(move |chunk| {
            chunk["choices"] = json!([{ "index": 0, "text": "", "token_ids": tokens, "finish_reason": "stop" }]);
        })))
    };
    // A token while the prompt is fed, more events than were paid for, a token again, and several for one payment.
    let mut mischief: Vec<Option<Mischief>> = (0..STEPS).map(|_| None).collect();
    mischief[0] = Some(Mischief::AndMore);
    mischief[3] = says(json!([1]));
    mischief[PROMPT + 1] = says(json!([recorded()[PROMPT]]));
    mischief[PROMPT + 2] = says(json!([1, 2, 3]));
    let middleman = Middleman::new(&world.url, mischief).await;
    assert_eq!(run(&world, &middleman.url).await.unwrap(), whole(0));
    assert_eq!(paid(&world).await, STEPS);
}

#[tokio::test]
async fn given_an_operator_that_reads_other_tokens_from_its_outputs_when_the_next_step_is_asked_then_the_payers_own_question_is_answered()
 {
    // Its layout is one off, as is its idea of the next question.
    let world = world(|layout| layout.logits += 1).await;
    register(&world);
    let mut own = wish(&world);
    own.layout.logits -= 1;
    let middleman = Middleman::new(&world.url, []).await;
    assert_eq!(run_with(&world, &middleman.url, own).await.unwrap(), whole(0));
    assert_eq!(paid(&world).await, STEPS);
    assert!(middleman.asked().iter().any(|path| path == "/v1/infer"));
    let streamed = middleman
        .asked()
        .iter()
        .filter(|path| path.contains("completions"))
        .count();
    assert!(streamed >= PROMPT, "as long as both agree it has the cache");
}

#[tokio::test]
async fn given_an_operator_that_has_forgotten_or_streams_nothing_when_gone_on_with_then_each_step_is_asked_as_a_question()
 {
    let mut world = registered().await;
    let half = Wish {
        max_tokens: 2,
        ..wish(&world)
    };
    run_with(&world, &world.url, half).await.unwrap();
    world.stop().await;
    world.start(Limits::default(), None).await;
    let middleman = Middleman::new(&world.url, []).await;
    assert_eq!(run(&world, &middleman.url).await.unwrap(), whole(PROMPT + 1));
    let asked = middleman.asked();
    assert!(asked[0].starts_with("/v1/completions/cmpl-"), "{asked:?}");
    assert!(asked[1..].iter().all(|path| path == "/v1/infer"), "{asked:?}");

    let layout = world.layout.take();
    world.stop().await;
    world.start(Limits::default(), None).await;
    let buyer = buyer(&world, &world.url);
    let offer = buyer.look_up(&*world.chain).await.unwrap();
    let error = buyer.layout(&offer).await.unwrap_err();
    assert!(
        error.to_string().contains("does not serve the model as a decoder"),
        "{error}"
    );
    world.layout = layout;
    let other = Wish {
        prompt: vec![3, 4],
        max_tokens: 1,
        ..wish(&world)
    };
    assert_eq!(
        run_with(&world, &world.url, other).await.unwrap().spent_units,
        2 * PRICE
    );
}

/// Gives the least likely token for the most likely one, once.
struct Liar {
    honest: Fast,
    about: Tensor,
    logits: std::ops::Range<usize>,
}

impl Liar {
    /// About what follows these tokens.
    fn about(world: &World, tokens: &[u32]) -> Self {
        let honest = Fast::new(&world.model, 1);
        let layout = world.layout.as_ref().unwrap();
        let mut generation = Generation::new(world.model.input_spec());
        let (last, before) = tokens.split_last().unwrap();
        for token in before {
            let input = generation.question(layout, *token).unwrap();
            generation.take(layout, &honest.output(&input).unwrap()).unwrap();
        }
        Self {
            honest,
            about: generation.question(layout, *last).unwrap(),
            logits: layout.logits..layout.logits + layout.vocabulary as usize,
        }
    }
}

impl Executor for Liar {
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        let truth = self.honest.output(input)?;
        if *input != self.about {
            return Ok(truth);
        }
        let mut bytes = truth.bytes().to_vec();
        for score in &mut bytes[self.logits.clone()] {
            *score = !*score;
        }
        Ok(Tensor::new(*truth.spec(), bytes).unwrap())
    }

    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError> {
        self.honest.answer(input)
    }
}

#[tokio::test]
async fn given_an_operator_that_signs_a_wrong_output_when_recomputed_then_it_ends_before_the_next_payment_and_stays_so()
{
    let mut world = registered().await;
    let prompt = recorded()[..PROMPT].to_vec();
    let lie_at = PROMPT + 1;
    world.stop().await;
    let liar = Liar::about(&world, &recorded()[..=lie_at]);
    world.start(Limits::default(), Some(Arc::new(liar))).await;
    for from_record in [0, lie_at + 1] {
        let wrong = run(&world, &world.url).await.unwrap();
        assert!(matches!(wrong.stopped, Some(Stop::Wrong(_))), "{wrong:?}");
        assert_eq!((wrong.steps, wrong.from_record), (lie_at + 1, from_record));
        assert_eq!(paid(&world).await, lie_at as u64 + 1);
    }
    // Who does not recompute is told nothing; the answers are signed, and can be disputed.
    let trusting = Wish {
        verifier: None,
        prompt,
        ..wish(&world)
    };
    let trusted = run_with(&world, &world.url, trusting).await.unwrap();
    assert_eq!(trusted.steps, STEPS as usize);
    assert_ne!(trusted.tokens, recorded()[PROMPT..]);
}

#[tokio::test]
async fn given_a_wish_that_cannot_be_met_when_begun_then_told_why_and_nothing_is_signed() {
    let world = registered().await;
    let with = |change: fn(&mut Wish)| {
        let mut wish = wish(&world);
        change(&mut wish);
        wish
    };
    for (wish, why) in [
        (with(|wish| wish.prompt.clear()), "A prompt has one token"),
        (with(|wish| wish.max_tokens = 0), "An answer has one token"),
        (with(|wish| wish.prompt[3] = 48), "48 is none of them"),
        (with(|wish| wish.prompt = vec![1; 33]), "32 tokens fit"),
        (with(|wish| wish.layout.token = 5_000), "reaches behind"),
        (with(|wish| wish.layout.logits = 5_000), "reaches behind"),
        (
            with(|wish| wish.verifier = Some(crate::world::digits())),
            "not the live version",
        ),
    ] {
        let error = run_with(&world, &world.url, wish).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(!purse(&world).exists());
    // Nobody recomputes, and the layout reads behind the output: the answer is one, and is kept as paid.
    let mut blind = wish(&world);
    blind.verifier = None;
    blind.layout.logits = 5_000;
    let error = run_with(&world, &world.url, blind).await.unwrap_err();
    assert!(error.to_string().contains("not one of such a decoder"), "{error}");
    assert_eq!((entries(&world), paid(&world).await), (1, 1));
    assert_eq!(run(&world, &world.url).await.unwrap(), whole(0));
}

#[tokio::test]
async fn given_a_record_of_something_else_when_gone_on_with_then_told_and_nothing_is_signed() {
    let world = registered().await;
    let two = Wish {
        max_tokens: 2,
        ..wish(&world)
    };
    run_with(&world, &world.url, two).await.unwrap();
    let record = world.folder.path().join("purse.json.completion");
    let lines: Vec<String> = std::fs::read_to_string(&record)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let with = |lines: &[&str]| std::fs::write(&record, lines.join("\n") + "\n").unwrap();
    let before = paid(&world).await;
    // An answer that is another question's, and one that was signed by nobody.
    with(&[&lines[0], &lines[2]]);
    let error = run(&world, &world.url).await.unwrap_err();
    assert!(format!("{error:#}").contains("does not fit the purse"), "{error:#}");
    let mut unsigned: Value = serde_json::from_str(&lines[1]).unwrap();
    changed(&mut unsigned["answer_signature"], |bytes| bytes[0] ^= 1);
    with(&[&lines[0], &unsigned.to_string()]);
    let error = run(&world, &world.url).await.unwrap_err();
    assert!(format!("{error:#}").contains("signature is not valid"), "{error:#}");
    assert_eq!((paid(&world).await, entries(&world) as u64), (before, before));
}
