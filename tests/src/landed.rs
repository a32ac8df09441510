//! What became of a transaction.

use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

use crate::programs::PROGRAMS;

/// What one instruction of one of the programs used, called from a transaction or from another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionUnits {
    /// As in [`PROGRAMS`].
    pub program: &'static str,
    /// In snake case, as in the program's interface.
    pub instruction: String,
    /// 1 when the transaction calls it, more when a program does.
    pub depth: usize,
    pub compute_units: u64,
}

/// A transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Landed {
    pub logs: Vec<String>,
    /// Of the whole transaction.
    pub compute_units: u64,
    /// Size on the wire.
    pub bytes: usize,
    /// The instructions of the four programs, in order.
    pub instructions: Vec<InstructionUnits>,
}

impl Landed {
    pub(crate) fn new(logs: Vec<String>, compute_units: u64, bytes: usize) -> Self {
        let instructions = instruction_units(&logs);
        Self {
            logs,
            compute_units,
            bytes,
            instructions,
        }
    }
}

/// A transaction that changed nothing.
#[derive(Clone, Debug)]
pub struct Refused {
    pub error: TransactionError,
    pub logs: Vec<String>,
}

impl Refused {
    /// The program's own error code, when that is what it was.
    pub fn code(&self) -> Option<u32> {
        match self.error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(code),
            _ => None,
        }
    }
}

/// Asserting what became of a transaction.
pub trait Outcome {
    /// It succeeded.
    fn expect_ok(self) -> Landed;
    /// It was refused with this code: an error of one of the programs, of Anchor or of the token program.
    fn expect_error(self, code: impl Into<u32>);
    /// It was refused by the runtime or a built-in program.
    fn expect_runtime_error(self, error: InstructionError);
}

impl Outcome for Result<Landed, Refused> {
    #[track_caller]
    fn expect_ok(self) -> Landed {
        self.unwrap_or_else(|refused| panic!("refused: {:?}\n{}", refused.error, refused.logs.join("\n")))
    }

    #[track_caller]
    fn expect_error(self, code: impl Into<u32>) {
        let code = code.into();
        let refused = self
            .err()
            .unwrap_or_else(|| panic!("accepted, but should be refused with {code}"));
        assert_eq!(
            refused.code(),
            Some(code),
            "refused for another reason: {:?}\n{}",
            refused.error,
            refused.logs.join("\n")
        );
    }

    #[track_caller]
    fn expect_runtime_error(self, error: InstructionError) {
        let refused = self
            .err()
            .unwrap_or_else(|| panic!("accepted, but should be refused with {error:?}"));
        let found = match &refused.error {
            TransactionError::InstructionError(_, found) => Some(found),
            _ => None,
        };
        assert_eq!(
            found,
            Some(&error),
            "refused for another reason: {:?}\n{}",
            refused.error,
            refused.logs.join("\n")
        );
    }
}

/// Reads the runtime's log: `Program ID invoke [depth]`, Anchor's `Program log: Instruction: Name`, `Program ID consumed N of M compute units`. What a
/// program spends on programs that it calls is part of its own.
pub(crate) fn instruction_units(logs: &[String]) -> Vec<InstructionUnits> {
    let mut found: Vec<InstructionUnits> = Vec::new();
    // Of each call that has not ended: where its instruction is in `found`, if it is one of ours.
    let mut calls: Vec<Option<usize>> = Vec::new();
    for (number, line) in logs.iter().enumerate() {
        let Some((id, event)) = line.strip_prefix("Program ").and_then(|rest| rest.split_once(' ')) else {
            continue;
        };
        if event.starts_with("invoke [") {
            let program = PROGRAMS.iter().find(|program| program.id.to_string() == id);
            let depth = calls.len() + 1;
            let name = logs
                .get(number + 1)
                .and_then(|line| line.strip_prefix("Program log: Instruction: "));
            calls.push(program.zip(name).map(|(program, name)| {
                let instruction = snake_case(name);
                found.push(InstructionUnits {
                    program: program.name,
                    instruction,
                    depth,
                    compute_units: 0,
                });
                found.len() - 1
            }));
        } else if let Some(consumed) = event.strip_prefix("consumed ") {
            let units = consumed.split(' ').next().and_then(|units| units.parse().ok());
            if let (Some(Some(call)), Some(units)) = (calls.last(), units) {
                found[*call].compute_units = units;
            }
        } else if event == "success" || event.starts_with("failed") {
            calls.pop();
        }
    }
    found
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_logs_with_nested_calls_when_read_then_the_units_of_each_instruction_of_ours() {
        let [escrow, pool, token] = [revenue_escrow::ID, yield_distributor::ID, anchor_spl::token::ID];
        let logs = [
            format!("Program {escrow} invoke [1]"),
            "Program log: Instruction: Split".to_owned(),
            format!("Program {pool} invoke [2]"),
            "Program log: Instruction: Deposit".to_owned(),
            format!("Program {token} invoke [3]"),
            format!("Program {token} consumed 100 of 180000 compute units"),
            format!("Program {token} success"),
            format!("Program {pool} consumed 2345 of 190000 compute units"),
            format!("Program {pool} success"),
            format!("Program {escrow} consumed 12345 of 200000 compute units"),
            format!("Program {escrow} success"),
        ];
        let units = |program, instruction: &str, depth, compute_units| InstructionUnits {
            program,
            instruction: instruction.to_owned(),
            depth,
            compute_units,
        };
        let expected = [
            units("revenue_escrow", "split", 1, 12_345),
            units("yield_distributor", "deposit", 2, 2_345),
        ];
        assert_eq!(instruction_units(&logs), expected);
    }
}
