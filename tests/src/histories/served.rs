//! The model that is served in a history, and what people ask of it.

use opml_runtime::{Hash, Model, malformed::Records};

use super::beginning::Beginning;
use crate::{
    models::{chain, claimed, dense, honest, lying, malformed},
    world::{Asked, usdc},
};

/// What an answer costs.
const PRICE: u64 = usdc(10);

/// The model, and the questions that there are.
pub struct Served {
    /// A stand-in when the model is malformed: nobody can run that.
    pub model: Model,
    /// What the chain is shown of it.
    pub records: Records,
    pub is_malformed: bool,
    pub catalogue: Vec<Catalogued>,
}

/// A question, and what operators answer to it.
pub struct Catalogued {
    pub asked: Asked,
    /// The input that the payer asks about, which the answer is to, or is not.
    pub question: Hash,
    /// The node with the lie.
    pub lie: Option<u32>,
}

impl Served {
    pub fn in_histories_from(beginning: Beginning) -> Self {
        match beginning {
            Beginning::Deep => Self::runnable(chain(40), 17),
            Beginning::Malformed => Self::malformed(),
            _ => Self::runnable(chain(2), 0),
        }
    }

    /// Two honest answers, a false one, and one to another question.
    fn runnable(model: Model, lie: u32) -> Self {
        let nodes = model.nodes().iter().map(|record| record.encode()).collect();
        let constants = model.constant_records().iter().map(|record| record.encode()).collect();
        let another = honest(&model, 5, PRICE).claim.input_root;
        let catalogue = vec![
            Catalogued::of(honest(&model, 1, PRICE)),
            Catalogued::of(honest(&model, 2, PRICE)),
            Catalogued {
                lie: Some(lie),
                ..Catalogued::of(lying(&model, 3, PRICE, lie))
            },
            Catalogued {
                question: another,
                ..Catalogued::of(honest(&model, 4, PRICE))
            },
        ];
        Self {
            records: Records::new(*model.input_spec(), nodes, constants),
            model,
            is_malformed: false,
            catalogue,
        }
    }

    fn malformed() -> Self {
        let records = malformed();
        let answered = || Catalogued::of(claimed(&records, PRICE));
        let catalogue = vec![
            answered(),
            answered(),
            Catalogued {
                question: [7; 32],
                ..answered()
            },
        ];
        Self {
            model: dense(&[4, 4]),
            records,
            is_malformed: true,
            catalogue,
        }
    }

    pub fn nodes(&self) -> u32 {
        self.records.header().node_count
    }
}

impl Catalogued {
    fn of(asked: Asked) -> Self {
        Self {
            question: asked.claim.input_root,
            asked,
            lie: None,
        }
    }

    pub fn is_to_the_question(&self) -> bool {
        self.question == self.asked.claim.input_root
    }
}
