package main

import (
	"slices"
	"strings"
)

type groupKind struct{ group, kind string }

// The nearest manifest around a place.
type manifest struct {
	groupKind
	namespace string
	inside    bool
}

// What holds for a part of an object.
type scope struct {
	manifest
	// The key above.
	above string
	// Where volumes stand apart from their containers: the keys that are left down to it, and whether it is reached.
	apart   []string
	isApart bool
	isDisks bool
	// The volumes that are mounted below, by name: whether they are made read-only.
	volumes map[string]bool
	// Names that a StatefulSet's controller fills in.
	made []string
}

type search struct {
	claims  claims
	refusal string
}

func (search *search) refuse(format string, values ...any) {
	if search.refusal == "" {
		search.refusal = refuse(format, values...)
	}
}

// Holds neither workloads nor claims that something of this object mounts.
var passedOver = map[groupKind]bool{
	{"", "PersistentVolume"}:                             true,
	{"", "PersistentVolumeClaim"}:                        true,
	{"apiextensions.k8s.io", "CustomResourceDefinition"}: true,
	{"argoproj.io", "Application"}:                       true,
	{"argoproj.io", "ApplicationSet"}:                    true,
	{"argoproj.io", "AppProject"}:                        true,
}

// Kinds of Kubernetes and of Prometheus that have no field for a pod or a claim: the API server drops one or refuses it.
var closed = map[string][]string{
	"":                             {"ConfigMap", "Endpoints", "LimitRange", "ResourceQuota", "Secret", "Service", "ServiceAccount"},
	"admissionregistration.k8s.io": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"},
	"apiregistration.k8s.io":       {"APIService"},
	"autoscaling":                  {"HorizontalPodAutoscaler"},
	"monitoring.coreos.com":        {"PodMonitor", "PrometheusRule", "ServiceMonitor"},
	"networking.k8s.io":            {"Ingress", "IngressClass", "NetworkPolicy"},
	"policy":                       {"PodDisruptionBudget"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"CSIDriver", "StorageClass"},
}

// Where the volumes of a kind stand apart from its containers.
var standApart = map[groupKind][]string{
	{"argoproj.io", "Workflow"}:                           {"spec"},
	{"argoproj.io", "WorkflowTemplate"}:                   {"spec"},
	{"argoproj.io", "ClusterWorkflowTemplate"}:            {"spec"},
	{"argoproj.io", "CronWorkflow"}:                       {"spec", "workflowSpec"},
	{"sparkoperator.k8s.io", "SparkApplication"}:          {"spec"},
	{"sparkoperator.k8s.io", "ScheduledSparkApplication"}: {"spec", "template"},
	{"kubevirt.io", "VirtualMachine"}:                     {"spec", "template", "spec"},
	{"kubevirt.io", "VirtualMachineInstance"}:             {"spec"},
	{"tekton.dev", "Pipeline"}:                            {"spec"},
	{"tekton.dev", "PipelineRun"}:                         {"spec"},
	{"tekton.dev", "Task"}:                                {"spec"},
	{"tekton.dev", "TaskRun"}:                             {"spec"},
	{"k8up.io", "Restore"}:                                {"spec"},
	{"k8up.io", "Schedule"}:                               {"spec"},
}

func (search *search) walk(value any, scope scope) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			search.walk(item, scope.below(""))
		}
	case tree:
		if inner, ok := scope.enter(value); ok {
			search.entries(value, inner)
		}
	}
}

// Returns the scope below a key.
func (scope scope) below(key string) scope {
	scope.above = key
	if len(scope.apart) > 0 && scope.apart[0] == key {
		scope.apart = scope.apart[1:]
		scope.isApart = len(scope.apart) == 0
		return scope
	}
	scope.apart = nil
	if scope.isDisks {
		scope.isApart = false
	}
	return scope
}

// Returns the scope of a map, which may be a manifest; false where it is passed over.
func (scope scope) enter(value tree) (inner scope, ok bool) {
	apiVersion, isManifest := value["apiVersion"].(string)
	kind, hasKind := value["kind"].(string)
	_, isList := value["items"].([]any)
	if !isManifest || !hasKind || isList || scope.inside && scope.holdsNone() {
		return scope, true
	}
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = ""
	}
	of := groupKind{group, kind}
	if passedOver[of] || slices.Contains(closed[group], kind) {
		// A pod is none of these kinds, and neither is what has no metadata.
		return scope, scope.inside && !isWhole(value)
	}
	namespace := text(child(value, "metadata"), "namespace")
	if _, ok := child(value, "metadata")["namespace"]; !ok {
		namespace = text(value, "namespace")
	}
	if namespace == "" {
		namespace = scope.namespace
	}
	inner = newScope(of, namespace)
	inner.made = templates(value)
	return inner, true
}

func isWhole(value tree) bool {
	isPod := func(value tree) bool {
		_, hasContainers := value["containers"]
		_, hasVolumes := value["volumes"]
		return hasContainers || hasVolumes
	}
	_, hasMetadata := value["metadata"].(tree)
	return hasMetadata && !isPod(value) && !isPod(child(value, "spec"))
}

func newScope(of groupKind, namespace string) scope {
	return scope{
		manifest: manifest{groupKind: of, namespace: namespace, inside: true},
		apart:    standApart[of],
		isDisks:  of.group == "kubevirt.io",
	}
}

func (search *search) entries(value tree, scope scope) {
	volumes, hasVolumes := value["volumes"].([]any)
	isPod := hasVolumes && (hasContainers(value) || scope.isApart)
	if isPod {
		scope.volumes = search.volumes(value, volumes, scope)
	}
	for key, entry := range value {
		if namesClaims(key) {
			search.sources(entry, scope.below(key), scope.above)
			continue
		}
		switch entry := entry.(type) {
		case []any:
			if key == "volumes" && isPod {
				search.belowVolumes(entry, scope.below(key))
				continue
			}
			if key == "volumeMounts" {
				for _, mount := range entry {
					if mount, ok := mount.(tree); ok && scope.volumes[text(mount, "name")] {
						mount["readOnly"] = true
					}
				}
				continue
			}
		case string:
			if writes(scope, key, value) && entry != "" && !search.claims.mayWrite(scope.namespace, entry) {
				search.refuse("%s names the claim %q, which it would write", scope.kind, entry)
			}
			continue
		}
		search.walk(entry, scope.below(key))
	}
}

// A list of maps; a null is an absent field or an empty map.
func hasContainers(value tree) bool {
	containers, ok := value["containers"]
	if !ok || containers == nil {
		return ok
	}
	list, ok := containers.([]any)
	for _, container := range list {
		if _, isMap := container.(tree); !isMap && container != nil {
			return false
		}
	}
	return ok
}

// Makes the volumes of foreign claims read-only; returns for each name whether its mounts have to be.
func (search *search) volumes(pod tree, volumes []any, scope scope) map[string]bool {
	readOnly := map[string]bool{}
	for name, state := range scope.volumes {
		readOnly[name] = state
	}
	for _, volume := range volumes {
		if volume, ok := volume.(tree); ok {
			readOnly[text(volume, "name")] = search.volume(pod, volume, scope)
		}
	}
	return readOnly
}

func (search *search) volume(pod, volume tree, scope scope) bool {
	name := text(volume, "name")
	if slices.Contains(scope.made, name) {
		return false
	}
	if scope.isDisks && scope.isApart && !diskIsReadOnly(pod, name) {
		for _, place := range [][2]string{{"persistentVolumeClaim", "claimName"}, {"dataVolume", "name"}} {
			claim := text(child(volume, place[0]), place[1])
			if claim != "" && !search.claims.mayWrite(scope.namespace, claim) {
				search.refuse("the disk %q of a virtual machine writes the claim %q", name, claim)
				return false
			}
		}
	}
	source, ok := volume["persistentVolumeClaim"]
	if !ok || source == nil {
		return false
	}
	claim, _ := source.(tree)
	claimName := text(claim, "claimName")
	isExpression := scope.group == "argoproj.io" && strings.Contains(scope.kind, "Workflow") && strings.Contains(claimName, "{{") ||
		scope.group == "tekton.dev" && strings.Contains(claimName, "$(")
	if !isExpression && !isClaimName(claimName) {
		search.refuse("the volume %q names the claim %q", name, claimName)
		return false
	}
	if search.claims.mayWrite(scope.namespace, claimName) {
		return false
	}
	claim["readOnly"] = true
	return true
}

func diskIsReadOnly(pod tree, name string) bool {
	devices := child(child(pod, "domain"), "devices")
	for _, disk := range items(devices, "disks") {
		if of, ok := disk["name"].(string); !ok || of != name {
			continue
		}
		for _, kind := range []string{"disk", "lun"} {
			if _, ok := disk[kind]; ok {
				return isTrue(child(disk, kind), "readonly")
			}
		}
		if _, ok := disk["cdrom"]; ok {
			return child(disk, "cdrom")["readonly"] != false
		}
	}
	return false
}

// Looks for claims in what else is in volumes.
func (search *search) belowVolumes(volumes []any, scope scope) {
	for _, volume := range volumes {
		volume, _ := volume.(tree)
		for key, value := range volume {
			switch {
			case key == "persistentVolumeClaim":
			case namesClaims(key):
				search.sources(value, scope.below(key), "")
			default:
				search.walk(value, scope.below(key))
			}
		}
	}
}

func namesClaims(key string) bool { return strings.EqualFold(key, "persistentVolumeClaim") }

// A source, or a list of them; a name alone may mean something else.
func (search *search) sources(value any, scope scope, above string) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			search.sources(item, scope, above)
		}
	case tree:
		search.source(value, scope, above)
	}
}

// A claim's source that is no volume of a pod: it must be the Application's own, or read-only by itself.
func (search *search) source(source tree, scope scope, above string) {
	for key, value := range source {
		if namesClaims(key) {
			search.sources(value, scope.below(key), "")
			continue
		}
		name, isText := value.(string)
		if !isText || !strings.EqualFold(key, "claimName") {
			search.walk(value, scope.below(key))
			continue
		}
		onlyReads := isTrue(source, "readOnly") || scope.group == "kubevirt.io" && above == "ephemeral"
		if name != "" && !onlyReads && !search.claims.mayWrite(scope.namespace, name) {
			search.refuse("%s names the claim %q", scope.kind, name)
		}
	}
}

// Reports whether a kind writes a claim that it names by this key.
func writes(scope scope, key string, beside tree) bool {
	switch scope.groupKind {
	case groupKind{"volsync.backube", "ReplicationDestination"}:
		return key == "destinationPVC"
	case groupKind{"volsync.backube", "ReplicationSource"}:
		_, syncthing := beside["syncthing"]
		return key == "sourcePVC" && syncthing
	case groupKind{"k8up.io", "Restore"}, groupKind{"k8up.io", "Schedule"}:
		return key == "claimName" && scope.above == "folder"
	}
	return false
}
