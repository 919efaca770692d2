// Writes doublestar.json and gobwas.json: what the Go libraries that Argo CD uses answer for globs, written by hand and
// drawn by lot with a fixed seed. Run it here with `go run .`, with the versions of Argo CD's go.mod in go.mod.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/gobwas/glob"
)

var tree = []string{
	"a.yaml", "b.yaml", "c.yml", "values.yaml", "values-home.yaml", ".hidden.yaml", "a[b].yaml", "x{y}.yaml", "star*.yaml",
	"a/values.yaml", "a/x.yaml", "a-b/x.yaml", "a-b/values.yaml", "a.d/x.yaml", "a/b/values.yaml", "a/b/c/values.yaml", "a/b/c/z.json",
	"b/values.yaml", "b/a.yaml", "b/deep/er/x.yaml", "env/dev/values.yaml", "env/dev/secret.yaml", "env/prod/values.yaml", "env/prod/a,b.yaml",
	"env/common.yaml", "env/zz.yaml", "ä/ö.yaml", "Z.yaml", "10.yaml", "9.yaml", "-.yaml", "]x.yaml", "^.yaml", "!.yaml",
}

var patterns = []string{
	"*.yaml", "*", "**", "**/*.yaml", "**/values.yaml", "a/**", "a/**/values.yaml", "**/x.yaml", "*/*.yaml", "*/values.yaml", "env/*/values.yaml",
	"env/**", "env/**/*", "env/*", "env/{dev,prod}/*", "env/{prod,dev}/*.yaml", "{b,a}/values.yaml*", "*/{x,values}.yaml", "{a,a-b,a.d}/*.yaml", "{*/x,b}*",
	"{a,b}/**/*.yaml", "**/{x,values}.yaml", "**/{values,x}.yaml", "{**/x,a}.yaml?", "**/[vx]*.yaml", "[a-c].*", "[!a-c].yaml", "[^a-c].yaml", "[abc].yaml", "[a\\-c].yaml",
	"[]x].yaml", "[\\]]x.yaml", "[-].yaml", "[a-].yaml", "[--a].yaml", "?.yaml", "??.yaml", "values?*", "values*.yaml", "val**.yaml", "***", "*****.yaml", "a***", "a/**x.yaml", "**.yaml",
	"a\\[b\\].yaml*", "a\\[b\\].yaml", "x\\{y\\}.yaml*", "star\\*.yaml", "star\\*.y*", "star[*].yaml", "none/*.yaml", "a.yaml/*", "a.yaml/**", "no*pe", "[", "[]", "[!]", "a[", "{a*", "a}*", "*\\", "a{*}", "{}*", "{,a}*", "{a,}*",
	"{a,{b,c}}*", "{a,b{,/values}}*", "*{.yaml,.yml}", "*.{yaml,yml}", "*.y{a,}ml", "{*.yml,*.yaml}", "{*,a.yaml}", "{b,a}*", "**/{b,c}/**", "**/b/**/values.yaml", "**/**/x.yaml", "a/**/**", "a/*/**/values.yaml", "ä/*", "?/ö.yaml", "[ä]/*", "[à-ö]/*",
	"**/*", "**/", "*/", "*/**", "*/b/*", "{a,b}/*/*", "env/{dev/*,common*}", "env/{common*,dev/*}", "{a/*,a-b/*}", "{a-b/*,a/*}", "*{/x,/values}.yaml", "**/*{x,s}.yaml", "{a,b}/{values,x,a}.yaml*", "{a,b}{/values,}.yaml*", "env/*,*", "env/prod/{a,b}*", "env/prod/[,a]*", "[a-b-c].yaml", "[z-a]*", "[9-]*", "\\*", "\\a*", "[\\a]*", "a/../*.yaml", "./*.yaml",
}

type found struct {
	Pattern string    `json:"pattern"`
	Matches *[]string `json:"matches"`
}

func pick(r *rand.Rand, from []string) string { return from[r.Intn(len(from))] }

func main() {
	dir, _ := os.MkdirTemp("", "g")
	defer os.RemoveAll(dir)
	for _, f := range tree {
		p := filepath.Join(dir, f)
		os.MkdirAll(filepath.Dir(p), 0o755)
		os.WriteFile(p, []byte("x"), 0o644)
	}
	r := rand.New(rand.NewSource(7))
	parts := []string{"*", "**", "/", "/", "a", "b", "x", ".yaml", ".yaml", "values", "?", "[a-c]", "[!v]", "{a,b}", "{x,values}", "{a,env/dev}", "{*,b}", "-", "{,x}", "env", "dev"}
	for i := 0; i < 400; i++ {
		p := ""
		for n := 2 + r.Intn(5); n > 0; n-- {
			p += pick(r, parts)
		}
		patterns = append(patterns, p)
	}
	seen := map[string]bool{}
	var out []found
	for i, p := range patterns {
		c := filepath.Join(dir, p)
		if seen[p] || len(p) > 0 && p[0] == '/' {
			continue
		}
		seen[p] = true
		ms, err := doublestar.FilepathGlob(c)
		if err != nil {
			out = append(out, found{p, nil})
			continue
		}
		rel := []string{}
		for _, m := range ms {
			x, _ := filepath.Rel(dir, m)
			rel = append(rel, x)
		}
		if i > 150 && len(rel) < 2 {
			continue
		}
		out = append(out, found{p, &rel})
	}
	write("doublestar.json", map[string]any{"files": tree, "cases": out})

	names := []string{"a.yaml", "b.yaml", "a/b.yaml", "a/b/c.yaml", "c.yml", "d.json", "some/deep/file.yaml", "file.yaml", "x,y.yaml", "{a}.yaml", "[a].yaml", "a-b.yaml", "aa.yaml", "ab", "abc", "-.yaml", "!.yaml", "*.yaml", "a\\b.yaml", "a", "b", "config/a.yaml", "config/b.json"}
	pats := []string{"*", "**", "*.yaml", "**/*.yaml", "*/b.yaml", "?.yaml", "??.yaml", "a*", "{a,b}.yaml", "{a*,b*}.yaml", "{a.yaml,b.yaml}", "{*.yaml,*.json}", "*.{yaml,yml}", "{some/*,a.yaml}", "{config/a.yaml,config/b.json}", "{config,some}/*", "[ab].yaml", "[a-b].yaml", "[!a].yaml", "[!a-b].yaml", "[abc-e]*", "[a-]*", "[-a].yaml", "[!-a]*", "[]a]*", "[]", "[", "[a", "[b-a]", "[a-bc]", "[\\]a]*", "\\*.yaml", "\\{a\\}.yaml", "\\[a\\].yaml", "a\\\\b.yaml", "x,y*", "x\\,y*", "{x\\,y,b}.yaml", "}", "a}", "{a", "{a,b", "{{a,b},c}*", "{,a}b*", "a{,b}", "a{,b}c", "{}", "{}a*", "***", "a**b*", "*a*b*", "*{a,b}*", "{*a,b*}", "{*a*,b}*", "*/{a,b}*", "{a,b}{.yaml,c,}", "a?b*", "a[-]b*", "[!]", "[!!]*", "\\", "a\\", "*\\", "", "*.y?ml", "{a,b}*{l,n}", "config/{a,b}.{yaml,json}", "{config/**,some/**}", "!a.yaml", "^a", "some/**", "some/*/file.yaml"}
	alphabet := []string{"*", "?", "a", "b", "c", "/", ".yaml", "[ab]", "[!a]", "[a-c]", "{a,b}", "{a*,b}", "{,a}", "{a/b,c}", "-", ".", "config", "\\*"}
	for i := 0; i < 600; i++ {
		p := ""
		for n := 2 + r.Intn(5); n > 0; n-- {
			p += pick(r, alphabet)
		}
		pats = append(pats, p)
	}
	node := []string{"*", "?", "a", "b", "a/", ".yaml", ".yml", "[ab]", "[!a]", "config/", "b", "*"}
	text := []string{"a", "b", "ab", "abc", "a/", ".yaml", ".yml", ".json", "config/", "b/c"}
	seq := func(from []string, most int) string {
		s := ""
		for n := 1 + r.Intn(most); n > 0; n-- {
			s += pick(r, from)
		}
		return s
	}
	for i := 0; i < 1500; i++ {
		n := 2 + r.Intn(3)
		var alts []string
		pre, post := "", ""
		if r.Intn(3) == 0 {
			pre = pick(r, node)
		}
		if r.Intn(3) == 0 {
			post = pick(r, node)
		}
		for ; n > 0; n-- {
			alts = append(alts, pre+seq(node, 4)+post)
		}
		pats = append(pats, "{"+strings.Join(alts, ",")+"}")
		p := ""
		for k := 1 + r.Intn(4); k > 0; k-- {
			if r.Intn(2) == 0 {
				p += "{" + seq(text, 1) + "," + seq(text, 2) + "," + seq(text, 1) + "}"
			} else {
				p += pick(r, node)
			}
		}
		pats = append(pats, p)
	}
	var gout []found
	seen = map[string]bool{}
	for i, p := range pats {
		if seen[p] {
			continue
		}
		seen[p] = true
		g, err := glob.Compile(p)
		if err != nil {
			gout = append(gout, found{p, nil})
			continue
		}
		ms := []string{}
		func() {
			// Some globs make the library index out of range.
			defer func() {
				if recover() != nil {
					ms = []string{"crash"}
				}
			}()
			for _, n := range names {
				if g.Match(n) {
					ms = append(ms, n)
				}
			}
		}()
		if i > 75 && (len(ms) == 0 || len(ms) == len(names)) {
			continue
		}
		gout = append(gout, found{p, &ms})
	}
	write("gobwas.json", map[string]any{"names": names, "cases": gout})
}

func write(file string, v any) {
	f, _ := os.Create(file)
	defer f.Close()
	m := v.(map[string]any)
	fmt.Fprintln(f, "{")
	for _, k := range []string{"files", "names"} {
		if l, ok := m[k]; ok {
			b, _ := json.Marshal(l)
			fmt.Fprintf(f, "%q: %s,\n", k, b)
		}
	}
	fmt.Fprintln(f, `"cases": [`)
	cs := m["cases"].([]found)
	for i, c := range cs {
		b, _ := json.Marshal(c)
		comma := ","
		if i == len(cs)-1 {
			comma = ""
		}
		fmt.Fprintf(f, "%s%s\n", b, comma)
	}
	fmt.Fprintln(f, "]}")
}
