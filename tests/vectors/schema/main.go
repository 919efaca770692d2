// Writes references.json and helmignore.json: what the JSON schema library of helm loads for a schema, and what helm's
// .helmignore passes by; written by hand, and drawn by lot with a fixed seed. Run it here with `go run .`, with the
// versions of helm's go.mod in go.mod.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v4/pkg/ignore"
)

var written = []string{
	`{}`,
	`true`,
	`{"$ref": "file:///etc/passwd"}`,
	`{"$ref": "FILE:///etc/passwd"}`,
	`{"$ref": "file:/etc/passwd"}`,
	`{"$ref": "file:etc/passwd"}`,
	`{"$ref": "../../etc/passwd#/x"}`,
	`{"$ref": "/etc/passwd"}`,
	`{"$ref": "//server/etc/passwd"}`,
	`{"$ref": "\\\\server\\share"}`,
	`{"$ref": "c:\\etc\\x.json"}`,
	`{"$ref": "%2e%2e/etc/passwd"}`,
	`{"$ref": " file:///etc/passwd"}`,
	`{"$ref": "values.schema.json#/$defs/a", "$defs": {"a": {"type": "object"}}}`,
	`{"$ref": "./values.schema.json#/$defs/a", "$defs": {"a": {"$ref": "x.json"}}}`,
	`{"$ref": "file:///values.schema.json#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "https://a.example/x/values.schema.json", "properties": {"a": {"$ref": "schemas/pod.json#/a"}}}`,
	`{"$id": "https://a.example/x/", "properties": {"a": {"$ref": "file:///etc/passwd"}}}`,
	`{"$id": "file:///a/b.json", "properties": {"a": {"$ref": "c.json"}}}`,
	`{"$id": "a/b.json", "properties": {"a": {"$ref": "c.json"}}}`,
	`{"$defs": {"a": {"$id": "https://a.example/s.json", "$ref": "t.json"}}, "$ref": "#/$defs/a"}`,
	`{"$defs": {"a": {"$id": "s.json", "type": "object"}}, "$ref": "s.json"}`,
	`{"$defs": {"a": {"$id": "s.json", "$defs": {"b": {"$anchor": "c", "$ref": "t.json"}}}}, "$ref": "s.json#c"}`,
	`{"$defs": {"a": {"$ref": "t.json"}}}`,
	`{"definitions": {"a": {"$ref": "t.json"}}}`,
	`{"default": {"$ref": "t.json"}, "examples": [{"$ref": "t.json"}], "enum": [{"$ref": "t.json"}], "const": {"$ref": "t.json"}}`,
	`{"default": {"$id": "t.json"}, "$ref": "t.json"}`,
	`{"x-own": {"$ref": "t.json"}, "$ref": "#/x-own"}`,
	`{"x-own": {"$id": "https://a.example/", "x": {"$ref": "t.json"}}, "$ref": "#/x-own/x"}`,
	`{"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}`,
	`{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://a.example/", "$ref": "t.json"}`,
	`{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "properties": {"b": {"$ref": "t.json"}}, "definitions": {"a": {}}}`,
	`{"$ref": "#/definitions/a", "properties": {"b": {"$ref": "t.json"}}, "definitions": {"a": {}}}`,
	`{"$schema": "http://json-schema.org/draft-04/schema#", "id": "https://a.example/s.json", "properties": {"a": {"$ref": "t.json"}}}`,
	`{"id": "https://a.example/s.json", "properties": {"a": {"$ref": "t.json"}}}`,
	`{"$schema": "http://json-schema.org/draft-07/schema", "definitions": {"a": {"$id": "#b", "properties": {"x": {"$ref": "t.json"}}}}, "allOf": [{"$ref": "#b"}]}`,
	`{"$schema": "http://json-schema.org/draft-07/schema", "$defs": {"a": {"$id": "t.json"}}, "$ref": "t.json"}`,
	`{"$schema": "http://json-schema.org/draft-07/schema", "$dynamicRef": "t.json", "$recursiveRef": "t.json"}`,
	`{"$schema": "https://json-schema.org/draft/2019-09/schema", "$dynamicRef": "t.json", "$recursiveRef": "#"}`,
	`{"$schema": "file:///etc/passwd"}`,
	`{"$schema": "/etc/passwd"}`,
	`{"$schema": "https://a.example/meta.json"}`,
	`{"$schema": "https://json-schema.org/draft/2020-12/schema#x"}`,
	`{"properties": {"a": {"$schema": "file:///etc/passwd"}}}`,
	`{"properties": {"a": {"$schema": "http://json-schema.org/draft-04/schema", "$id": "https://a.example/", "id": "b", "properties": {"c": {"id": "d.json", "properties": {"e": {"$ref": "f.json"}}}}}}}`,
	`{"$dynamicRef": "t.json#x"}`,
	`{"$dynamicRef": "#x", "$defs": {"a": {"$dynamicAnchor": "x", "$ref": "t.json"}}}`,
	`{"$defs": {"a": {"$dynamicAnchor": "x", "$ref": "t.json"}}}`,
	`{"$defs": {"a": {"$id": "https://a.example/", "$defs": {"b": {"$dynamicAnchor": "x", "$ref": "file:///t.json"}}}}, "$ref": "https://a.example/"}`,
	`{"$recursiveRef": "t.json"}`,
	`{"then": {"$ref": "t.json"}}`,
	`{"if": true, "then": {"$ref": "t.json"}, "else": {"$ref": "u.json"}}`,
	`{"if": false, "then": {"$ref": "t.json"}, "else": {"$ref": "u.json"}}`,
	`{"if": {}, "then": {"$ref": "t.json"}, "else": {"$ref": "u.json"}}`,
	`{"contentSchema": {"$ref": "t.json"}}`,
	`{"contentMediaType": "application/json", "contentSchema": {"$ref": "t.json"}}`,
	`{"additionalItems": {"$ref": "t.json"}}`,
	`{"prefixItems": [{"$ref": "t.json"}]}`,
	`{"$schema": "http://json-schema.org/draft-07/schema#", "prefixItems": [{"$ref": "t.json"}]}`,
	`{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"$ref": "t.json"}]}`,
	`{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}], "additionalItems": {"$ref": "t.json"}}`,
	`{"dependencies": {"a": ["b"], "c": {"$ref": "t.json"}}}`,
	`{"dependentSchemas": {"c": {"$ref": "t.json"}}}`,
	`{"propertyNames": {"$ref": "t.json"}}`,
	`{"patternProperties": {"^x": {"$ref": "t.json"}}}`,
	`{"unevaluatedProperties": {"$ref": "t.json"}}`,
	`{"$ref": "#/allOf/00", "allOf": [{}], "x": [{"$ref": "t.json"}]}`,
	`{"$ref": "#/x/00", "x": [{"$ref": "t.json"}]}`,
	`{"$ref": "#/x/%2B0", "x": [{"$ref": "t.json"}]}`,
	`{"$ref": "#/x~1y/z", "x/y": {"z": {"$ref": "t.json"}}}`,
	`{"$ref": "#/%24defs/a%20b", "$defs": {"a b": {"$ref": "t.json"}}}`,
	`{"$ref": "%41.json", "$defs": {"a": {"$id": "A.json"}}}`,
	`{"$ref": "%41.json", "$defs": {"a": {"$id": "%41.json"}}}`,
	`{"$id": "file:/etc/x.json", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "x.json?", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "x.json?y", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "My Chart", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "größe.json", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$id": "urn:a:b", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "c"}}}`,
	`{"$id": "tag:a,2020:b", "$ref": "#/$defs/a", "$defs": {"a": {}}}`,
	`{"$ref": "urn:a:b"}`,
	`{"$ref": "ftp://a.example/x"}`,
	`{"$ref": "http://json-schema.org/draft-07/schema#"}`,
	`{"$ref": "https://json-schema.org/draft/2020-12/meta/core"}`,
	`{"$ref": "https://json-schema.org/draft/2020-12/other"}`,
	`{"$ref": "https://u:p@a.example/x?token=1#/y"}`,
	`{"$ref": "https:x"}`,
	`{"allOf": [{"$ref": "#/allOf/1"}, {"$ref": "#/allOf/0"}]}`,
	`{"$id": "https://a.example/a/b/c", "allOf": [{"$ref": "../../../../x"}, {"$ref": "./y/../z/."}, {"$ref": "//b.example"}, {"$ref": "?q"}, {"$ref": "/r"}]}`,
	`{"$id": "https://a.example/a", "allOf": [{"$id": "file:///f/", "$ref": "https://b.example/"}, {"$id": "b/", "allOf": [{"$ref": "c"}]}]}`,
}

var urls = []string{
	"", "#", "#/$defs/a", "#/$defs/b", "#/properties/a", "#/x", "#/x/y", "#an", "a.json", "b.json", "./a.json", "../a.json", "d/a.json", "/a.json", "//h/a.json", "?q", "a.json?", "a.json?q",
	"a.json#/$defs/a", "a.json#an", "d/", "d/#/$defs/a", "file:///a.json", "file:/a.json", "file:a.json", "FILE:///a.json", "https://a.example/a.json", "https://a.example/d/", "https://a.example/a.json#/$defs/a",
	"http://a.example", "HTTPS://a.example/a.json", "urn:a:b", "urn:a:b#/$defs/a", "x:y", "%61.json", "a%20b", "a b", "ä", "file:///values.schema.json", "file:///values.schema.json#/$defs/a", "values.schema.json", ".", "..", "*", "c:\\a", "\\a",
	"https:/a.json", "https:/.//a", "file:/.//h/a.json", "///a.json", "a//b.json", "d/..", "d/../a.json", "d/./a.json", "https://a.example/../a.json", "file://h/a.json", "http://json-schema.org/draft-07/schema", "file://a b/c",
}

var drafts = []string{
	"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema",
	"http://json-schema.org/schema", "file:///m.json", "m.json", "https://a.example/m.json",
}

// schema draws a schema.
func schema(random *rand.Rand, depth int) any {
	if depth == 0 || random.Intn(12) == 0 {
		return random.Intn(2) == 0
	}
	out := map[string]any{}
	pick := func(list []string) string { return list[random.Intn(len(list))] }
	for count := 1 + random.Intn(4); count > 0; count-- {
		below := func() any { return schema(random, depth-1) }
		switch keyword := random.Intn(22); keyword {
		case 0, 1, 2, 3:
			out["$ref"] = pick(urls)
		case 4, 5:
			out["$id"] = pick(urls)
		case 6:
			out["id"] = pick(urls)
		case 7:
			out["$schema"] = pick(drafts)
		case 8:
			out[pick([]string{"$dynamicRef", "$recursiveRef"})] = pick(urls)
		case 9:
			out[pick([]string{"$anchor", "$dynamicAnchor"})] = "an"
		case 10, 11, 12:
			out[pick([]string{"$defs", "$defs", "properties", "definitions", "x"})] = map[string]any{pick([]string{"a", "b", "y"}): below(), pick([]string{"a", "b", "y"}): below()}
		case 13, 14:
			out[pick([]string{"allOf", "anyOf", "prefixItems", "items"})] = []any{below(), below()}
		case 15:
			out[pick([]string{"if", "then", "else"})] = below()
		case 16, 17:
			out[pick([]string{"not", "items", "additionalItems", "contains", "propertyNames", "unevaluatedProperties", "contentSchema", "additionalProperties"})] = below()
		case 18:
			out[pick([]string{"dependencies", "dependentSchemas", "patternProperties"})] = map[string]any{"a": below()}
		case 19:
			out[pick([]string{"default", "const", "x"})] = below()
		default:
			out["type"] = "object"
		}
	}
	return out
}

// recorder is a loader that knows nothing and notes what it is asked for.
type recorder struct{ loads []string }

func (r *recorder) Load(address string) (any, error) {
	if !slices.Contains(r.loads, address) {
		r.loads = append(r.loads, address)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch parsed.Scheme {
	case "file":
		return nil, fs.ErrNotExist
	case "http", "https", "urn":
		return true, nil
	}
	return nil, errors.New("no loader")
}

type loaded struct {
	Schema string   `json:"schema"`
	Loads  []string `json:"loads"`
	// Whether the library came to its end: else it may have loaded less than a whole search finds.
	Whole bool `json:"whole"`
}

// loads compiles as helm does.
func loads(text string) (result loaded) {
	result = loaded{Schema: text, Loads: []string{}}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	recorder := &recorder{loads: []string{}}
	defer func() {
		if recover() != nil {
			result.Loads, result.Whole = recorder.loads, false
		}
	}()
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(recorder)
	if err := compiler.AddResource("file:///values.schema.json", document); err != nil {
		panic(err)
	}
	_, err = compiler.Compile("file:///values.schema.json")
	slices.Sort(recorder.loads)
	result.Loads, result.Whole = recorder.loads, err == nil
	return result
}

var rules = []string{
	"charts", "charts/", "/charts", "charts/*", "charts/a", "charts/a/", "/charts/a", "a", "a/", "/a", "*.json", "*.tgz", "values.*", "/values.schema.json", "values.schema.json", "!values.schema.json", "!charts/", "!charts", "?harts", "[a-c]*", "[^a-c]*",
	"charts/**", "[", "a[", "[]a]", "\\a", "a\\", "#a", "", " a ", "!a", "!a/", "!*", "/", "//a", "charts/[ab]/*", "charts/?/values*", "*/a", "*", "*/*", "[a-", "[-]", "[\\-]", "[a-c-e]", "v[a]lues*", "*.*.json", "charts/a-*.tgz", "a*b*c", "**", "é", "[é-ö]*", "values.schema.jso[n", "[!v]*", "[]]", "*a", "*?",
}

var paths = []string{"values.schema.json", "charts", "charts/a", "charts/b", "charts/a/values.schema.json", "charts/b/values.schema.json", "charts/a-1.0.0.tgz", "charts/a/charts/b/values.schema.json", "abc", "a", "[a", "-", "]"}

type info struct{ folder bool }

func (i info) Name() string       { return "" }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return 0 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.folder }
func (i info) Sys() any           { return nil }

type ignored struct {
	Rules   string `json:"rules"`
	Path    string `json:"path"`
	Folder  bool   `json:"folder"`
	Ignored bool   `json:"ignored"`
}

func isIgnored(text, path string, folder bool) ignored {
	rules, err := ignore.Parse(strings.NewReader(text))
	if err != nil {
		rules = ignore.Empty()
	}
	return ignored{text, path, folder, rules.Ignore(path, info{folder})}
}

// write writes a list with a line for each entry.
func write[T any](name string, list []T) {
	lines := []string{}
	for _, entry := range list {
		line, err := json.Marshal(entry)
		if err != nil {
			panic(err)
		}
		lines = append(lines, string(line))
	}
	text := "[\n" + strings.Join(lines, ",\n") + "\n]\n"
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		panic(err)
	}
}

func main() {
	random := rand.New(rand.NewSource(15))
	count := 600
	if len(os.Args) > 1 {
		if _, err := fmt.Sscan(os.Args[1], &count); err != nil {
			panic(err)
		}
	}
	all := []loaded{}
	for _, text := range written {
		all = append(all, loads(text))
	}
	for range count {
		text, err := json.Marshal(schema(random, 4))
		if err != nil {
			panic(err)
		}
		all = append(all, loads(string(text)))
	}
	write("references.json", all)
	found := []ignored{}
	for _, rule := range rules {
		for _, path := range paths {
			for _, folder := range []bool{true, false} {
				found = append(found, isIgnored(rule+"\n", path, folder))
			}
		}
	}
	for range 500 {
		text := rules[random.Intn(len(rules))] + "\n" + rules[random.Intn(len(rules))] + "\r\n"
		found = append(found, isIgnored(text, paths[random.Intn(len(paths))], random.Intn(2) == 0))
	}
	write("helmignore.json", found)
}
