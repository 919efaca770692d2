// Answers questions about addresses, revisions and sources with the code of Argo CD itself. Each line of standard input is a question as
// JSON, each line of standard output its answer; they come in the order of the questions.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/sirupsen/logrus"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/git"
	"github.com/argoproj/argo-cd/v3/util/versions"
	"github.com/argoproj/argo-cd/v3/util/webhook"
)

type question struct {
	// Two addresses; the first is that of a repository's page.
	Addresses []string `json:"addresses,omitempty"`
	// A targetRevision, and the tags that there are.
	Revision string   `json:"revision,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	// A source of an Application.
	Source *v1alpha1.ApplicationSource `json:"source,omitempty"`
}

type answer struct {
	// Whether a webhook about the first address counts for an Application with the second one.
	Notified bool `json:"notified"`
	// Whether both addresses take the same credentials, or are one repository of `ref`.
	Paired bool `json:"paired"`
	// The tag or other revision that the targetRevision means.
	Revision string `json:"revision"`
	// Whether the targetRevision is a constraint.
	Constraint bool `json:"constraint"`
	// Whether the source is rendered at the same time as others of its repository.
	Concurrent bool `json:"concurrent"`
}

func main() {
	logrus.SetOutput(io.Discard)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	input.DisallowUnknownFields()
	for number := 1; ; number++ {
		var asked question
		if err := input.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("question %d: %w", number, err)
		}
		given, err := asked.answer()
		if err != nil {
			return fmt.Errorf("question %d: %w", number, err)
		}
		if err := output.Encode(given); err != nil {
			return err
		}
	}
}

func (q question) answer() (answer, error) {
	if q.Source != nil {
		return answer{Concurrent: q.Source.AllowsConcurrentProcessing()}, nil
	}
	if len(q.Addresses) != 2 {
		revision, err := versions.MaxVersion(q.Revision, q.Tags, "")
		if err != nil {
			// Argo CD takes it for the name of a branch, tag or commit then.
			revision = q.Revision
		}
		return answer{Revision: revision, Constraint: versions.IsConstraint(q.Revision)}, nil
	}
	expression, err := webhook.GetWebURLRegex(q.Addresses[0])
	if err != nil {
		return answer{}, err
	}
	return answer{
		Notified: expression.MatchString(q.Addresses[1]),
		Paired:   git.SameURL(q.Addresses[0], q.Addresses[1]),
	}, nil
}
