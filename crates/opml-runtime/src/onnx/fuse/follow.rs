//! Values that follow from integers of the input: masks, positions, indices.

use std::{cell::Cell, collections::HashMap, rc::Rc};

use crate::onnx::{
    array::{Array, Kind},
    error::Reasoned,
    graph::{Graph, ValueId},
    interpret,
    operator::Op,
};

/// Elements that are computed to find out what values follow from integers, all together.
const MAX_COMPUTED: usize = 1 << 30;
/// A number that no table has so many entries for.
const BEYOND: i64 = 1 << 24;

/// What a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Constant,
    /// On one input, of integers.
    One(ValueId),
    /// On several inputs of integers.
    Several,
    /// On floats, or on what was quantised.
    Data,
}

impl Source {
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant, source) | (source, Self::Constant) => source,
            (Self::Data, _) | (_, Self::Data) => Self::Data,
            (a, b) if a == b => a,
            _ => Self::Several,
        }
    }
}

pub struct Follow<'a> {
    graph: &'a Graph,
    makers: Vec<Option<usize>>,
    sources: Vec<Source>,
    computed: Cell<usize>,
}

/// A value as a function of the integers it follows from; of nothing for a constant.
pub struct Function<'a> {
    follow: &'a Follow<'a>,
    root: Option<ValueId>,
    value: ValueId,
    /// Indices of nodes, in order.
    steps: Vec<usize>,
    constants: HashMap<ValueId, Rc<Array>>,
    /// Elements that are read and written each time.
    cost: usize,
}

impl<'a> Follow<'a> {
    pub fn new(graph: &'a Graph) -> Self {
        let mut sources = vec![Source::Constant; graph.values.len()];
        for input in &graph.inputs {
            sources[*input] = match graph.values[*input].kind {
                Kind::Int32 | Kind::Int64 => Source::One(*input),
                _ => Source::Data,
            };
        }
        for node in &graph.nodes {
            let operands = node.operands.iter().flatten().map(|operand| sources[*operand]);
            sources[node.result] = match node.op {
                Op::Quantize(_) | Op::Dequantize(_) => Source::Data,
                _ => operands.fold(Source::Constant, Source::and),
            };
        }
        Self {
            graph,
            makers: graph.makers(),
            sources,
            computed: Cell::new(0),
        }
    }

    /// For each value, the index of the node that makes it.
    pub fn makers(&self) -> &[Option<usize>] {
        &self.makers
    }

    pub fn source(&self, value: ValueId) -> Source {
        self.sources[value]
    }

    /// A value that depends on one input of integers at most.
    pub fn function(&'a self, value: ValueId) -> Reasoned<Function<'a>> {
        let root = match self.source(value) {
            Source::Constant => None,
            Source::One(root) => Some(root),
            Source::Several => return Err("it depends on several inputs".into()),
            Source::Data => return Err("it depends on more than integers".into()),
        };
        let mut needed = vec![false; self.graph.nodes.len()];
        let mut open = vec![value];
        let (mut cost, mut constants) = (0usize, HashMap::new());
        while let Some(value) = open.pop() {
            if let Some(maker) = self.makers[value]
                && !std::mem::replace(&mut needed[maker], true)
            {
                let node = &self.graph.nodes[maker];
                // Of a table only the rows are read that are put out.
                let read = &node.operands[usize::from(matches!(node.op, Op::Gather { .. }))..];
                let counts = read
                    .iter()
                    .flatten()
                    .chain([&node.result])
                    .map(|id| self.graph.count(*id));
                cost = counts.fold(cost, usize::saturating_add);
                open.extend(node.operands.iter().flatten());
            }
            if let Some(constant) = self.graph.constant(value) {
                constants.entry(value).or_insert_with(|| constant.to_array());
            }
        }
        Ok(Function {
            follow: self,
            root,
            value,
            steps: (0..needed.len()).filter(|index| needed[*index]).collect(),
            constants,
            cost,
        })
    }

    /// The values of an integer for which a function is not an error, counted from 0; `otherwise` if there is no end.
    pub fn domain(&self, function: &Function, otherwise: usize) -> Reasoned<usize> {
        if function.filled(BEYOND).is_ok() {
            return Ok(otherwise);
        }
        function.filled(0)?;
        // Possible, and not possible.
        let (mut low, mut high) = (0, BEYOND);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match function.filled(middle) {
                Ok(_) => low = middle,
                Err(_) => high = middle,
            }
        }
        Ok(high as usize)
    }
}

impl Function<'_> {
    pub fn root(&self) -> Option<ValueId> {
        self.root
    }

    /// How many integers it follows from.
    pub fn root_count(&self) -> usize {
        self.root.map_or(1, |root| self.follow.graph.count(root))
    }

    /// For integers that are all the same.
    pub fn filled(&self, number: i64) -> Reasoned<Array> {
        self.at(&vec![number; self.root_count()])
    }

    pub fn at(&self, integers: &[i64]) -> Reasoned<Array> {
        let graph = self.follow.graph;
        let computed = self.follow.computed.get().saturating_add(self.cost);
        self.follow.computed.set(computed);
        if computed > MAX_COMPUTED {
            return Err(format!(
                "finding out what it does to each number takes more than {MAX_COMPUTED} elements"
            ));
        }
        let mut values: HashMap<ValueId, Rc<Array>> = HashMap::new();
        if let Some(root) = self.root {
            let value = &graph.values[root];
            let array = Array::from_integers(value.kind, value.shape.clone(), integers.iter().copied());
            values.insert(root, Rc::new(array));
        }
        let get = |values: &HashMap<ValueId, Rc<Array>>, id: ValueId| {
            values.get(&id).or_else(|| self.constants.get(&id)).cloned()
        };
        for step in &self.steps {
            let node = &graph.nodes[*step];
            let operands: Vec<_> = node
                .operands
                .iter()
                .map(|operand| operand.and_then(|id| get(&values, id)))
                .collect();
            let operands: Vec<_> = operands.iter().map(Option::as_deref).collect();
            let value = &graph.values[node.result];
            let result = interpret::compute(&node.op, &operands, &value.shape, value.kind)?;
            values.insert(node.result, Rc::new(result));
        }
        get(&values, self.value)
            .map(|array| array.as_ref().clone())
            .ok_or_else(|| "nothing makes it".into())
    }
}
