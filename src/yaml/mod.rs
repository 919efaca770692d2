//! Text ⇄ tree: documents as Go splits them, values as Go reads them, JSON Patch into text. Knows nothing of Kubernetes.
