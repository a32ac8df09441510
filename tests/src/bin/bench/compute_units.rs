//! `cu.<program>.<instruction>`: what every instruction of the four programs uses.

use std::{collections::BTreeMap, fmt::Write, fs};

use anyhow::{Context, Result, ensure};
use imo_tests::{
    World,
    programs::{PROGRAMS, instructions, interface, workspace},
    story,
};

use crate::figures::Figures;

/// Runs the stories, which use every instruction, and keeps the most that each used.
pub fn measure(figures: &mut Figures) -> Result<()> {
    let (mut quiet, cast) = World::with_protocol();
    story::business(&mut quiet, &cast);
    story::failure(&mut quiet, &cast);
    let (mut launched, cast) = World::with_protocol();
    story::launch(&mut launched, &cast);
    let (mut disputed, cast) = World::with_protocol();
    story::disputes(&mut disputed, &cast);
    let (mut asked, cast) = World::with_protocol();
    story::inquiries(&mut asked, &cast);
    let mut units: BTreeMap<_, u64> = quiet.units().clone();
    let (mut audited, cast) = World::with_protocol();
    story::audits(&mut audited, &cast);
    for (instruction, used) in [&launched, &disputed, &asked, &audited]
        .into_iter()
        .flat_map(|world| world.units())
    {
        let most = units.entry(instruction.clone()).or_default();
        *most = (*used).max(*most);
    }
    for program in &PROGRAMS {
        for instruction in instructions(&interface(program)?) {
            let used = units.get(&(program.name, instruction.clone()));
            ensure!(
                used.is_some(),
                "no story uses {instruction} of {}: add it to tests/src/story.rs",
                program.name
            );
            figures.set(format!("cu.{}.{instruction}", program.name), *used.unwrap_or(&0));
        }
    }
    Ok(())
}

/// Writes the table of the documentation.
pub fn write_docs(figures: &Figures) -> Result<()> {
    let mut text = String::from(
        "# Compute units\n\n\
         The most that each instruction used in the stories of `tests/src/story.rs`, which use every instruction of the four programs; what a program \
         spends in programs that it calls is included. Written by `cargo run -p imo-tests --bin bench -- cu --write-docs`.\n\n\
         Measured in Agave 4.2.2 with whichever compiler built the programs in `target/deploy`; another compiler's programs use more or less. \
         Finding an address costs about 1,500 more for each bump below 255, so that the figure of an instruction that does so depends on the keys \
         involved; the stories' keys are always the same.\n",
    );
    for program in &PROGRAMS {
        let _ = write!(
            text,
            "\n## {}\n\n| instruction | compute units |\n| --- | ---: |\n",
            program.name.replace('_', "-")
        );
        for (instruction, used) in figures.below(&format!("cu.{}.", program.name)) {
            let _ = writeln!(text, "| `{instruction}` | {} |", with_commas(&used.to_string()));
        }
    }
    let file = workspace().join("docs/compute-units.md");
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
}

fn with_commas(digits: &str) -> String {
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
