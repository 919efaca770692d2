//! Evaluates a template ([source](https://github.com/golang/go/blob/go1.26.0/src/text/template/exec.go)).

use std::collections::BTreeMap;

use super::MissingKey;
use super::fault::Fault;
use super::functions::{self, Kind};
use super::literal::Number;
use super::print::{self, printed};
use super::tree::{Control, Node, Pipeline, Template, Term};
use super::value::{Integer, Value};

/// How far templates may call each other, and what a result may hold.
const DEEPEST: usize = 50;
const LARGEST: usize = 1 << 20;
/// How many steps a template may take; a range over a large number is one step each.
const MOST_STEPS: usize = 1_000_000;

/// Evaluates a template with its parameters.
pub(super) fn run(template: &Template, dot: &Value, missing: MissingKey) -> Result<String, Fault> {
    let mut run = Run {
        defined: &template.defined,
        body: &template.body,
        missing,
        variables: vec![("$".to_owned(), dot.clone())],
        out: String::new(),
        depth: 0,
        steps: 0,
    };
    run.nodes(&template.body, dot)?;
    Ok(run.out)
}

/// What follows a node.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'t> {
    defined: &'t BTreeMap<String, Vec<Node>>,
    body: &'t [Node],
    missing: MissingKey,
    variables: Vec<(String, Value)>,
    out: String,
    depth: usize,
    steps: usize,
}

impl<'t> Run<'t> {
    fn nodes(&mut self, nodes: &'t [Node], dot: &Value) -> Result<Flow, Fault> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Result<Flow, Fault> {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.out.len() > LARGEST {
            return Err(Fault::unsupported("a template that takes very long"));
        }
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    match value {
                        Value::Missing => self.out.push_str("<no value>"),
                        value => self.out.push_str(&printed(&value)),
                    }
                }
            }
            Node::If(control) => return self.choice(control, dot, false),
            Node::With(control) => return self.choice(control, dot, true),
            Node::Range(control) => return self.range(control, dot),
            Node::Template(name, pipeline) => self.template(name, pipeline.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn choice(&mut self, control: &'t Control, dot: &Value, is_with: bool) -> Result<Flow, Fault> {
        let known = self.variables.len();
        let value = self.pipeline(&control.pipeline, dot)?;
        let flow = match (value.is_true(), is_with) {
            (true, true) => self.nodes(&control.body, &value),
            (true, false) => self.nodes(&control.body, dot),
            (false, _) => self.nodes(&control.otherwise, dot),
        }?;
        self.variables.truncate(known);
        Ok(flow)
    }

    fn range(&mut self, control: &'t Control, dot: &Value) -> Result<Flow, Fault> {
        let known = self.variables.len();
        let over = self.pipeline(&control.pipeline, dot)?;
        let two = control.pipeline.variables.len() > 1;
        let items: Box<dyn Iterator<Item = (Value, Value)>> = match over {
            Value::Missing | Value::Nil => Box::new(std::iter::empty()),
            Value::Int(..) if two => return Err(Fault::invalid("`range` over a number sets one variable")),
            Value::Int(kind, count) => {
                Box::new((0..count).map(move |number| (Value::Missing, Value::Int(kind, number))))
            }
            Value::List(_, items) => {
                let items = items.as_ref().clone().into_iter().enumerate();
                Box::new(items.map(|(index, item)| (Value::int(index as i64), item)))
            }
            Value::Map(_, entries) => {
                let entries = entries.borrow().clone().into_iter();
                Box::new(entries.map(|(key, value)| (Value::Text(key), value)))
            }
            other => return Err(Fault::invalid(format!("`range` over {}", other.type_name()))),
        };
        let inner = self.variables.len();
        let (mut is_empty, mut flow) = (true, Flow::On);
        for (index, item) in items {
            is_empty = false;
            self.set_range_variables(&control.pipeline, index, &item);
            let after = self.nodes(&control.body, &item)?;
            self.variables.truncate(inner);
            if after == Flow::Break {
                break;
            }
        }
        if is_empty {
            flow = self.nodes(&control.otherwise, dot)?;
        }
        self.variables.truncate(known);
        Ok(flow)
    }

    fn set_range_variables(&mut self, pipeline: &Pipeline, index: Value, item: &Value) {
        let values = match &pipeline.variables[..] {
            [] => return,
            [_] => vec![item.clone()],
            _ => vec![index, item.clone()],
        };
        for (name, value) in pipeline.variables.iter().zip(values) {
            self.assign(name, value);
        }
    }

    fn assign(&mut self, name: &str, value: Value) {
        if let Some((_, slot)) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            *slot = value;
        }
    }

    fn template(&mut self, name: &str, pipeline: Option<&'t Pipeline>, dot: &Value) -> Result<(), Fault> {
        // The whole template is one of those, by the name that Argo CD gives it.
        let body = match self.defined.get(name) {
            Some(body) => body.as_slice(),
            None if name == "base" => self.body,
            None => return Err(Fault::invalid(format!("the template `{name}` is not defined"))),
        };
        if self.depth == DEEPEST {
            return Err(Fault::unsupported(format!("templates in {DEEPEST} levels")));
        }
        let value = match pipeline {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Missing,
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), value.clone())]);
        self.depth += 1;
        self.nodes(body, &value)?;
        self.depth -= 1;
        self.variables = outer;
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Fault> {
        let mut value = None;
        for command in &pipeline.commands {
            // A nil in a map or list is nothing behind a pipeline.
            value = Some(match self.command(command, dot, value)? {
                Value::Nil => Value::Missing,
                value => value,
            });
        }
        let value = value.unwrap_or(Value::Missing);
        for name in &pipeline.variables {
            match pipeline.assigns {
                true => self.assign(name, value.clone()),
                false => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    /// Evaluates a command; `last` is the value of the one before, its last argument.
    fn command(&mut self, command: &[Term], dot: &Value, last: Option<Value>) -> Result<Value, Fault> {
        let has_arguments = command.len() > 1 || last.is_some();
        match &command[0] {
            Term::Function(name) => self.call(name, &command[1..], dot, last),
            Term::Nil => Err(Fault::invalid("`nil` is not a command")),
            _ if has_arguments => Err(Fault::invalid("what is not a function gets an argument")),
            Term::Number(number) => constant(number),
            term => self.term(term, dot),
        }
    }

    /// Evaluates a term that is neither a constant of an argument nor has arguments.
    fn term(&mut self, term: &Term, dot: &Value) -> Result<Value, Fault> {
        match term {
            Term::Dot => Ok(dot.clone()),
            Term::Field(names) => self.fields(dot.clone(), names),
            Term::Variable(name, names) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = found.map(|(_, value)| value.clone());
                let value = value.ok_or_else(|| Fault::invalid(format!("the variable `{name}` is not defined")))?;
                self.fields(value, names)
            }
            Term::Chain(inner, names) => {
                let value = self.term(inner, dot)?;
                self.fields(value, names)
            }
            Term::Function(name) => self.call(name, &[], dot, None),
            Term::Pipeline(pipeline) => self.pipeline(pipeline, dot),
            Term::Bool(value) => Ok(Value::Bool(*value)),
            Term::Text(text) => Ok(Value::text(text)),
            Term::Number(number) => constant(number),
            Term::Nil => Err(Fault::invalid("`nil` is not a command")),
        }
    }

    fn fields(&self, mut value: Value, names: &[String]) -> Result<Value, Fault> {
        for name in names {
            value = self.field(&value, name)?;
        }
        Ok(value)
    }

    fn field(&self, value: &Value, name: &str) -> Result<Value, Fault> {
        match value {
            Value::Missing if self.missing == MissingKey::Error => {
                Err(Fault::invalid(format!("there is no value for the key `{name}`")))
            }
            Value::Missing => Ok(Value::Missing),
            Value::Nil => Err(Fault::invalid(format!("the key `{name}` of a null is asked for"))),
            Value::Map(items, entries) => match (entries.borrow().get(name), self.missing) {
                (Some(value), _) => Ok(value.clone()),
                (None, MissingKey::Invalid | MissingKey::Unknown) => Ok(Value::Missing),
                (None, MissingKey::Zero) => Ok(items.zero()),
                (None, MissingKey::Error) => Err(Fault::MissingKey(format!("there is no value for the key `{name}`"))),
            },
            other => Err(Fault::MissingKey(format!(
                "the key `{name}` of a {} is asked for",
                other.type_name()
            ))),
        }
    }

    fn call(&mut self, name: &str, terms: &[Term], dot: &Value, last: Option<Value>) -> Result<Value, Fault> {
        if name == "and" || name == "or" {
            return self.shortcut(name == "or", terms, dot, last);
        }
        let function = functions::find(name)?;
        let count = terms.len() + usize::from(last.is_some());
        function.check_count(name, count)?;
        let mut arguments = Vec::with_capacity(count);
        for (index, term) in terms.iter().enumerate() {
            arguments.push(self.argument(term, function.kind(index), dot)?);
        }
        if let Some(last) = last {
            arguments.push(fitted(last, function.kind(count - 1))?);
        }
        (function.run)(&arguments).map_err(|fault| match fault {
            Fault::Invalid(message) => Fault::Invalid(format!("`{name}`: {message}")),
            Fault::Unsupported(what) => Fault::Unsupported(format!("`{name}`: {what}")),
            fault @ Fault::MissingKey(_) => fault,
        })
    }

    /// Evaluates `and` and `or`, which evaluate no more arguments than they need.
    fn shortcut(&mut self, wanted: bool, terms: &[Term], dot: &Value, last: Option<Value>) -> Result<Value, Fault> {
        let mut value = None;
        for term in terms {
            let next = self.argument(term, Kind::Reflected, dot)?;
            if next.is_true() == wanted {
                return Ok(next);
            }
            value = Some(next);
        }
        last.or(value)
            .ok_or_else(|| Fault::invalid("`and` and `or` need an argument"))
    }

    fn argument(&mut self, term: &Term, kind: Kind, dot: &Value) -> Result<Value, Fault> {
        match (term, kind) {
            (Term::Nil, Kind::Any | Kind::Map | Kind::Reflected) => Ok(Value::Nil),
            (Term::Nil, _) => Err(Fault::invalid("`nil` is no argument here")),
            (Term::Number(number), Kind::Int) => number.int.map(Value::int).ok_or_else(|| wrong_kind(kind)),
            (Term::Number(number), Kind::Float) => number.float.map(Value::Float).ok_or_else(|| wrong_kind(kind)),
            (Term::Number(_) | Term::Bool(_) | Term::Text(_), _) => {
                let value = self.term(term, dot)?;
                match (&value, kind) {
                    (_, Kind::Any | Kind::Reflected) | (Value::Bool(_), Kind::Bool) | (Value::Text(_), Kind::Text) => {
                        Ok(value)
                    }
                    _ => Err(wrong_kind(kind)),
                }
            }
            _ => fitted(self.term(term, dot)?, kind),
        }
    }
}

/// Returns the value of a number that may have any type.
fn constant(number: &Number) -> Result<Value, Fault> {
    match (number.is_float, number.int, number.float) {
        (false, Some(int), _) => Ok(Value::Int(Integer::Int, int)),
        (_, _, Some(float)) => Ok(Value::Float(float)),
        _ => Err(Fault::invalid("a number is too large")),
    }
}

fn wrong_kind(kind: Kind) -> Fault {
    Fault::invalid(format!("an argument has to be {}", kind.described()))
}

/// Returns the value if a function takes it: Go converts nothing.
fn fitted(value: Value, kind: Kind) -> Result<Value, Fault> {
    match (&value, kind) {
        (_, Kind::Reflected) => Ok(value),
        (Value::Missing, Kind::Any | Kind::Map) => Ok(Value::Nil),
        (_, Kind::Any)
        | (Value::Text(_), Kind::Text)
        | (Value::Int(Integer::Int, _), Kind::Int)
        | (Value::Bool(_), Kind::Bool)
        | (Value::Float(_), Kind::Float)
        | (Value::Map(super::value::Items::Any, _), Kind::Map) => Ok(value),
        _ => Err(Fault::invalid(format!(
            "an argument has to be {}, and is {}",
            kind.described(),
            print::type_of(&value)
        ))),
    }
}
