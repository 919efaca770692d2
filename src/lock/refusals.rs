//! What the API server counts: the requests that each policy has refused since the server was started.

use std::collections::BTreeMap;

use super::policies;

/// The counter of the decisions of admission policies
/// ([source](https://kubernetes.io/docs/reference/instrumentation/metrics/)).
const COUNTER: &str = "apiserver_validating_admission_policy_check_total{";

/// Returns the number of refusals of each policy of the lock, by the metrics of an API server.
pub fn refusals(metrics: &str) -> BTreeMap<&'static str, u64> {
    let mut counts: BTreeMap<&'static str, u64> = policies().iter().map(|policy| (policy.name, 0)).collect();
    for line in metrics.lines().filter_map(|line| line.strip_prefix(COUNTER)) {
        let Some((labels, count)) = line.rsplit_once('}') else {
            continue;
        };
        let has = |label: &str, value: &str| labels.split(',').any(|pair| pair == format!("{label}=\"{value}\""));
        // The server prints floats: 1e+06.
        let count = count
            .split_whitespace()
            .next()
            .and_then(|count| count.parse::<f64>().ok());
        for (name, sum) in &mut counts {
            if has("enforcement_action", "deny") && has("policy", name) {
                *sum += whole(count.unwrap_or_default());
            }
        }
    }
    counts
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a counter is whole and never negative"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_by_policy() {
        let metrics = "# HELP apiserver_validating_admission_policy_check_total [BETA] x\n\
            apiserver_validating_admission_policy_check_total{enforcement_action=\"allow\",error_type=\"no_error\",policy=\"owned-claims-stay\",policy_binding=\"owned-claims-stay\"} 7\n\
            apiserver_validating_admission_policy_check_total{enforcement_action=\"deny\",error_type=\"no_error\",policy=\"owned-claims-stay\",policy_binding=\"owned-claims-stay\"} 3\n\
            apiserver_validating_admission_policy_check_total{enforcement_action=\"deny\",error_type=\"invalid_error\",policy=\"owned-claims-stay\",policy_binding=\"owned-claims-stay\"} 1e+00\n\
            apiserver_validating_admission_policy_check_total{enforcement_action=\"deny\",error_type=\"no_error\",policy=\"another\",policy_binding=\"another\"} 9\n";
        let counts = refusals(metrics);
        assert_eq!(counts["owned-claims-stay"], 4);
        assert_eq!(counts["namespaces-with-claims-stay"], 0);
    }
}
