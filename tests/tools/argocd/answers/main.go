// Answers questions about addresses, revisions, sources and projects with the code of Argo CD itself. Each line of standard input is a question as
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
	// A project, and what an Application of it may want.
	Project *v1alpha1.AppProject `json:"project,omitempty"`
	Wanted  wanted               `json:"wanted,omitempty"`
}

type wanted struct {
	Sources []string `json:"sources,omitempty"`
	// Clusters that are known by both, and a namespace.
	Destinations []v1alpha1.ApplicationDestination `json:"destinations,omitempty"`
	Kinds        []kind                            `json:"kinds,omitempty"`
	// Namespaces of Applications; Argo CD itself is in `argocd`.
	Namespaces []string `json:"namespaces,omitempty"`
}

type kind struct {
	schema.GroupKind
	Name       string
	Namespaced bool
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
	// Whether the project permits each of the things that are wanted.
	Permitted permitted `json:"permitted"`
}

type permitted struct {
	Sources      []bool `json:"sources"`
	Destinations []bool `json:"destinations"`
	Kinds        []bool `json:"kinds"`
	Namespaces   []bool `json:"namespaces"`
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
	if q.Project != nil {
		found, err := permits(*q.Project, q.Wanted)
		return answer{Permitted: found}, err
	}
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

func permits(project v1alpha1.AppProject, wanted wanted) (permitted, error) {
	found := permitted{Sources: []bool{}, Destinations: []bool{}, Kinds: []bool{}, Namespaces: []bool{}}
	for _, url := range wanted.Sources {
		found.Sources = append(found.Sources, project.IsSourcePermitted(v1alpha1.ApplicationSource{RepoURL: url}))
	}
	for _, wanted := range wanted.Destinations {
		cluster := &v1alpha1.Cluster{Server: wanted.Server, Name: wanted.Name}
		is, err := project.IsDestinationPermitted(cluster, wanted.Namespace, func(string) ([]*v1alpha1.Cluster, error) { return nil, nil })
		if err != nil {
			return found, err
		}
		found.Destinations = append(found.Destinations, is)
	}
	for _, kind := range wanted.Kinds {
		found.Kinds = append(found.Kinds, project.IsGroupKindNamePermitted(kind.GroupKind, kind.Name, kind.Namespaced))
	}
	for _, namespace := range wanted.Namespaces {
		app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}
		found.Namespaces = append(found.Namespaces, project.IsAppNamespacePermitted(app, "argocd"))
	}
	return found, nil
}
