// Builds Kustomize folders with the code of Argo CD itself, which runs the kustomize on PATH. Each line of standard input is a
// case as JSON, each line of standard output its answer; they come in the order of the cases.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/app/discovery"
	"github.com/argoproj/argo-cd/v3/util/git"
	"github.com/argoproj/argo-cd/v3/util/kustomize"
)

type question struct {
	// The files of the repository.
	Files map[string]string `json:"files"`
	// The folder of the source.
	Path string `json:"path"`
	// The options of the source.
	Kustomize *v1alpha1.ApplicationSourceKustomize `json:"kustomize"`
	// The options of the build.
	BuildOptions string `json:"buildOptions"`
	// The variables that describe the Application.
	Variables map[string]string `json:"variables"`
}

type answer struct {
	// What the folder is taken for.
	Type    string                       `json:"type"`
	Objects []*unstructured.Unstructured `json:"objects"`
	Error   string                       `json:"error,omitempty"`
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
		given, err := asked.answer()
		if err != nil {
			return fmt.Errorf("case %d: %w", number, err)
		}
		if err := output.Encode(given); err != nil {
			return err
		}
	}
}

func (q question) answer() (answer, error) {
	root, err := os.MkdirTemp("", "")
	if err != nil {
		return answer{}, err
	}
	defer os.RemoveAll(root)
	for name, text := range q.Files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return answer{}, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return answer{}, err
		}
	}
	folder := filepath.Join(root, q.Path)
	kind, err := discovery.AppType(context.Background(), folder, root, nil, nil, nil)
	if err != nil {
		return answer{}, err
	}
	given := answer{Type: kind}
	env := v1alpha1.Env{}
	for name, value := range q.Variables {
		env = append(env, &v1alpha1.EnvEntry{Name: name, Value: value})
	}
	app := kustomize.NewKustomizeApp(root, folder, git.NopCreds{}, "", "", "", "")
	options := &v1alpha1.KustomizeOptions{BuildOptions: q.BuildOptions}
	given.Objects, _, _, err = app.Build(q.Kustomize, options, &env, &kustomize.BuildOpts{KubeVersion: "1.36.1"})
	if err != nil {
		given.Error = err.Error()
	}
	return given, nil
}
