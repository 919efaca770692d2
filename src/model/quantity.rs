//! Quantities of Kubernetes, as `5Gi`.

/// The units and what they multiply by ([source](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)).
const UNITS: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
];

/// Returns the number that a quantity means; `None` where it is none.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let exa = || Some((text.strip_suffix('E')?, 1e18));
    let (digits, factor) = unit.or_else(exa).unwrap_or((text, 1.0));
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        for (text, expected) in [
            ("5Gi", Some(5_368_709_120.0)),
            ("5G", Some(5e9)),
            ("500m", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("2E", Some(2e18)),
            ("128974848", Some(128_974_848.0)),
            ("", None),
            ("Gi", None),
            ("inf", None),
            ("much", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
