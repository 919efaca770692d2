package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The storage rules, written from their description and not from the program's code.
type application struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Owns      []string `json:"owns"`
	Writes    []string `json:"writes"`
	Mounts    []mount  `json:"mounts"`
}

type tree = map[string]any

// Makes the objects follow the rules, or returns why they have to be refused.
func (app application) follow(objects []any) string {
	flat, refusal := flatten(objects)
	if refusal != "" {
		return refusal
	}
	if len(flat) == 0 {
		return "the render is empty"
	}
	claims := app.claims(flat)
	for index, mount := range app.Mounts {
		if refusal := app.mount(mount, app.Mounts[:index], flat, claims); refusal != "" {
			return refusal
		}
	}
	for _, object := range flat {
		if refusal := app.object(object, claims); refusal != "" {
			return refusal
		}
	}
	return ""
}

// Takes lists apart, lists in lists too. Every object needs apiVersion, kind and a name.
func flatten(values []any) (flat []tree, refusal string) {
	for _, value := range values {
		object, ok := value.(tree)
		if !ok {
			return nil, "an item is no object"
		}
		if items, ok := object["items"].([]any); ok {
			inner, refusal := flatten(items)
			if refusal != "" {
				return nil, refusal
			}
			flat = append(flat, inner...)
			continue
		}
		if isNullList(object) {
			continue
		}
		metadata := child(object, "metadata")
		if text(object, "apiVersion") == "" || text(object, "kind") == "" || text(metadata, "name")+text(metadata, "generateName") == "" {
			return nil, "an object is incomplete"
		}
		flat = append(flat, object)
	}
	return flat, ""
}

func (app application) object(object tree, claims claims) string {
	group, kind := groupOf(object), text(object, "kind")
	switch {
	case group == "" && (kind == "PersistentVolumeClaim" || kind == "PersistentVolume"):
		if recreated(object, "Force=true", "Replace=true") {
			return "Argo CD would recreate " + kind
		}
		guard(object)
		annotations, labels := metadataMap(object, "annotations"), metadataMap(object, "labels")
		annotations["helm.sh/resource-policy"] = "keep"
		labels["storage.home.arpa/owner"] = app.Name
		labels["kor/used"] = "true"
		return ""
	case group == "" && kind == "Namespace":
		if recreated(object, "Force=true") {
			return "Argo CD would recreate the Namespace"
		}
		guard(object)
		return ""
	case group == "apps" && kind == "StatefulSet":
		if refusal := app.retains(object); refusal != "" {
			return refusal
		}
	}
	search := search{claims: claims}
	search.walk(object, scope{manifest: manifest{namespace: app.Namespace}})
	return search.refusal
}

// A StatefulSet must not delete a claim of `owns`.
func (app application) retains(object tree) string {
	policy := child(child(object, "spec"), "persistentVolumeClaimRetentionPolicy")
	deletes := text(policy, "whenDeleted") == "Delete" || text(policy, "whenScaled") == "Delete"
	if !deletes || !app.isHere(object) {
		return ""
	}
	for _, template := range templates(object) {
		for _, claim := range app.Owns {
			if isNumbered(claim, template+"-"+nameOf(object)) {
				return "a StatefulSet deletes an owned claim"
			}
		}
	}
	return ""
}

func (app application) isHere(object tree) bool {
	namespace := text(child(object, "metadata"), "namespace")
	return namespace == "" || namespace == app.Namespace
}

const (
	syncOptions    = "argocd.argoproj.io/sync-options"
	compareOptions = "argocd.argoproj.io/compare-options"
)

func recreated(object tree, options ...string) bool {
	annotations := child(child(object, "metadata"), "annotations")
	for _, hook := range []string{"helm.sh/hook", "argocd.argoproj.io/hook"} {
		if _, ok := annotations[hook].(string); ok {
			return true
		}
	}
	entries := split(text(annotations, syncOptions))
	return slices.ContainsFunc(options, func(option string) bool { return slices.Contains(entries, option) })
}

func guard(object tree) {
	annotations := metadataMap(object, "annotations")
	annotations[syncOptions] = merged(text(annotations, syncOptions), func(entries []string) []string {
		out := []string{}
		for _, entry := range entries {
			key, _, isPair := strings.Cut(entry, "=")
			key = strings.TrimSpace(key)
			isGuard := isPair && (key == "Prune" || key == "Delete")
			if isGuard {
				entry = key + "=false"
			}
			if !isGuard || !slices.Contains(out, entry) {
				out = append(out, entry)
			}
		}
		for _, entry := range []string{"Prune=false", "Delete=false"} {
			if !slices.Contains(out, entry) {
				out = append(out, entry)
			}
		}
		return out
	})
	annotations[compareOptions] = merged(text(annotations, compareOptions), func(entries []string) []string {
		if slices.Contains(entries, "IgnoreExtraneous") {
			return entries
		}
		return append(slices.Clone(entries), "IgnoreExtraneous")
	})
}

// A list that needs no change stays as it is written.
func merged(list string, change func([]string) []string) string {
	before := split(list)
	after := change(before)
	if slices.Equal(before, after) {
		return list
	}
	return strings.Join(after, ",")
}

func split(list string) (entries []string) {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// Which claims the Application may write, by namespace and name.
type claims struct {
	app      application
	rendered map[[2]string]bool
	// Namespace and what the names begin with.
	numbered [][2]string
}

func (app application) claims(objects []tree) claims {
	found := claims{app: app, rendered: map[[2]string]bool{}}
	for _, object := range objects {
		namespace := text(child(object, "metadata"), "namespace")
		if namespace == "" {
			namespace = app.Namespace
		}
		add := func(name string) { found.rendered[[2]string{namespace, name}] = true }
		spec := child(object, "spec")
		switch (groupKind{groupOf(object), text(object, "kind")}) {
		case groupKind{"", "PersistentVolumeClaim"}, groupKind{"cdi.kubevirt.io", "DataVolume"}:
			add(nameOf(object))
		case groupKind{"grafana.integreatly.org", "Grafana"}:
			if _, ok := spec["persistentVolumeClaim"]; ok {
				add(nameOf(object) + "-pvc")
			}
		case groupKind{"kubevirt.io", "VirtualMachine"}:
			for _, template := range items(spec, "dataVolumeTemplates") {
				add(nameOf(template))
			}
		}
		for _, template := range templates(object) {
			found.numbered = append(found.numbered, [2]string{namespace, template + "-" + nameOf(object)})
		}
	}
	return found
}

func (claims claims) mayWrite(namespace, name string) bool {
	app := claims.app
	if claims.rendered[[2]string{namespace, name}] {
		return true
	}
	if namespace == app.Namespace && (slices.Contains(app.Owns, name) || slices.Contains(app.Writes, name)) {
		return true
	}
	return slices.ContainsFunc(claims.numbered, func(made [2]string) bool {
		return made[0] == namespace && isNumbered(name, made[1])
	})
}

var ordinal = regexp.MustCompile(`^-[0-9]+$`)

func isNumbered(claim, prefix string) bool {
	rest, ok := strings.CutPrefix(claim, prefix)
	return ok && ordinal.MatchString(rest)
}

// Returns the names of a StatefulSet's templates of claims.
func templates(object tree) (names []string) {
	group := groupOf(object)
	if text(object, "kind") != "StatefulSet" || group != "apps" && group != "apps.kruise.io" {
		return nil
	}
	for _, template := range items(child(object, "spec"), "volumeClaimTemplates") {
		if name, ok := child(template, "metadata")["name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// Kubernetes' names of claims: DNS subdomains.
var claimName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func isClaimName(name string) bool { return len(name) <= 253 && claimName.MatchString(name) }

func groupOf(object tree) string {
	group, _, ok := strings.Cut(text(object, "apiVersion"), "/")
	if !ok {
		return ""
	}
	return group
}

func nameOf(object tree) string { return text(child(object, "metadata"), "name") }

func text(object tree, key string) string {
	value, _ := object[key].(string)
	return value
}

func child(object tree, key string) tree {
	value, _ := object[key].(tree)
	return value
}

// Returns the maps in a list.
func items(object tree, key string) (maps []tree) {
	values, _ := object[key].([]any)
	for _, value := range values {
		if value, ok := value.(tree); ok {
			maps = append(maps, value)
		}
	}
	return maps
}

func metadataMap(object tree, key string) tree {
	metadata := child(object, "metadata")
	if _, ok := metadata[key].(tree); !ok {
		metadata[key] = tree{}
	}
	return child(metadata, key)
}

func isTrue(object tree, key string) bool { return object[key] == true }

func refuse(format string, values ...any) string { return fmt.Sprintf(format, values...) }
