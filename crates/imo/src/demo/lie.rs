//! A lie, and an operator that tells it.

use anyhow::Context;
use imo_client::challenge::Answer;
use imo_node::model::{Executor, Fast};
use opml::Hash;
use opml_runtime::{Model, Tensor, execute::ExecuteError, fast::Plan};

/// A lie that nobody sees without recomputing: everything is computed honestly but one element in the middle.
pub struct Lie {
    /// The question that it answers.
    pub question: usize,
    pub answer: Answer,
    /// The node that is wrong.
    pub node: u32,
    /// The element of its output that is wrong.
    pub element: u32,
}

/// Looks for one element, of a node as near to the middle of the graph as can be, whose change to an extreme flips the answer to one of the questions.
pub fn find(model: &Model, questions: &[Tensor]) -> anyhow::Result<Lie> {
    let plan = Plan::new(model);
    let middle = (model.header().node_count - 1) / 2;
    let mut nodes: Vec<u32> = (0..model.header().node_count).collect();
    nodes.sort_by_key(|node| node.abs_diff(middle));
    let truths = questions
        .iter()
        .map(|input| plan.execute(input))
        .collect::<Result<Vec<_>, _>>()?;
    for node in nodes {
        let elements = model.nodes()[node as usize].output.elements();
        for (question, truth) in truths.iter().enumerate() {
            for (element, value) in (0..elements).flat_map(|element| [(element, i8::MAX), (element, i8::MIN)]) {
                let answer = Answer::tampered(&plan, truth, node, element, value.into())?;
                if answer.claim() != truth.claim() {
                    return Ok(Lie {
                        question,
                        answer,
                        node,
                        element,
                    });
                }
            }
        }
    }
    None.context("No change of a single element flips the answer to any of the questions")
}

/// Computes honestly but for one question, and stands by its lie about that one whatever it is asked.
pub struct Liar {
    honest: Fast,
    /// The question.
    input_root: Hash,
    lie: Answer,
}

impl Liar {
    pub fn new(model: &Model, question: &Tensor, lie: Answer) -> Self {
        Self {
            honest: Fast::new(model, 1),
            input_root: question.root(),
            lie,
        }
    }
}

impl Executor for Liar {
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        if input.root() == self.input_root {
            return Ok(self.lie.output().clone());
        }
        self.honest.output(input)
    }

    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError> {
        if input.root() == self.input_root {
            return Ok(self.lie.clone());
        }
        self.honest.answer(input)
    }
}
