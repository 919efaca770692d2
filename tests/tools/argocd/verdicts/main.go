// Says what Argo CD's own packages say of Applications whose schema is right. Each line of standard input is an Application
// as JSON, each line of standard output the list of its faults; they come in the order of the Applications. Clusters,
// repositories and projects are taken to be there: manifests alone don't say.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/app/path"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/db"
)

func main() {
	root, err := os.MkdirTemp("", "verdicts")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	input := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	output := json.NewEncoder(os.Stdout)
	for {
		var app v1alpha1.Application
		if err := input.Decode(&app); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := output.Encode(faults(&app, root)); err != nil {
			log.Fatal(err)
		}
	}
}

func faults(app *v1alpha1.Application, root string) []string {
	found := []string{}
	spec := argo.NormalizeApplicationSpec(&app.Spec)
	project := &v1alpha1.AppProject{Spec: v1alpha1.AppProjectSpec{
		SourceRepos:  []string{"*"},
		Destinations: []v1alpha1.ApplicationDestination{{Server: "*", Namespace: "*"}},
	}}
	conditions, err := argo.ValidatePermissions(context.Background(), spec, project, clusters{})
	if err != nil {
		found = append(found, err.Error())
	}
	for _, condition := range conditions {
		found = append(found, condition.Message)
	}
	sources := spec.GetSources()
	if spec.SourceHydrator != nil {
		sources = []v1alpha1.ApplicationSource{spec.SourceHydrator.GetDrySource()}
	}
	for _, source := range sources {
		if _, err := source.ExplicitType(); err != nil {
			found = append(found, err.Error())
		}
		// A path that is not there is no fault here: the repository is not there.
		if _, err := path.Path(root, source.Path); err != nil && source.Chart == "" && err.Error() != source.Path+": "+path.ErrMessageAppPathDoesNotExist {
			found = append(found, err.Error())
		}
	}
	return found
}

// Knows every cluster.
type clusters struct{ db.ArgoDB }

func (clusters) GetCluster(_ context.Context, server string) (*v1alpha1.Cluster, error) {
	return &v1alpha1.Cluster{Server: server}, nil
}

func (clusters) GetClusterServersByName(_ context.Context, name string) ([]string, error) {
	return []string{"https://" + name}, nil
}
