//! Products of matrices.

use super::{Op, Operands, Resolved, broadcast};
use crate::onnx::{attributes::Attributes, error::Reasoned};

pub fn gemm(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let (a, b) = (operands.get(0)?, operands.get(1)?);
    let ([m, k], [rows, cols]) = (&a.shape[..], &b.shape[..]) else {
        return Err("both operands must be matrices".into());
    };
    if attributes.int("transA", 0)? != 0 {
        return Err("transA is not supported".into());
    }
    let transposed = attributes.int("transB", 0)? != 0;
    let (inner, n) = if transposed { (cols, rows) } else { (rows, cols) };
    if inner != k {
        return Err(format!("shapes {:?} and {:?} do not fit together", a.shape, b.shape));
    }
    let shape = vec![*m, *n];
    if let Some(c) = operands.optional(2)
        && broadcast(&shape, &c.shape)? != shape
    {
        return Err(format!("operand 2 of shape {:?} does not fit {shape:?}", c.shape));
    }
    let op = Op::Gemm {
        alpha: attributes.float("alpha", 1.0)?,
        beta: attributes.float("beta", 1.0)?,
        transposed,
    };
    Ok(Resolved {
        op,
        operands: operands.0.len().min(3),
        shape,
        kind: a.kind,
    })
}

pub fn matmul(operands: &Operands) -> Reasoned<Resolved> {
    let (a, b) = (operands.get(0)?, operands.get(1)?);
    let ([a_batch @ .., m, k], [b_batch @ .., rows, n]) = (&a.shape[..], &b.shape[..]) else {
        return Err("both operands must have two dimensions or more".into());
    };
    if k != rows {
        return Err(format!("shapes {:?} and {:?} do not fit together", a.shape, b.shape));
    }
    let shape = [broadcast(a_batch, b_batch)?, vec![*m, *n]].concat();
    Ok(Resolved {
        op: Op::MatMul { sharing: 1 },
        operands: 2,
        shape,
        kind: a.kind,
    })
}
