package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// What the repo-server answers about a checkout with these files
// (https://github.com/argoproj/argo-cd/blob/v3.5.7/reposerver/repository/repository.go, GetGitFiles and GetGitDirectories).
type repository map[string]string

func (r repository) GetFiles(_ context.Context, _, _, _, pattern string, _ bool, _ *v1alpha1.SourceIntegrity) (map[string][]byte, error) {
	if pattern == "" {
		pattern = "."
	}
	listed, err := r.list(pattern)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for path := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		if path != "" {
			files[path] = []byte(r[path])
		}
	}
	return files, nil
}

func (r repository) GetDirectories(_ context.Context, _, _, _ string, _ bool, _ *v1alpha1.SourceIntegrity) ([]string, error) {
	tree := fstest.MapFS{}
	for path := range r {
		tree[path] = &fstest.MapFile{}
	}
	var paths []string
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == "." {
			return err
		}
		if strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		paths = append(paths, path)
		return nil
	})
	return paths, err
}

// The object of an empty file. What is in a file makes no difference to its pattern.
const empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"

// A working tree without files.
var working = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "sets")
	if err != nil {
		return "", err
	}
	made = folder
	return folder, git(exec.Command("git", "init", "-q", folder))
})

// The folder of the working tree, once there is one.
var made string

// Lists the files that match a pattern as git does.
func (r repository) list(pattern string) ([]byte, error) {
	folder, err := working()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(filepath.Join(folder, ".git", "index")); err != nil {
		return nil, err
	}
	var entries bytes.Buffer
	for path := range r {
		fmt.Fprintf(&entries, "100644 %s\t%s\x00", empty, path)
	}
	index := exec.Command("git", "-C", folder, "update-index", "-z", "--add", "--index-info")
	index.Stdin = &entries
	if err := git(index); err != nil {
		return nil, err
	}
	return exec.Command("git", "-C", folder, "ls-files", "--full-name", "-z", "--", pattern).Output()
}

func git(command *exec.Cmd) error {
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("git: %w: %s", err, out)
	}
	return nil
}
