//! The functions that a tool can be made of, and the one place where their types are erased.
//!
//! A function takes nothing, its arguments, a [`Context`], or a context and its arguments. It is async or not, and returns
//! a result, or a [`Result`] whose error becomes an [`Error`]. The parameter `M` of [`Handler`] only tells these forms
//! apart; the compiler finds it.

use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Answer;
use super::decode::Arguments;
use super::output::{IntoAnswer, Output};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::schema::{self, Rules};

/// A function that a [`Tool`](crate::Tool) can be made of.
///
/// ```
/// use bifold::{Context, Error, JsonSchema, Result, Tool};
/// use serde::Deserialize;
///
/// /// Adds two numbers.
/// #[derive(Deserialize, JsonSchema)]
/// struct Add {
///     /// The first number.
///     a: i64,
///     /// The second number.
///     b: i64,
/// }
///
/// fn add(Add { a, b }: Add) -> i64 {
///     a + b
/// }
///
/// async fn request_id(cx: Context) -> Result<String> {
///     Ok(cx.request_id().to_owned())
/// }
///
/// let tools = [
///     Tool::new("add", add),
///     Tool::new("request_id", request_id).describe("The id of this request."),
/// ];
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the function of a tool",
    label = "not a function of a tool",
    note = "a function takes nothing, `A`, `Context` or `Context, A`, where `A` derives `serde::Deserialize` and `JsonSchema`",
    note = "it returns a value that derives `serde::Serialize` and `JsonSchema`, or a `Result` of one whose error has `impl From<E> for bifold::Error`",
    note = "an async function must be `Send`: it keeps no `Rc`, no guard of `std::sync::Mutex` and the like across an `.await`",
    note = "the parameters of a closure need types, and so does the error of its `Result`: `async |cx: Context, a: A| -> Result<T>`"
)]
pub trait Handler<M>: Send + Sync + 'static {
    /// The function without its types.
    fn erase(self) -> ErasedHandler;
}

/// Marks async functions with these parameters and this form of return.
pub struct Async<P, O>(PhantomData<(P, O)>);

/// Marks functions that are not async.
pub struct Blocking<P, O>(PhantomData<(P, O)>);

/// Marks functions that return the result itself.
pub struct Plain;

/// Marks functions that return a [`Result`].
pub struct Fallible;

/// A function without its types.
pub struct ErasedHandler {
    pub(super) input: fn() -> Value,
    pub(super) typed: fn() -> Value,
    /// The fields of the argument struct, in the order of their declaration.
    pub(super) fields: fn() -> &'static [&'static str],
    pub(super) rules: fn() -> Option<Rules>,
    pub(super) output: fn() -> Output,
    pub(super) run: Run,
    /// Whether it has an argument struct, whose doc comment is its description.
    pub(super) has_arguments: bool,
}

/// The text of its arguments in, its encoded result (or the way to it) out.
pub(super) enum Run {
    Async(Box<AsyncFn>),
    Sync(Box<SyncFn>),
}

pub(super) type AsyncFn = dyn Fn(Context, &Arguments<'_>) -> Result<Running> + Send + Sync;
type SyncFn = dyn Fn(Context, &Arguments<'_>) -> Result<Answer> + Send + Sync;
pub(super) type Running = BoxFuture<'static, Result<Answer>>;

/// What a function may return: a result, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the return value of a tool's function",
    label = "no result of a tool",
    note = "a result derives `serde::Serialize` and `JsonSchema`, or is `Content`, `Bytes`, `NoContent`, `Created` or `Accepted`",
    note = "the error of a `Result` needs `impl From<E> for bifold::Error`"
)]
pub trait IntoOutcome<M> {
    /// The result of a call that succeeds.
    type Value: IntoAnswer;

    /// The result of the call.
    ///
    /// # Errors
    /// The function's own.
    fn into_outcome(self) -> Result<Self::Value>;

    /// What it publishes.
    fn output() -> Output;
}

impl<T: IntoAnswer> IntoOutcome<Plain> for T {
    type Value = T;

    fn into_outcome(self) -> Result<T> {
        Ok(self)
    }

    fn output() -> Output {
        let is_result = std::any::type_name::<T>().starts_with("core::result::Result<");
        Output {
            is_result,
            ..T::output()
        }
    }
}

impl<T: IntoAnswer, E: Into<Error>> IntoOutcome<Fallible> for Result<T, E> {
    type Value = T;

    fn into_outcome(self) -> Result<T> {
        self.map_err(Into::into)
    }

    fn output() -> Output {
        T::output()
    }
}

// The arguments of a function that takes none. A doc comment would be the description of the function.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Implements [`Handler`] for one form of parameters: their types, and their values, made of the context and the arguments.
macro_rules! handler {
    ([$($A:ident)?] ($($type:ty),*), $input:ty, |$cx:ident, $arguments:ident| $check:block => ($($value:expr),*), $has_arguments:expr) => {
        impl<F, Fut, O, $($A)?> Handler<Async<fn($($type),*), O>> for F
        where
            F: Fn($($type),*) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: IntoOutcome<O>,
            $($A: DeserializeOwned + JsonSchema,)?
        {
            fn erase(self) -> ErasedHandler {
                let run = move |$cx: Context, $arguments: &Arguments<'_>| -> Result<Running> {
                    $check
                    let running = self($($value),*);
                    Ok(Box::pin(async move { running.await.into_outcome()?.into_answer(&$cx) }))
                };
                let output = <Fut::Output as IntoOutcome<O>>::output;
                erased::<$input>(Run::Async(Box::new(run)), output, $has_arguments)
            }
        }

        impl<F, R, O, $($A)?> Handler<Blocking<fn($($type),*), O>> for F
        where
            F: Fn($($type),*) -> R + Send + Sync + 'static,
            R: IntoOutcome<O>,
            $($A: DeserializeOwned + JsonSchema,)?
        {
            fn erase(self) -> ErasedHandler {
                let run = move |$cx: Context, $arguments: &Arguments<'_>| {
                    $check
                    self($($value),*).into_outcome()?.into_answer(&$cx)
                };
                erased::<$input>(Run::Sync(Box::new(run)), R::output, $has_arguments)
            }
        }
    };
}

handler!([A] (Context, A), A, |cx, arguments| {} => (cx.clone(), arguments.decode()?), true);
handler!([A] (A), A, |cx, arguments| {} => (arguments.decode()?), true);
handler!([] (Context), NoArguments, |cx, arguments| { arguments.decode::<NoArguments>()?; } => (cx.clone()), false);
handler!([] (), NoArguments, |cx, arguments| { arguments.decode::<NoArguments>()?; } => (), false);

fn erased<A: DeserializeOwned + JsonSchema>(
    run: Run,
    output: fn() -> Output,
    has_arguments: bool,
) -> ErasedHandler {
    ErasedHandler {
        input: schema::input::<A>,
        typed: schema::typed::<A>,
        fields: schema::fields::<A>,
        rules: schema::rules::<A>,
        output,
        run,
        has_arguments,
    }
}
