//! The parameters that only charts have.

use super::Parameters;

impl Parameters {
    /// Returns the name of a parameter that is given and that only charts have, if one is.
    pub fn first_of_helm(&self) -> Option<&'static str> {
        let is_given = [
            ("values-files", !self.values_files.is_empty()),
            ("ignore-missing-values-files", self.ignore_missing_values_files),
            ("values", self.values.is_some()),
            ("helm-parameters", !self.helm_parameters.is_empty()),
            ("helm-string-parameters", !self.helm_string_parameters.is_empty()),
            ("helm-file-parameters", !self.helm_file_parameters.is_empty()),
            ("release-name", self.release_name.is_some()),
            ("namespace", self.namespace.is_some()),
            ("skip-crds", self.skip_crds),
            ("skip-tests", self.skip_tests),
            ("skip-schema-validation", self.skip_schema_validation),
            ("dependency-update", self.dependency_update),
        ];
        let given = is_given.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(name, _)| name)
    }
}
