//! Answers with and without payment, in turns.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use opml_runtime::{Model, Tensor};

use crate::{
    client::{Connection, request},
    server::{Mode, Server},
    world::Payer,
};

/// Connections at saturation, each with a lane of its own.
pub const LANES: u32 = 64;

/// The two servers, and everybody who asks them.
pub struct Shop {
    pub paid: Server,
    pub free: Server,
    model: Model,
    inputs: Vec<(Tensor, String)>,
    payers: Vec<Payer>,
}

/// What one turn took.
#[derive(Clone, Copy)]
pub struct Turn {
    pub per_second: f64,
    /// Processor time of the server for one request.
    pub cpu_seconds: f64,
}

impl Shop {
    pub async fn open(file: &Path, model: Model, folder: &Path) -> anyhow::Result<Self> {
        let inputs = (0..32u64).map(|seed| input(&model, seed)).collect::<Result<_, _>>()?;
        let mut shop = Self {
            paid: Server::start(Mode::Paid, file, LANES, folder).await?,
            free: Server::start(Mode::Free, file, LANES, folder).await?,
            model,
            inputs,
            payers: (0..LANES).map(Payer::new).collect(),
        };
        // Everything is read in and opened once before anything is measured.
        for mode in [Mode::Paid, Mode::Free] {
            shop.turn(mode, LANES as usize, 4).await?;
        }
        Ok(shop)
    }

    fn server(&self, mode: Mode) -> &Server {
        match mode {
            Mode::Paid => &self.paid,
            Mode::Free => &self.free,
        }
    }

    /// The next requests of a payer. They are signed before the clock runs: that is the payers' time, not the operator's.
    fn requests(&mut self, mode: Mode, payer: usize, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let pay = |(index, payer): (usize, &mut Payer)| -> anyhow::Result<Vec<u8>> {
            let (input, body) = &self.inputs[index % self.inputs.len()];
            let payment = match mode {
                Mode::Paid => Some(payer.pay(&self.model, input)?),
                Mode::Free => None,
            };
            Ok(request(payment.as_deref(), body))
        };
        let payer = &mut self.payers[payer];
        (0..count).map(|index| pay((index, payer))).collect()
    }

    /// So many requests on each of so many connections, one after the other on each.
    pub async fn turn(&mut self, mode: Mode, connections: usize, each: usize) -> anyhow::Result<Turn> {
        let (turn, _) = self.timed(mode, connections, each).await?;
        Ok(turn)
    }

    /// The same, with how long each request took.
    pub async fn timed(
        &mut self,
        mode: Mode,
        connections: usize,
        each: usize,
    ) -> anyhow::Result<(Turn, Vec<Duration>)> {
        let address: Arc<str> = self.server(mode).address.as_str().into();
        let mut open = Vec::new();
        for payer in 0..connections {
            open.push((Connection::open(&address).await?, self.requests(mode, payer, each)?));
        }
        let cpu = self.server(mode).processor_seconds()?;
        let began = Instant::now();
        let tasks: Vec<_> = open
            .into_iter()
            .map(|(mut connection, requests)| {
                tokio::spawn(async move {
                    let mut took = Vec::with_capacity(requests.len());
                    for request in requests {
                        took.push(connection.ask(&request).await?);
                    }
                    anyhow::Ok(took)
                })
            })
            .collect();
        let mut took = Vec::new();
        for task in tasks {
            took.extend(task.await??);
        }
        let seconds = began.elapsed().as_secs_f64();
        let cpu = self.server(mode).processor_seconds()? - cpu;
        took.sort_unstable();
        let count = took.len() as f64;
        let turn = Turn {
            per_second: count / seconds,
            cpu_seconds: cpu / count,
        };
        Ok((turn, took))
    }
}

/// A made-up input, and the body that asks about it.
fn input(model: &Model, seed: u64) -> anyhow::Result<(Tensor, String)> {
    let spec = *model.input_spec();
    let bytes: Vec<u8> = (0..spec.byte_len())
        .map(|place| ((place * 7 + seed * 13) % 127) as u8)
        .collect();
    let input = Tensor::new(spec, bytes)?;
    let body = serde_json::json!({ "input": { "values": input.values() } });
    Ok((input, body.to_string()))
}
