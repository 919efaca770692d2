package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	jsonpatch "github.com/evanphx/json-patch/v5"
	utiljson "k8s.io/apimachinery/pkg/util/json"
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
	if err != nil || !strings.ContainsAny(string(before[:1]), "{[") {
		return answer{}
	}
	result := answer{Readable: true}
	patch, err := jsonpatch.DecodePatch(given.Patch)
	if err != nil {
		result.MustRefuse = err.Error()
		return result
	}
	if !isStandard(patch) {
		if given.After != nil {
			if _, err := asJSON(*given.After); err != nil {
				result.Wrong = fmt.Sprintf("Go cannot read the output: %v", err)
			}
		}
		return result
	}
	// JSON may have a key twice, of which the last counts; the library would take out one of them.
	once, err := json.Marshal(value(before))
	if err != nil {
		panic(err)
	}
	wanted, err := patch.Apply(once)
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

// Reports whether Go's library follows RFC 6902 in a patch: it makes no document of what is neither a map nor a list, takes an
// empty key for the map itself, copies the document as it was before the patch, and tests no value that holds a null.
func isStandard(patch jsonpatch.Patch) bool {
	isOdd := func(path string) bool { return path == "" || strings.Contains(path+"/.", "//") }
	return !slices.ContainsFunc(patch, func(operation jsonpatch.Operation) bool {
		path, _ := operation.Path()
		from, err := operation.From()
		return operation.Kind() == "test" || isOdd(path) || err == nil && isOdd(from)
	})
}

// Reads a stream of one document as Argo CD does.
func asJSON(text string) ([]byte, error) {
	documents, err := kube.SplitYAMLToString([]byte(text))
	if err != nil {
		return nil, err
	}
	if len(documents) != 1 {
		return nil, errors.New("it is not one document")
	}
	return []byte(documents[0]), nil
}

// Returns the value with the numbers that Kubernetes keeps.
func value(json []byte) (value any) {
	if err := utiljson.Unmarshal(json, &value); err != nil {
		panic(err)
	}
	return value
}
