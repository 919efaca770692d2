// Asks a repo-server of Argo CD for manifests, as the application controller does. Each line of standard input is a
// ManifestRequest as JSON, each line of standard output its answer; they come in the order of the requests.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/tls"
)

// As long as the controller waits.
const timeoutSeconds = 60

type answer struct {
	SourceType string `json:"sourceType,omitempty"`
	// Each is an object as JSON, byte for byte as it came.
	Manifests []string `json:"manifests"`
	Error     string   `json:"error,omitempty"`
}

func main() {
	address := flag.String("repo-server", "127.0.0.1:8081", "where the repo-server listens")
	parallel := flag.Int("parallel", 1, "how many requests are under way at a time")
	flag.Parse()
	if err := run(*address, *parallel); err != nil {
		log.Fatal(err)
	}
}

func run(address string, parallel int) error {
	clients := apiclient.NewRepoServerClientset(address, timeoutSeconds, tls.Configuration{DisableTLS: true})
	connection, client, err := clients.NewRepoServerClient()
	if err != nil {
		return err
	}
	defer connection.Close()
	// Of each request that was read the place where its answer will be, in order.
	places := make(chan chan answer, parallel)
	printed := make(chan error, 1)
	go func() { printed <- write(places) }()
	if err := read(client, places, make(chan struct{}, parallel)); err != nil {
		return err
	}
	return <-printed
}

func read(client apiclient.RepoServerServiceClient, places chan<- chan answer, underWay chan struct{}) error {
	defer close(places)
	input := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	// A field that is spelled wrong would be one that is not asked for.
	input.DisallowUnknownFields()
	for number := 1; ; number++ {
		request := &apiclient.ManifestRequest{}
		if err := input.Decode(request); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("request %d: %w", number, err)
		}
		place := make(chan answer, 1)
		underWay <- struct{}{}
		places <- place
		go func() {
			place <- generate(client, request)
			<-underWay
		}()
	}
}

func generate(client apiclient.RepoServerServiceClient, request *apiclient.ManifestRequest) answer {
	response, err := client.GenerateManifest(context.Background(), request)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{SourceType: response.SourceType, Manifests: response.Manifests}
}

func write(places <-chan chan answer) error {
	output := json.NewEncoder(os.Stdout)
	for place := range places {
		if err := output.Encode(<-place); err != nil {
			return err
		}
	}
	return nil
}
