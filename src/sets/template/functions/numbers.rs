//! Numbers ([source](https://masterminds.github.io/sprig/math.html)).

use std::rc::Rc;

use super::super::fault::Fault;
use super::super::literal;
use super::super::print::printed;
use super::super::value::{Items, Value};
use super::{Function, function, int, text};

pub(super) const TABLE: &[Function] = &[
    function("add", "a*", |values| fold(values, Some(0), i64::wrapping_add)),
    function("add1", "a", |values| {
        Ok(Value::int64(int64(&values[0])?.wrapping_add(1)))
    }),
    function("atoi", "s", |values| Ok(Value::int(decimal(text(&values[0]))))),
    function("biggest", "aa*", |values| fold(values, None, i64::max)),
    function("ceil", "a", |values| Ok(Value::Float(float64(&values[0]).ceil()))),
    function("div", "aa", |values| divided(values, i64::wrapping_div)),
    function("float64", "a", |values| Ok(Value::Float(float64(&values[0])))),
    function("floor", "a", |values| Ok(Value::Float(float64(&values[0]).floor()))),
    function("int", "a", |values| Ok(Value::int(int64(&values[0])?))),
    function("int64", "a", |values| Ok(Value::int64(int64(&values[0])?))),
    function("max", "aa*", |values| fold(values, None, i64::max)),
    function("maxf", "aa*", |values| Ok(Value::Float(fold_floats(values, f64::max)))),
    function("min", "aa*", |values| fold(values, None, i64::min)),
    function("minf", "aa*", |values| Ok(Value::Float(fold_floats(values, f64::min)))),
    function("mod", "aa", |values| divided(values, i64::wrapping_rem)),
    function("mul", "aa*", |values| fold(values, None, i64::wrapping_mul)),
    function("round", "aif*", |values| Ok(Value::Float(round(values)))),
    function("seq", "i*", seq),
    function("sub", "aa", |values| {
        Ok(Value::int64(int64(&values[0])?.wrapping_sub(int64(&values[1])?)))
    }),
    function("toDecimal", "a", |values| {
        Ok(Value::int64(
            i64::from_str_radix(&printed(&values[0]), 8).unwrap_or_default(),
        ))
    }),
    function("until", "i", |values| {
        let count = int(&values[0]);
        numbers(0, count, if count < 0 { -1 } else { 1 }).map(ints)
    }),
    function("untilStep", "iii", |values| {
        numbers(int(&values[0]), int(&values[1]), int(&values[2])).map(ints)
    }),
];

/// Converts a value to a whole number as sprig does; what is none is 0.
///
/// # Errors
/// For a number that has no 64 bits: Go leaves to the processor what becomes of it
/// ([source](https://go.dev/ref/spec#Conversions_between_numeric_types)).
pub(super) fn int64(value: &Value) -> Result<i64, Fault> {
    /// The first number that is too large; it has an exact float, as the last one that fits has not.
    const END: f64 = -(i64::MIN as f64);
    Ok(match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(_, number) => *number,
        Value::Float(number) if (-END..END).contains(number) => *number as i64,
        Value::Float(_) => return Err(Fault::unsupported("a whole number of a float beyond 64 bits")),
        Value::Text(text) => literal::int(without_zero_decimals(text)).unwrap_or_default(),
        _ => 0,
    })
}

fn without_zero_decimals(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() && decimals.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    }
}

fn float64(value: &Value) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Int(_, number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(text) => text.parse().unwrap_or_default(),
        _ => 0.0,
    }
}

/// Reads a decimal number as Go's `Atoi`.
fn decimal(text: &str) -> i64 {
    text.parse().unwrap_or_default()
}

fn fold(values: &[Value], start: Option<i64>, with: fn(i64, i64) -> i64) -> Result<Value, Fault> {
    let numbers: Vec<i64> = values.iter().map(int64).collect::<Result<_, _>>()?;
    let folded = start.into_iter().chain(numbers).reduce(with);
    Ok(Value::int64(folded.unwrap_or_default()))
}

fn fold_floats(values: &[Value], with: fn(f64, f64) -> f64) -> f64 {
    values[1..].iter().map(float64).fold(float64(&values[0]), with)
}

fn divided(values: &[Value], with: fn(i64, i64) -> i64) -> Result<Value, Fault> {
    match int64(&values[1])? {
        0 => Err(Fault::invalid("a number is divided by zero")),
        divisor => Ok(Value::int64(with(int64(&values[0])?, divisor))),
    }
}

fn round(values: &[Value]) -> f64 {
    let on = match values.get(2) {
        Some(Value::Float(on)) => *on,
        _ => 0.5,
    };
    let power = 10f64.powi(i32::try_from(int(&values[1])).unwrap_or(i32::MAX));
    let shifted = power * float64(&values[0]);
    let rounded = if shifted.fract() >= on {
        shifted.ceil()
    } else {
        shifted.floor()
    };
    rounded / power
}

/// Returns the numbers from one to another, without the last.
fn numbers(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Fault> {
    const MOST: u64 = 100_000;
    let is_down = stop < start;
    if is_down && step >= 0 || !is_down && step <= 0 {
        return Ok(Vec::new());
    }
    if start.abs_diff(stop) / step.unsigned_abs() > MOST {
        return Err(Fault::unsupported("very many numbers"));
    }
    let next = |number: &i64| {
        number
            .checked_add(step)
            .filter(|next| if is_down { *next > stop } else { *next < stop })
    };
    let first = Some(start).filter(|start| *start != stop);
    Ok(std::iter::successors(first, next).collect())
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(Items::Int, Rc::new(numbers.into_iter().map(Value::int).collect()))
}

fn seq(values: &[Value]) -> Result<Value, Fault> {
    let arguments: Vec<i64> = values.iter().map(int).collect();
    let (start, end) = match arguments[..] {
        [end] => (1, end),
        [start, end] | [start, _, end] => (start, end),
        _ => return Ok(Value::text("")),
    };
    let direction = if end < start { -1 } else { 1 };
    let step = match arguments[..] {
        [_, step, _] if end < start && step > 0 => return Ok(Value::text("")),
        [_, step, _] => step,
        _ => direction,
    };
    let found = numbers(start, end.wrapping_add(direction), step)?;
    let texts: Vec<String> = found.iter().map(i64::to_string).collect();
    Ok(Value::Text(texts.join(" ")))
}
