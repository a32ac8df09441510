//! `size.<program>`: bytes of the compiled programs.

use anyhow::Result;
use imo_tests::programs::{PROGRAMS, elf};

use crate::figures::Figures;

pub fn measure(figures: &mut Figures) -> Result<()> {
    for program in &PROGRAMS {
        figures.set(format!("size.{}", program.name), elf(program)?.len());
    }
    Ok(())
}
