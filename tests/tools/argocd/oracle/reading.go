package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	goyaml "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Reads what a plugin printed as Argo CD does: the plugin's server splits it into JSON, and the repo-server reads that as
// YAML once more and takes lists apart
// (https://github.com/argoproj/argo-cd/blob/v3.5.7/reposerver/repository/repository.go, GenerateManifests).
func read(text string) ([]map[string]any, error) {
	chunks, err := kube.SplitYAMLToString([]byte(text))
	if err != nil {
		return nil, err
	}
	objects := []map[string]any{}
	for _, chunk := range chunks {
		manifests, err := kube.SplitYAML([]byte(chunk))
		if err != nil {
			return nil, err
		}
		for _, manifest := range manifests {
			switch {
			case manifest.IsList():
				err := manifest.EachListItem(func(item runtime.Object) error {
					object, ok := item.(*unstructured.Unstructured)
					if !ok {
						return errors.New("an item of a list is no object")
					}
					objects = append(objects, object.Object)
					return nil
				})
				if err != nil {
					return nil, err
				}
			case isNullList(manifest.Object):
			default:
				objects = append(objects, manifest.Object)
			}
		}
	}
	return objects, nil
}

// Reports whether Argo CD reads less of a stream than is written: behind the first value of a document it looks at nothing, not
// even at what is no YAML.
func readsLess(text string) bool {
	if isJSON(text) {
		return false
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if err != nil {
			return false
		}
		var value any
		decoder := goyaml.NewDecoder(strings.NewReader(string(document)))
		if decoder.Decode(&value) != nil {
			continue
		}
		if !errors.Is(decoder.Decode(&value), io.EOF) {
			return true
		}
	}
}

// Reports whether a stream is nothing but JSON, which is read value by value.
func isJSON(text string) bool {
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// Argo CD drops an object with a null `items` and neither spec nor status.
func isNullList(object map[string]any) bool {
	_, spec := object["spec"]
	_, status := object["status"]
	items, ok := object["items"]
	return ok && items == nil && !spec && !status
}

// Returns the first place where two values differ, as text; empty where they are equal.
func difference(at string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is no map any more", at)
		}
		for key, value := range want {
			other, ok := got[key]
			if !ok {
				return fmt.Sprintf("%s/%s is missing", at, key)
			}
			if found := difference(at+"/"+key, value, other); found != "" {
				return found
			}
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				return fmt.Sprintf("%s/%s should not be there", at, key)
			}
		}
		return ""
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return fmt.Sprintf("%s is another list: want %v, got %v", at, want, got)
		}
		for index, value := range want {
			if found := difference(fmt.Sprintf("%s/%d", at, index), value, got[index]); found != "" {
				return found
			}
		}
		return ""
	}
	if want != got && !sameNumber(want, got) {
		return fmt.Sprintf("%s: want %#v, got %#v", at, want, got)
	}
	return ""
}

// JSON has one kind of number, and Go reads `1e3` as an integer in YAML and as a float in JSON.
func sameNumber(want, got any) bool {
	number := func(value any) (float64, bool) {
		switch value := value.(type) {
		case int64:
			return float64(value), true
		case float64:
			return value, true
		}
		return 0, false
	}
	one, isNumber := number(want)
	other, isOther := number(got)
	return isNumber && isOther && one == other
}
