//! Every way that the disputes of one report can go: the programs' own transitions (`opml_oracle::game` and `opml_oracle::state`) under a model checker, with
//! two challengers, an operator and a clock.
//!
//! A state is the accounts themselves, an action is one call, so that what is explored is the code that is deployed and no description of it. Who is honest
//! plays by the clients' own planning, whenever it likes within its time; everybody else may do anything at any moment, or nothing.

mod actions;
mod properties;
mod scene;
pub mod scenes;
mod table;

use stateright::{Checker, Model as _};

pub use {
    actions::Action,
    scene::{Honest, Scene},
    table::{Closed, Seat, Table},
};

/// What was found in one scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// The longest that any dispute of the scene can last, from its opening to the first slot in which a stranger can end it.
    pub longest_slots: u64,
    /// The bound that the clocks promise, in slots.
    pub bound_slots: u64,
}

/// Explores a scene to the end. Panics with the calls that led there when a property does not hold.
pub fn explore(scene: Scene) -> Explored {
    let bound_slots = scene.longest_bound_slots();
    let checker = scene.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    Explored {
        states: checker.unique_state_count(),
        longest_slots: checker.model().longest_slots(),
        bound_slots,
    }
}
