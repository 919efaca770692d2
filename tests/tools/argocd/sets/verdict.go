package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// What is thought of what the program made of a set.
type verdict struct {
	// Whether Argo CD's own code expands it.
	Readable bool `json:"readable"`
	// Why the program has to refuse it, if it has to.
	MustRefuse string `json:"mustRefuse,omitempty"`
	// What is wrong with what the program did.
	Wrong string `json:"wrong,omitempty"`
}

func (q question) verdict() verdict {
	given := q.answer()
	if given.Error != "" {
		return verdict{MustRefuse: given.Error}
	}
	// A set that is refused has none, and it is said by the one who asks.
	if q.Found == nil {
		return verdict{Readable: true}
	}
	return verdict{Readable: true, Wrong: q.difference(given.Applications)}
}

// Returns the first difference between what the program and Argo CD made, if there is one.
func (q question) difference(expected []v1alpha1.Application) string {
	if len(q.Found) != len(expected) {
		return fmt.Sprintf("the number of Applications: is %d, not %d", len(q.Found), len(expected))
	}
	if q.Unordered {
		for _, list := range [][]v1alpha1.Application{q.Found, expected} {
			slices.SortFunc(list, func(a, b v1alpha1.Application) int { return strings.Compare(a.Name, b.Name) })
		}
	}
	for place := range expected {
		found, err := plain(q.Found[place])
		if err != nil {
			return err.Error()
		}
		wanted, err := plain(expected[place])
		if err != nil {
			return err.Error()
		}
		if difference := differing("", found, wanted); difference != "" {
			return difference
		}
	}
	return ""
}

// Returns an Application as its JSON says it, without what Go makes by itself.
func plain(application v1alpha1.Application) (any, error) {
	application.APIVersion, application.Kind = "", ""
	text, err := json.Marshal(application)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	err = json.Unmarshal(text, &tree)
	delete(tree, "status")
	return tree, err
}

func differing(place string, found, wanted any) string {
	left, isMap := found.(map[string]any)
	right, areMaps := wanted.(map[string]any)
	if isMap && areMaps {
		keys := slices.Collect(maps.Keys(left))
		keys = append(keys, slices.Collect(maps.Keys(right))...)
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			if difference := differing(place+"/"+key, left[key], right[key]); difference != "" {
				return difference
			}
		}
		return ""
	}
	if reflect.DeepEqual(found, wanted) {
		return ""
	}
	is, _ := json.Marshal(found)
	not, _ := json.Marshal(wanted)
	return fmt.Sprintf("%s: is %s, not %s", place, is, not)
}
