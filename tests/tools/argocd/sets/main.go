// Expands ApplicationSets and evaluates their templates with the code of Argo CD itself. Each line of standard input is a case
// as JSON, or a batch of cases that a fuzzer made; each line of standard output its answer, or the answers to the batch. They come
// in the order of the cases.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

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

	// What the program makes of the set, and whether the order is undefined.
	Found     []v1alpha1.Application `json:"found,omitempty"`
	Unordered bool                   `json:"unordered,omitempty"`

	// Instead of all that: a batch.
	Cases []json.RawMessage `json:"cases,omitempty"`
}

type answer struct {
	Applications []v1alpha1.Application `json:"applications,omitempty"`
	Text         *string                `json:"text,omitempty"`
	Error        string                 `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.PanicLevel)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	defer func() {
		if made != "" {
			os.RemoveAll(made)
		}
	}()
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for number := 1; ; number++ {
		var asked question
		if err := input.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("case %d: %w", number, err)
		}
		if err := output.Encode(asked.reply()); err != nil {
			return err
		}
	}
}

// Answers a question, or the questions of a batch.
func (q question) reply() any {
	if q.Cases == nil {
		return q.answer()
	}
	verdicts := make([]verdict, len(q.Cases))
	for place, text := range q.Cases {
		var asked question
		if err := json.Unmarshal(text, &asked); err != nil {
			verdicts[place] = verdict{MustRefuse: fmt.Sprintf("the case cannot be read: %v", err)}
			continue
		}
		verdicts[place] = asked.verdict()
	}
	return verdicts
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
	control := cluster{secrets: q.Clusters}
	terminal := map[string]generators.Generator{
		"List":     generators.NewListGenerator(),
		"Git":      generators.NewGitGenerator(repository(q.Files), "argocd"),
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
