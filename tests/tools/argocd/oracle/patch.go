package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// A document before and after a patch.
type patched struct {
	Before string          `json:"before"`
	Patch  json.RawMessage `json:"patch"`
	// Null where the program refuses.
	After *string `json:"after"`
}

func checkPatch(given patched) answer {
	before, err := asJSON(given.Before)
	if err != nil {
		return answer{}
	}
	result := answer{Readable: true}
	patch, err := jsonpatch.DecodePatch(given.Patch)
	if err != nil {
		result.MustRefuse = err.Error()
		return result
	}
	if changesRoot(patch) || hasEmptyKey(patch) {
		return answer{}
	}
	wanted, err := patch.Apply(before)
	if err != nil {
		result.MustRefuse = err.Error()
		if given.After != nil {
			result.Wrong = fmt.Sprintf("Go refuses the patch: %v", err)
		}
		return result
	}
	if given.After == nil {
		return result
	}
	after, err := asJSON(*given.After)
	if err != nil {
		result.Wrong = fmt.Sprintf("Go cannot read the output: %v", err)
		return result
	}
	result.Wrong = difference("", value(wanted), value(after))
	return result
}

// Go's library makes no document of what is neither a map nor a list.
func changesRoot(patch jsonpatch.Patch) bool {
	return slices.ContainsFunc(patch, func(operation jsonpatch.Operation) bool {
		path, err := operation.Path()
		return err == nil && path == ""
	})
}

// Go's library takes an empty key for the map itself, other than RFC 6901 does.
func hasEmptyKey(patch jsonpatch.Patch) bool {
	return slices.ContainsFunc(patch, func(operation jsonpatch.Operation) bool {
		path, _ := operation.Path()
		from, _ := operation.From()
		return strings.Contains(path+"/.", "//") || strings.Contains(from+"/.", "//")
	})
}

// Reads one document, as the decoder of Kubernetes does that splits streams.
func asJSON(text string) ([]byte, error) {
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	if string(json) == "null" {
		return nil, errors.New("the document is empty")
	}
	return json, nil
}

// Returns the value with the numbers that Kubernetes keeps.
func value(json []byte) (value any) {
	if err := utilyaml.Unmarshal(json, &value); err != nil {
		panic(err)
	}
	return value
}
