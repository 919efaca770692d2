// Checks what the fuzzers of `cargo xtask fuzz` made, with the code that Argo CD itself reads manifests, patches and paths with,
// and with the storage rules written a second time. Each line of standard input is a batch of cases as JSON, each line of
// standard output the answers to it, in the order of the cases.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

type batch struct {
	Target string            `json:"target"`
	Cases  []json.RawMessage `json:"cases"`
}

// What is thought of a case.
type answer struct {
	// Whether Argo CD's own code takes the input.
	Readable bool `json:"readable"`
	// Why the program has to refuse the input, if it has to.
	MustRefuse string `json:"mustRefuse,omitempty"`
	// Why the program may refuse the input as well.
	MayRefuse string `json:"mayRefuse,omitempty"`
	// What is wrong with what the program did.
	Wrong string `json:"wrong,omitempty"`
}

func main() {
	// Nearly all that it allocates is garbage after the batch: to collect it later halves the time.
	debug.SetGCPercent(800)
	if err := run(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(input *bufio.Reader, output io.Writer) error {
	answers := json.NewEncoder(output)
	for {
		line, err := input.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		} else if err != nil {
			return err
		}
		var request batch
		if err := json.Unmarshal(line, &request); err != nil {
			return fmt.Errorf("a batch cannot be read: %w", err)
		}
		check, err := target(request.Target)
		if err != nil {
			return err
		}
		if err := answers.Encode(all(request.Cases, check)); err != nil {
			return err
		}
	}
}

func target(name string) (func(json.RawMessage) answer, error) {
	switch name {
	case "stream":
		return with(checkStream), nil
	case "patch":
		return with(checkPatch), nil
	case "generate-paths":
		return with(checkPaths), nil
	}
	return nil, fmt.Errorf("the target %q is unknown", name)
}

func with[T any](check func(T) answer) func(json.RawMessage) answer {
	return func(text json.RawMessage) (result answer) {
		defer func() {
			if cause := recover(); cause != nil {
				result = answer{Wrong: fmt.Sprintf("the oracle panics: %v", cause)}
			}
		}()
		var value T
		if err := json.Unmarshal(text, &value); err != nil {
			return answer{Wrong: fmt.Sprintf("the oracle cannot read the case: %v", err)}
		}
		return check(value)
	}
}

// Checks the cases on all cores.
func all(cases []json.RawMessage, check func(json.RawMessage) answer) []answer {
	answers := make([]answer, len(cases))
	places := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for place := range places {
				answers[place] = check(cases[place])
			}
		}()
	}
	for place := range cases {
		places <- place
	}
	close(places)
	workers.Wait()
	return answers
}
