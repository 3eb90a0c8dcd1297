//! Behaviour, through the public protocols, against an upstream of recorded bodies.

mod support;

mod architecture;
mod batch;
mod cors;
mod input;
mod lambda;
mod lint;
mod mcp;
mod process;
mod progress;
mod resilience;
mod rest;
mod rmcp;
mod store;
mod surface;
mod telemetry;
mod tools;
mod upstream;
mod ws;
