//! What became of a transaction.

use solana_instruction_error::InstructionError;
use solana_transaction_error::TransactionError;

use crate::programs::PROGRAMS;

/// What one top-level instruction of one of the programs used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionUnits {
    /// As in [`PROGRAMS`].
    pub program: &'static str,
    /// In snake case, as in the program's interface.
    pub instruction: String,
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
    /// The top-level instructions of the four programs, in order.
    pub instructions: Vec<InstructionUnits>,
}

impl Landed {
    pub(crate) fn new(logs: Vec<String>, compute_units: u64, bytes: usize) -> Self {
        let instructions = instruction_units(&logs);
        Self { logs, compute_units, bytes, instructions }
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
        let refused = self.err().unwrap_or_else(|| panic!("accepted, but should be refused with {code}"));
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
        let refused = self.err().unwrap_or_else(|| panic!("accepted, but should be refused with {error:?}"));
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

/// Reads the runtime's log: `Program ID invoke [1]`, Anchor's `Instruction: Name`, `Program ID consumed N of M compute units`.
fn instruction_units(logs: &[String]) -> Vec<InstructionUnits> {
    let mut found = Vec::new();
    for program in &PROGRAMS {
        let invoked = format!("Program {} invoke [1]", program.id);
        let consumed = format!("Program {} consumed ", program.id);
        for (start, _) in logs.iter().enumerate().filter(|(_, line)| **line == invoked) {
            let name = logs.get(start + 1).and_then(|line| line.strip_prefix("Program log: Instruction: "));
            // A program that calls itself would consume before it ends; none of them does.
            let units = logs.iter().skip(start).find_map(|line| line.strip_prefix(&consumed));
            let (Some(name), Some(units)) = (name, units.and_then(|rest| rest.split(' ').next())) else { continue };
            found.push((
                start,
                InstructionUnits {
                    program: program.name,
                    instruction: snake_case(name),
                    compute_units: units.parse().expect("the runtime counts units in digits"),
                },
            ));
        }
    }
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, units)| units).collect()
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
    fn given_logs_with_nested_calls_when_read_then_the_units_of_the_top_level_instructions() {
        let [oracle, token] = [opml_oracle::ID, anchor_spl::token::ID];
        let logs = [
            format!("Program {oracle} invoke [1]"),
            "Program log: Instruction: OpenDispute".to_owned(),
            format!("Program {token} invoke [2]"),
            format!("Program {token} consumed 100 of 190000 compute units"),
            format!("Program {token} success"),
            format!("Program {oracle} consumed 12345 of 200000 compute units"),
            format!("Program {oracle} success"),
        ];
        let expected = InstructionUnits {
            program: "opml_oracle",
            instruction: "open_dispute".to_owned(),
            compute_units: 12_345,
        };
        assert_eq!(instruction_units(&logs), [expected]);
    }
}
