// Expands ApplicationSets and evaluates their templates with the code of Argo CD itself. Each line of standard input is a case
// as JSON, each line of standard output its answer; they come in the order of the cases.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// One of both: a set with the files of its repository, or a template with its parameters.
type question struct {
	Set      string            `json:"set,omitempty"`
	Files    map[string]string `json:"files,omitempty"`
	Clusters []corev1.Secret   `json:"clusters,omitempty"`

	Template string         `json:"template,omitempty"`
	Params   map[string]any `json:"params,omitempty"`
	Options  []string       `json:"options,omitempty"`
}

type answer struct {
	Applications []v1alpha1.Application `json:"applications,omitempty"`
	Text         *string                `json:"text,omitempty"`
	Error        string                 `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for number := 1; ; number++ {
		var asked question
		if err := input.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("case %d: %w", number, err)
		}
		if err := output.Encode(asked.answer()); err != nil {
			return err
		}
	}
}

// Argo CD's controller ends a reconciliation that panics with an error.
func (q question) answer() (given answer) {
	defer func() {
		if cause := recover(); cause != nil {
			given = answer{Error: fmt.Sprint(cause)}
		}
	}()
	if q.Set == "" {
		text, err := (&utils.Render{}).Replace(q.Template, q.Params, true, q.Options)
		if err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Text: &text}
	}
	applications, err := q.expand()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Applications: applications}
}

func (q question) expand() ([]v1alpha1.Application, error) {
	var set v1alpha1.ApplicationSet
	if err := yaml.UnmarshalStrict([]byte(q.Set), &set); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := q.write(folder); err != nil {
		return nil, err
	}
	control := cluster{secrets: q.Clusters}
	terminal := map[string]generators.Generator{
		"List":     generators.NewListGenerator(),
		"Git":      generators.NewGitGenerator(repository{folder}, "argocd"),
		"Clusters": generators.NewClusterGenerator(control, "argocd"),
	}
	nested := with(terminal, terminal)
	applications, _, err := template.GenerateApplications(
		logrus.NewEntry(logrus.StandardLogger()), set, with(terminal, nested), &utils.Render{}, control)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, application := range applications {
		// As the controller does, in a private function (`validateGeneratedApplications`).
		if names[application.Name] {
			return nil, fmt.Errorf("ApplicationSet %s contains applications with duplicate name: %s", set.Name, application.Name)
		}
		names[application.Name] = true
	}
	return applications, nil
}

func with(terminal, inner map[string]generators.Generator) map[string]generators.Generator {
	all := map[string]generators.Generator{
		"Matrix": generators.NewMatrixGenerator(inner),
		"Merge":  generators.NewMergeGenerator(inner),
	}
	for name, generator := range terminal {
		all[name] = generator
	}
	return all
}

func (q question) write(folder string) error {
	for path, text := range q.Files {
		file := filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, arguments := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		if out, err := exec.Command("git", append([]string{"-C", folder}, arguments...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("git: %w: %s", err, out)
		}
	}
	return nil
}

// What the repo-server answers about a checkout
// (https://github.com/argoproj/argo-cd/blob/v3.5.7/reposerver/repository/repository.go, GetGitFiles and GetGitDirectories).
type repository struct {
	folder string
}

func (r repository) GetFiles(_ context.Context, _, _, _, pattern string, _ bool, _ *v1alpha1.SourceIntegrity) (map[string][]byte, error) {
	if pattern == "" {
		pattern = "."
	}
	listed, err := exec.Command("git", "-C", r.folder, "ls-files", "--full-name", "-z", "--", pattern).Output()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for path := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		if path == "" {
			continue
		}
		if files[path], err = os.ReadFile(filepath.Join(r.folder, path)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (r repository) GetDirectories(_ context.Context, _, _, _ string, _ bool, _ *v1alpha1.SourceIntegrity) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(r.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == r.folder {
			return err
		}
		if strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(r.folder, path)
		paths = append(paths, relative)
		return err
	})
	return paths, err
}

// An API server with cluster Secrets and any AppProject.
type cluster struct {
	client.Client
	secrets []corev1.Secret
}

func (c cluster) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}

func (c cluster) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var wanted client.ListOptions
	wanted.ApplyOptions(options)
	found := list.(*corev1.SecretList)
	for _, secret := range c.secrets {
		if secret.Namespace == wanted.Namespace && wanted.LabelSelector.Matches(labels(secret.Labels)) {
			found.Items = append(found.Items, secret)
		}
	}
	return nil
}

type labels map[string]string

func (l labels) Has(name string) bool { _, has := l[name]; return has }

func (l labels) Get(name string) string { return l[name] }

func (l labels) Lookup(name string) (string, bool) { value, has := l[name]; return value, has }
