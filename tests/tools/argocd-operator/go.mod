module homelab.test/tools/argocd-operator

go 1.26.0

require github.com/argoproj-labs/argocd-operator v0.18.0
