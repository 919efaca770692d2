use super::*;
use serde_json::json;

fn read(text: &str) -> Value {
    Tree::parse(text).unwrap().value().unwrap()
}

fn refused(text: &str) -> String {
    Tree::parse(text).and_then(|tree| tree.value()).unwrap_err().to_string()
}

#[test]
fn keys_are_read_as_values_are() {
    assert_eq!(
        read("yes: 1\nno: 2\n0644: 3\n1.0: 4\n\"on\": 5\n"),
        json!({"true": 1, "false": 2, "420": 3, "1": 4, "on": 5})
    );
    assert_eq!(refused("m:\n  ~: 1\n"), "2:3: a key is null");
    assert_eq!(refused("[a]: 1\n"), "1:1: a key is a collection");
}

#[test]
fn merges_follow_the_order_of_the_document() {
    let text = "a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\nc:\n  <<: *x\n  q: 3\nd:\n  <<: [{p: 1}, {p: 2, r: 3}]\n";
    assert_eq!(
        read(text),
        json!({"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3}, "d": {"p": 1, "r": 3}})
    );
    assert_eq!(read("'<<': {p: 1}\n"), json!({"<<": {"p": 1}}));
    assert_eq!(
        refused("<<: 1\n"),
        "1:5: a merge key has neither a mapping nor a list of mappings"
    );
}

#[test]
fn the_last_of_two_equal_keys_wins() {
    assert_eq!(read("a: 1\nb: 2\na: 3\n"), json!({"a": 3, "b": 2}));
    assert_eq!(read("y: 1\ntrue: 2\n"), json!({"true": 2}));
    assert!(refused("1: a\n\"1\": b\n").contains("stands twice"));
    assert!(refused("\"1\": a\n1: b\n").contains("stands twice"));
}

#[test]
fn aliases_are_expanded_within_bounds() {
    assert_eq!(read("a: &x [1]\nb: *x\n"), json!({"a": [1], "b": [1]}));
    assert!(refused("a: &x [*x]\n").contains("contains itself"));
    let bomb = |levels: usize| {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..levels {
            let below = level - 1;
            text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 10].join(","));
        }
        text
    };
    assert!(Tree::parse(&bomb(3)).unwrap().value().is_ok());
    assert!(refused(&bomb(4)).contains("excessively large"));
}

#[test]
fn hostile_input_is_an_error_soon() {
    for text in [
        "[".repeat(100_000),
        "- ".repeat(3000),
        (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        "{a: ".repeat(5000),
    ] {
        assert!(Tree::parse(&text).is_err());
    }
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 10_000].join(", ")
    );
    assert!(refused(&long).contains("excessively large"));
    let escapes = format!("{{\"a\": [{}]}}", vec!["\"\\/\""; 100_000].join(", "));
    assert!(Tree::parse(&escapes).is_ok());
    let chain: String = std::iter::once("a0: &a0 [1]\n".to_owned())
        .chain((1..1000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)))
        .collect();
    assert!(refused(&chain).contains("deeper"));
    let wide: String = (0..100_000).map(|key| format!("k{key}: 1\n")).collect();
    assert_eq!(read(&wide).as_object().map(Map::len), Some(100_000));
    let long = format!("a: {}\n", "x".repeat(1_000_000));
    assert_eq!(read(&long)["a"].as_str().map(str::len), Some(1_000_000));
}

#[test]
fn what_readers_disagree_on_is_refused() {
    assert!(refused("a: \"x\u{2028}y\"\n").starts_with("1:6: "));
    assert!(refused("a: b\u{7}\n").contains("control"));
    assert!(refused("a: |+\n  x\n  ").contains("without a line end"));
    assert!(refused("a: \"\u{feff}\"\nb: 1\n").contains("a byte order mark"));
    assert_eq!(read("a: \"\u{feff}x\"\n")["a"], "\u{feff}x");
    assert!(refused("%YAML 1.1\n---\na: 1\n").starts_with("1:1: "));
}
