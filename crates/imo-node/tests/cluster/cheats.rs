//! How operators cheat. The node is the shipped one: what it is given to work with is not what it should be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use imo_client::challenge::Answer;
use imo_node::model::{Executor, Fast};
use opml_runtime::{Model, Tensor, execute::ExecuteError, fast::Plan};
use sqlx::Connection;

use crate::world::{Node, World};

/// An operator that tells the truth but for some questions, and stands by every lie.
pub struct Liar {
    fast: Fast,
    lies: Mutex<HashMap<[u8; 32], Answer>>,
}

impl Liar {
    /// Lies by the input's root.
    pub fn about(model: &Model, lies: impl IntoIterator<Item = ([u8; 32], Answer)>) -> Arc<Self> {
        Arc::new(Self {
            fast: Fast::new(model, 1),
            lies: Mutex::new(lies.into_iter().collect()),
        })
    }
}

impl Executor for Liar {
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        match self.lies.lock().unwrap().get(&input.root()) {
            Some(lie) => Ok(lie.output().clone()),
            None => self.fast.output(input),
        }
    }

    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError> {
        match self.lies.lock().unwrap().get(&input.root()) {
            Some(lie) => Ok(lie.clone()),
            None => self.fast.answer(input),
        }
    }
}

/// One wrong element in a node, for which `wanted` holds, in the first of the inputs from `seed` on where there is one.
fn tampered(world: &World, node: u32, seed: u64, wanted: impl Fn(&Answer, &Answer) -> bool) -> (Tensor, Answer) {
    let plan = Plan::new(&world.model);
    let elements = world.model.nodes()[node as usize].output.elements().min(256);
    let lies = (seed..seed + 20).flat_map(|seed| {
        let input = world.input(seed);
        let honest = plan.execute(&input).unwrap();
        let truth = Answer::from(&honest);
        let values = (0..elements).flat_map(|element| [(element, 127), (element, -128)]);
        let lies: Vec<Answer> = values
            .map(|(element, value)| Answer::tampered(&plan, &honest, node, element, value).unwrap())
            .filter(|lie| wanted(&truth, lie))
            .take(1)
            .collect();
        lies.into_iter().map(move |lie| (input.clone(), lie))
    });
    lies.into_iter().next().expect("some element matters")
}

/// A lie in a node that changes the answer.
pub fn lie_in(world: &World, node: u32, seed: u64) -> (Tensor, Answer) {
    tampered(world, node, seed, |truth, lie| truth.claim() != lie.claim())
}

/// A lie in a node that does not change the answer: only the trace is wrong.
pub fn lie_within(world: &World, node: u32, seed: u64) -> (Tensor, Answer) {
    tampered(world, node, seed, |truth, lie| {
        truth.claim() == lie.claim() && truth.roots() != lie.roots()
    })
}

/// What an operator's endpoint does when a watcher comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// It has never heard of anything.
    Knows(&'static str),
    /// Bytes that mean nothing.
    Garbage,
    /// What it has, with one byte changed.
    Altered,
    /// It takes forever over what has this in its path.
    HangsOver(&'static str),
    /// It sends the watcher elsewhere.
    Redirects,
    /// It never stops sending.
    NeverEnds,
}

/// Serves a watcher, and nobody else, instead of an operator's gateway. What it is willing to give out comes from there.
pub fn endpoint(world: &World, gateway: &str, kind: Endpoint) -> String {
    let (listener, url) = crate::world::port();
    listener.set_nonblocking(true).unwrap();
    let router = Router::new().fallback(answer).with_state((gateway.to_owned(), kind));
    world.runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
    url
}

async fn from_gateway(gateway: &str, path: &str) -> (StatusCode, Vec<u8>) {
    let honest = reqwest::get(format!("{gateway}{path}")).await.unwrap();
    let status = StatusCode::from_u16(honest.status().as_u16()).unwrap();
    (status, honest.bytes().await.unwrap().to_vec())
}

async fn answer(State((gateway, kind)): State<(String, Endpoint)>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match kind {
        Endpoint::HangsOver(what) if path.contains(what) => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            StatusCode::NOT_FOUND.into_response()
        }
        Endpoint::HangsOver(_) => from_gateway(&gateway, &path).await.into_response(),
        Endpoint::Knows(only) if !only.is_empty() && path.contains(only) => {
            from_gateway(&gateway, &path).await.into_response()
        }
        Endpoint::Altered => {
            let (_, mut bytes) = from_gateway(&gateway, &path).await;
            *bytes.last_mut().unwrap() ^= 1;
            bytes.into_response()
        }
        Endpoint::Knows(_) => StatusCode::NOT_FOUND.into_response(),
        Endpoint::Garbage => vec![0x5A; 321].into_response(),
        Endpoint::Redirects => Redirect::temporary("http://127.0.0.1:1/secret").into_response(),
        Endpoint::NeverEnds => {
            let chunks =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![7; 65_536])));
            axum::body::Body::from_stream(chunks).into_response()
        }
    }
}

impl Node {
    /// The operator loses an input, or says so: it can neither give it out nor show it.
    pub async fn lose_input(&self, input: &Tensor) {
        // A small one is in the database; there is no file of it.
        let mut connection = sqlx::SqliteConnection::connect(&self.database()).await.unwrap();
        let changed = sqlx::query("UPDATE inputs SET bytes = NULL WHERE root = $1 AND bytes IS NOT NULL")
            .bind(input.root().to_vec())
            .execute(&mut connection)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }

    /// The operator answers what was asked at `sequence` with the answer to another question, and reports that.
    pub async fn answer_another_question(&self, sequence: u64, other: u64) {
        let mut connection = sqlx::SqliteConnection::connect(&self.database()).await.unwrap();
        let changed = sqlx::query(
            "UPDATE requests SET (input_root, output_root) = (SELECT input_root, output_root FROM requests WHERE sequence = $2) \
             WHERE sequence = $1",
        )
        .bind(sequence as i64)
        .bind(other as i64)
        .execute(&mut connection)
        .await
        .unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }
}
