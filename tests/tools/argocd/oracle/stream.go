package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// A stream before and after `filter`.
type stream struct {
	Application application `json:"application"`
	Before      string      `json:"before"`
	// Null where the program refuses the stream.
	After *string `json:"after"`
}

func checkStream(given stream) answer {
	before, err := read(given.Before)
	if err != nil {
		// Argo CD refuses it. Where the program makes something readable of it, that has to follow the rules.
		if given.After != nil && *given.After != given.Before {
			if after, readable := read(*given.After); readable == nil {
				want := runtime.DeepCopyJSONValue(list(after)).([]any)
				refusal := given.Application.follow(want)
				if found := difference("", want, list(after)); refusal+found != "" {
					return answer{Wrong: fmt.Sprintf("the output does not follow the rules: %s%s", refusal, found)}
				}
			}
		}
		return answer{}
	}
	want := runtime.DeepCopyJSONValue(list(before)).([]any)
	refusal := given.Application.follow(want)
	result := answer{Readable: true, MustRefuse: refusal}
	if given.After == nil {
		if readsLess(given.Before) {
			result.MayRefuse = "Argo CD would read less than is written"
		}
		return result
	}
	if refusal != "" {
		result.Wrong = "it has to be refused: " + refusal
		return result
	}
	after, err := read(*given.After)
	if err != nil {
		result.Wrong = fmt.Sprintf("Argo CD cannot read the output: %v", err)
		return result
	}
	if len(after) != len(before) {
		result.Wrong = fmt.Sprintf("%d objects came in, %d go out", len(before), len(after))
		return result
	}
	result.Wrong = difference("", want, list(after))
	untouched := difference("", list(before), want) == ""
	if result.Wrong == "" && untouched && *given.After != given.Before {
		result.Wrong = "nothing was to be changed, and the text has changed"
	}
	return result
}

func list(objects []map[string]any) []any {
	all := make([]any, len(objects))
	for index, object := range objects {
		all[index] = object
	}
	return all
}
