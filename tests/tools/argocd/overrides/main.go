// Merges the files of overrides in a source's folder over the source with the code of Argo CD itself. Each line of standard input
// is a case as JSON, each line of standard output its answer; they come in the order of the cases.
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
	"strings"

	"github.com/sirupsen/logrus"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	"github.com/argoproj/argo-cd/v3/util/argo"
)

type question struct {
	// The source as it stands in the Application.
	Source json.RawMessage `json:"source"`
	// The name of the Application's instance.
	Instance string `json:"instance"`
	// The files in the source's folder.
	Files map[string]string `json:"files"`
}

type answer struct {
	// The source with the overrides; also where it has two tools.
	Source *v1alpha1.ApplicationSource `json:"source,omitempty"`
	// The tool that renders it.
	Type  v1alpha1.ApplicationSourceType `json:"type,omitempty"`
	Error string                         `json:"error,omitempty"`
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
	var source v1alpha1.ApplicationSource
	if err := yaml.UnmarshalStrict(q.Source, &source); err != nil {
		return answer{}, err
	}
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		return answer{}, err
	}
	defer os.RemoveAll(folder)
	for name, text := range q.Files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return answer{}, err
		}
	}
	// The controller does this before it asks the repo-server.
	spec := argo.NormalizeApplicationSpec(&v1alpha1.ApplicationSpec{Source: &source})
	merged := spec.Source
	tool, err := repository.GetAppSourceType(context.Background(), merged, folder, folder, q.Instance, nil, nil, nil)
	if err != nil {
		return answer{Source: merged, Error: strings.ReplaceAll(err.Error(), folder+"/", "")}, nil
	}
	return answer{Source: merged, Type: tool}, nil
}
