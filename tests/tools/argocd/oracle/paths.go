package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/app/path"
	securejoin "github.com/cyphar/filepath-securejoin"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An annotation `manifest-generate-paths` before and after it was extended.
type annotation struct {
	Before string `json:"before"`
	// Null where it covers all reads already.
	After *string `json:"after"`
	// The folders of the sources, and what they read.
	Sources []string `json:"sources"`
	Reads   []string `json:"reads"`
}

func checkPaths(given annotation) answer {
	after := given.Before
	if given.After != nil {
		after = *given.After
		if !strings.Contains(after, strings.TrimRight(given.Before, ";")) {
			return answer{Readable: true, Wrong: "paths of the annotation are gone"}
		}
	}
	for _, read := range given.Reads {
		if filepath.Ext(read) == "" {
			read += "/x.yaml"
		}
		for _, source := range given.Sources {
			if cause := uncovered(after, source, read); cause != "" {
				return answer{Readable: true, Wrong: fmt.Sprintf("%q of the source %q %s by %q", read, source, cause, after)}
			}
		}
	}
	// Argo CD watches what a glob matches, and sends nothing for it: the program leaves globs out.
	if given.After != nil && !strings.ContainsAny(given.Before, "*?[") {
		isMissing := func(read string) bool {
			return slices.ContainsFunc(given.Sources, func(source string) bool {
				// It may be a file or a folder.
				return uncovered(given.Before, source, read) != "" || uncovered(given.Before, source, read+"/x.yaml") != ""
			})
		}
		if !slices.ContainsFunc(given.Reads, isMissing) {
			return answer{Readable: true, Wrong: fmt.Sprintf("%q covers everything, and became %q", given.Before, after)}
		}
	}
	return answer{Readable: true}
}

// Returns how a file escapes Argo CD: its change renders nothing, or the plugin does not get it.
func uncovered(annotation, source, read string) string {
	app := v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{
		Annotations: map[string]string{v1alpha1.AnnotationKeyManifestGeneratePaths: annotation},
	}}
	paths := path.GetSourceRefreshPaths(&app, v1alpha1.ApplicationSource{Path: source})
	if !path.AppFilesHaveChanged(paths, []string{read}) {
		return "is not watched"
	}
	root := rootPath(annotation, filepath.Join("/repo", source), "/repo")
	if file := filepath.Join("/repo", read); file != root && !strings.HasPrefix(file, strings.TrimRight(root, "/")+"/") {
		return "is not sent (" + root + ")"
	}
	return ""
}

// What Argo CD sends to a plugin, by its own algorithm, which is private
// (https://github.com/argoproj/argo-cd/blob/v3.5.7/reposerver/repository/utils.go, getApplicationRootPath).
func rootPath(annotation, appPath, repoPath string) string {
	common := strings.Split(appPath, "/")
	disjoint, any := false, false
	for entry := range strings.SplitSeq(annotation, ";") {
		if entry == "" {
			continue
		}
		if !filepath.IsAbs(entry) {
			entry = filepath.Join(strings.TrimPrefix(strings.TrimPrefix(appPath, repoPath), "/"), entry)
		}
		joined, err := securejoin.SecureJoin(repoPath, filepath.Clean(entry))
		if err != nil {
			continue
		}
		any = true
		parts := strings.Split(joined, "/")
		shorter := min(len(common), len(parts))
		for index := range shorter {
			if common[index] != parts[index] {
				common, disjoint = common[:index], true
				break
			}
		}
		if !disjoint && shorter < len(common) {
			common = common[:shorter]
		}
	}
	if !any {
		return repoPath
	}
	return "/" + filepath.Join(common...)
}
