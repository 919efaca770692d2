package main

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// An entry of the parameter `mounts`.
type mount struct {
	Claim     string `json:"claim"`
	Namespace string `json:"namespace"`
	SubPath   string `json:"subPath"`
	Path      string `json:"path"`
	Kind      string `json:"kind"`
	Workload  string `json:"workload"`
	Container string `json:"container"`
	Gid       *int64 `json:"gid"`
}

// Puts a mount into its workload, or returns why that has to be refused.
func (app application) mount(entry mount, earlier []mount, objects []tree, claims claims) string {
	if entry.Namespace == "" {
		entry.Namespace = app.Namespace
	}
	object, refusal := app.workload(entry, objects)
	if refusal != "" {
		return refusal
	}
	pod, container, refusal := containerOf(entry, app.pods(object, entry.Namespace))
	if refusal != "" {
		return refusal
	}
	spec := pod.spec
	mayWrite := claims.mayWrite(entry.Namespace, entry.Claim)
	if !mayWrite && !pod.keepsReadOnly() {
		return "the kind may drop that the mount is read-only"
	}
	name, isThere := "", false
	volumes, _ := spec["volumes"].([]any)
	for _, volume := range volumes {
		volume, ok := volume.(tree)
		if ok && !isThere && text(child(volume, "persistentVolumeClaim"), "claimName") == entry.Claim && !slices.Contains(pod.made, text(volume, "name")) {
			name, isThere = text(volume, "name"), true
		}
	}
	if !isThere {
		name = volumeName(entry.Claim)
		taken := slices.ContainsFunc(items(spec, "volumes"), func(volume tree) bool { return volume["name"] == name })
		if taken || slices.Contains(pod.made, name) {
			return "the name of the volume is taken"
		}
		claim := tree{"claimName": entry.Claim}
		if !mayWrite {
			claim["readOnly"] = true
		}
		add(spec, "volumes", tree{"name": name, "persistentVolumeClaim": claim})
	}
	if refusal := intoContainer(entry, earlier, container, name, mayWrite); refusal != "" {
		return refusal
	}
	if entry.Gid != nil {
		group(spec, *entry.Gid)
	}
	return ""
}

func intoContainer(entry mount, earlier []mount, container tree, volume string, mayWrite bool) string {
	clean := func(path string) string { return strings.TrimRight(path, "/") }
	for _, mounted := range items(container, "volumeMounts") {
		if clean(text(mounted, "mountPath")) != clean(entry.Path) {
			continue
		}
		for _, other := range earlier {
			if clean(other.Path) == clean(entry.Path) {
				return "two entries mount at one path"
			}
		}
		isSame := text(mounted, "name") == volume && text(mounted, "subPath") == entry.SubPath && mounted["subPathExpr"] == nil
		if !isSame {
			return "something is mounted at this path already"
		}
		return ""
	}
	mounted := tree{"name": volume, "mountPath": entry.Path}
	if !mayWrite {
		mounted["readOnly"] = true
	}
	if entry.SubPath != "" {
		mounted["subPath"] = entry.SubPath
	}
	add(container, "volumeMounts", mounted)
	return ""
}

// Returns the workload that is named. Without a name the only one is meant that is no hook: one with its pod where Kubernetes'
// kinds have it, and another kind only if there is none.
func (app application) workload(entry mount, objects []tree) (tree, string) {
	var named, usual, others []tree
	for _, object := range objects {
		pods := app.pods(object, entry.Namespace)
		if len(pods) == 0 {
			continue
		}
		if nameOf(object) == entry.Workload && (entry.Kind == "" || text(object, "kind") == entry.Kind) {
			named = append(named, object)
		}
		annotations := child(child(object, "metadata"), "annotations")
		_, helmHook := annotations["helm.sh/hook"].(string)
		_, hook := annotations["argocd.argoproj.io/hook"].(string)
		switch {
		case helmHook || hook:
		case slices.ContainsFunc(pods, pod.isUsual):
			usual = append(usual, object)
		default:
			others = append(others, object)
		}
	}
	found := named
	if entry.Workload == "" {
		found = usual
	}
	if entry.Workload == "" && len(usual) == 0 {
		found = others
	}
	if len(found) != 1 {
		return nil, "no workload or more than one is meant"
	}
	return found[0], ""
}

// Returns the pod that has the container that is named, or the only pod with its default container, else its first.
func containerOf(entry mount, pods []pod) (found pod, container tree, refusal string) {
	for _, pod := range pods {
		here := pod.named(entry.Container)
		if entry.Container == "" {
			here = pod.usualContainer()
		}
		if here != nil && container != nil {
			return pod, nil, "more than one pod is meant"
		}
		if here != nil {
			found, container = pod, here
		}
	}
	if container == nil {
		return found, nil, "there is no such container"
	}
	return found, container, ""
}

func (pod pod) named(name string) tree {
	for _, list := range []string{"containers", "initContainers"} {
		for _, container := range items(pod.spec, list) {
			if text(container, "name") == name {
				return container
			}
		}
	}
	return nil
}

func (pod pod) usualContainer() tree {
	preferred, ok := child(child(pod.template, "metadata"), "annotations")["kubectl.kubernetes.io/default-container"].(string)
	if container := pod.named(preferred); ok && container != nil {
		return container
	}
	if containers := items(pod.spec, "containers"); len(containers) > 0 {
		return containers[0]
	}
	return nil
}

func volumeName(claim string) string {
	name := "homelab-" + strings.ReplaceAll(claim, ".", "-")
	if len(name) <= 63 {
		return name
	}
	digest := sha256.Sum256([]byte(claim))
	return name[:54] + "-" + hex.EncodeToString(digest[:4])
}

func add(object tree, key string, value any) {
	list, _ := object[key].([]any)
	object[key] = append(slices.Clone(list), value)
}

func group(spec tree, gid int64) {
	context := child(spec, "securityContext")
	if context == nil {
		context = tree{}
		spec["securityContext"] = context
	}
	groups, _ := context["supplementalGroups"].([]any)
	if !slices.Contains(groups, any(gid)) {
		add(context, "supplementalGroups", gid)
	}
}
