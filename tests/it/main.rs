//! Behaviour, through the public protocols, against an upstream of recorded bodies.

mod support;

mod architecture;
mod arguments;
mod batch;
mod budget;
mod catalog;
mod connections;
mod cors;
mod docs;
mod echo;
mod edge;
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
