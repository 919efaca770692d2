package main

import (
	"slices"
	"strconv"
	"strings"
)

// A pod spec: a map with a list of containers, in any kind and in a manifest inside another object.
type pod struct {
	manifest
	spec tree
	// What has the spec, and a pod's metadata where it is a template.
	template tree
	// The keys that lead to the spec.
	path string
	// Names of volumes that a StatefulSet's controller fills in.
	made []string
}

// Kinds of which docs/kinds-that-mount-claims.md says that somebody read their CRD, by group, as far as they are generated.
var readOnlyIsKept = map[string][]string{
	"":                        {"Pod", "PodTemplate", "ReplicationController"},
	"apps":                    {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
	"apps.kruise.io":          {"CloneSet", "StatefulSet"},
	"argoproj.io":             {"Rollout"},
	"batch":                   {"CronJob", "Job"},
	"grafana.integreatly.org": {"Grafana"},
	"jobset.x-k8s.io":         {"JobSet"},
	"keda.sh":                 {"ScaledJob"},
	"monitoring.coreos.com":   {"Prometheus"},
	"serving.knative.dev":     {"Service"},
	"sparkoperator.k8s.io":    {"ScheduledSparkApplication", "SparkApplication"},
}

func (of groupKind) keepsReadOnly() bool { return slices.Contains(readOnlyIsKept[of.group], of.kind) }

// Reports whether what looks like a manifest inside of this kind is none: its fields are known.
func (of groupKind) holdsNone() bool {
	return of.group == "" || of.group == "apps" || of.group == "batch" || of.keepsReadOnly()
}

func (pod pod) isUsual() bool {
	places := []string{"/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"}
	return slices.Contains(places, pod.path) && pod.keepsReadOnly()
}

// Returns the pods of an object that are in the Application's namespace.
func (app application) pods(object tree, namespace string) []pod {
	found := scope{manifest: manifest{namespace: app.Namespace}}.pods(object, nil, "")
	return slices.DeleteFunc(found, func(pod pod) bool { return pod.namespace != namespace })
}

func (scope scope) pods(value any, above tree, path string) (found []pod) {
	switch value := value.(type) {
	case []any:
		for index, item := range value {
			found = append(found, scope.pods(item, nil, path+"/"+strconv.Itoa(index))...)
		}
	case tree:
		inner, ok := scope.enter(value)
		if !ok {
			return nil
		}
		// Volumes that stand apart from their containers are of no single pod.
		if hasContainers(value) && standApart[inner.groupKind] == nil {
			found = append(found, pod{manifest: inner.manifest, spec: value, template: above, path: path, made: inner.made})
		}
		for key, entry := range value {
			found = append(found, inner.pods(entry, value, path+"/"+strings.ReplaceAll(key, "/", "~1"))...)
		}
	}
	return found
}
