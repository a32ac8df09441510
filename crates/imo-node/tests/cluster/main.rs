//! Whole nodes on a cluster inside this process: payers are answered, operators paid, liars caught.

mod buying;
mod crash;
mod demands;
mod stories;
mod world;
