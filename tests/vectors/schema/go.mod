module homelab.test/vectors/schema

go 1.26.0

require (
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	helm.sh/helm/v4 v4.2.1
)

require golang.org/x/text v0.38.0 // indirect
