//! Lines below lines, drawn as a tree.

/// One line, with what is below it.
pub(super) struct Node {
    pub(super) text: String,
    pub(super) below: Vec<Node>,
}

impl Node {
    /// Returns a line with nothing below it.
    pub(super) fn leaf(text: String) -> Self {
        Self {
            text,
            below: Vec::new(),
        }
    }
}

/// Draws lines with what is below them.
pub(super) fn drawn(tops: &[Node]) -> String {
    let mut text = String::new();
    tops.iter().for_each(|node| draw(node, "", "", &mut text));
    text
}

fn draw(node: &Node, first: &str, others: &str, text: &mut String) {
    text.push_str(&format!("{first}{}\n", node.text));
    let last = node.below.len().saturating_sub(1);
    for (index, below) in node.below.iter().enumerate() {
        let (first, rest) = if index == last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        draw(below, &format!("{others}{first}"), &format!("{others}{rest}"), text);
    }
}
