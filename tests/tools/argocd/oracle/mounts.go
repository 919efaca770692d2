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
	SubPath   string `json:"subPath"`
	Path      string `json:"path"`
	Kind      string `json:"kind"`
	Workload  string `json:"workload"`
	Container string `json:"container"`
	Gid       *int64 `json:"gid"`
}

// Puts a mount into its workload, or returns why that has to be refused.
func (app application) mount(entry mount, earlier []mount, objects []tree, claims claims) string {
	object, refusal := app.workload(entry, objects)
	if refusal != "" {
		return refusal
	}
	template := podTemplate(object)
	spec := child(template, "spec")
	container, refusal := containerOf(entry, template)
	if refusal != "" {
		return refusal
	}
	mayWrite := claims.mayWrite(app.Namespace, entry.Claim)
	name, isThere := "", false
	volumes, _ := spec["volumes"].([]any)
	for _, volume := range volumes {
		volume, ok := volume.(tree)
		if ok && !isThere && text(child(volume, "persistentVolumeClaim"), "claimName") == entry.Claim && !slices.Contains(templates(object), text(volume, "name")) {
			name, isThere = text(volume, "name"), true
		}
	}
	if !isThere {
		name = volumeName(entry.Claim)
		taken := slices.ContainsFunc(items(spec, "volumes"), func(volume tree) bool { return volume["name"] == name })
		if taken || slices.Contains(templates(object), name) {
			return "the name of the volume is taken"
		}
		claim := tree{"claimName": entry.Claim}
		if !mayWrite {
			claim["readOnly"] = true
		}
		add(spec, "volumes", tree{"name": name, "persistentVolumeClaim": claim})
	}
	if refusal := app.intoContainer(entry, earlier, object, container, name, mayWrite); refusal != "" {
		return refusal
	}
	if entry.Gid != nil {
		group(spec, *entry.Gid)
	}
	return ""
}

func (app application) intoContainer(entry mount, earlier []mount, object, container tree, volume string, mayWrite bool) string {
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

// Returns the workload that is named, else the only one that is no hook.
func (app application) workload(entry mount, objects []tree) (tree, string) {
	var found []tree
	for _, object := range objects {
		if podTemplate(object) == nil || !app.isHere(object) {
			continue
		}
		annotations := child(child(object, "metadata"), "annotations")
		_, helmHook := annotations["helm.sh/hook"].(string)
		_, hook := annotations["argocd.argoproj.io/hook"].(string)
		isMeant := !helmHook && !hook
		if entry.Workload != "" {
			isMeant = nameOf(object) == entry.Workload && (entry.Kind == "" || text(object, "kind") == entry.Kind)
		}
		if isMeant {
			found = append(found, object)
		}
	}
	if len(found) != 1 {
		return nil, "no workload or more than one is meant"
	}
	return found[0], ""
}

func podTemplate(object tree) tree {
	spec := child(object, "spec")
	switch (groupKind{groupOf(object), text(object, "kind")}) {
	case groupKind{"", "Pod"}:
		return withSpec(object)
	case groupKind{"batch", "CronJob"}:
		return withSpec(child(child(child(spec, "jobTemplate"), "spec"), "template"))
	}
	template := withSpec(child(spec, "template"))
	if _, ok := child(template, "spec")["containers"]; !ok {
		return nil
	}
	return template
}

func withSpec(template tree) tree {
	if child(template, "spec") == nil {
		return nil
	}
	return template
}

// Returns the container that is named, else the template's default container, else the first.
func containerOf(entry mount, template tree) (tree, string) {
	spec := child(template, "spec")
	named := func(name string) tree {
		for _, list := range []string{"containers", "initContainers"} {
			for _, container := range items(spec, list) {
				if text(container, "name") == name {
					return container
				}
			}
		}
		return nil
	}
	if entry.Container != "" {
		if container := named(entry.Container); container != nil {
			return container, ""
		}
		return nil, "there is no container of this name"
	}
	preferred, ok := child(child(template, "metadata"), "annotations")["kubectl.kubernetes.io/default-container"].(string)
	if ok {
		if container := named(preferred); container != nil {
			return container, ""
		}
	}
	if containers := items(spec, "containers"); len(containers) > 0 {
		return containers[0], ""
	}
	return nil, "the workload has no container"
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
