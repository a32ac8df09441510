//! How often each instruction was tried.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::programs::{PROGRAMS, instructions, interface};

/// How often something landed, and was refused as foreseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    pub landed: u64,
    pub refused: u64,
}

/// By program and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(&'static str, String), Tries>);

impl Tally {
    pub fn land(&mut self, program: &'static str, instruction: &str) {
        self.tries(program, instruction).landed += 1;
    }

    pub fn refuse(&mut self, program: &'static str, instruction: &str) {
        self.tries(program, instruction).refused += 1;
    }

    fn tries(&mut self, program: &'static str, instruction: &str) -> &mut Tries {
        self.0.entry((program, instruction.to_owned())).or_default()
    }

    pub fn add(&mut self, other: &Self) {
        for ((program, instruction), Tries { landed, refused }) in &other.0 {
            let tries = self.tries(program, instruction);
            tries.landed += landed;
            tries.refused += refused;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str, Tries)> {
        let entries = self.0.iter();
        entries.map(|((program, instruction), tries)| (*program, instruction.as_str(), *tries))
    }

    /// How many instructions landed.
    pub fn landed(&self) -> usize {
        self.0.values().filter(|tries| tries.landed > 0).count()
    }

    /// Whether every instruction of the four programs landed at least once.
    pub fn require_all_landed(&self) -> Result<()> {
        for program in &PROGRAMS {
            for instruction in instructions(&interface(program)?) {
                let tries = self.0.get(&(program.name, instruction.clone())).copied();
                ensure!(
                    tries.is_some_and(|tries| tries.landed > 0),
                    "{instruction} of {} never landed: {:?}",
                    program.name,
                    tries.unwrap_or_default()
                );
            }
        }
        Ok(())
    }
}
