//! Why an Application stays as it is.

/// The reason why an Application is not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The obstacle.
    pub message: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
}
