//! Behaviour, through the public faces, against an upstream of recorded bodies.

mod support;

mod architecture;
mod lambda;
mod mcp;
mod process;
mod resilience;
mod rest;
mod surface;
mod tools;
mod upstream;
