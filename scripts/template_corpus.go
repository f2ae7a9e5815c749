// Writes what the real text/template of Go makes of a corpus of templates; cli/templates is held to it:
//
//	go run scripts/template_corpus.go > cli/templates/testdata/corpus.jsonl
//
// A line is [template, data, output], or [template, data, null, "parse"], or
// [template, data, null, "execution", line, byte column] for an error, where Go counts columns from 0;
// an output that is not UTF-8 is [template, data, null, "bytes"]. "data" is the index of one of the
// datasets below, which corpus_test.ts has, too.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

type data struct {
	Line    string
	Idx     int
	Words   []string
	Nums    []int
	Anys    []any
	Lists   [][]string
	None    []string
	Map     map[string]string
	Counts  map[string]int
	Mixed   map[string]any
	ByNum   map[int]string
	NoMap   map[string]int
	Nil     any
	Any     any
	Yes, No bool
	Pi      float64
}

func (*data) mark(kind, file string) (string, error) {
	if file == "" {
		return "", errors.New("no file")
	}
	return kind + ":" + file, nil
}
func (d *data) I(file string) (string, error)           { return d.mark("in", file) }
func (d *data) Input(file string) (string, error)       { return d.mark("in", file) }
func (d *data) O(file string) (string, error)           { return d.mark("out", file) }
func (d *data) Output(file string) (string, error)      { return d.mark("out", file) }
func (d *data) IO(file string) (string, error)          { return d.mark("io", file) }
func (d *data) InputOutput(file string) (string, error) { return d.mark("io", file) }
func (d *data) AsFile(text string) (string, error)      { return "file:" + text, nil }

// Set once the data as a whole has been printed, which llama refuses.
var printedWhole bool

func (data) Format(fmt.State, rune) { printedWhole = true }

var lines = []string{"dir/pic 1.png", "é😀<a&b>'\".txt", ""}

func dataset(n int) *data {
	return &data{
		Line: lines[n], Idx: []int{0, 7, 40}[n],
		Words: []string{"ab", "", "é"}, Nums: []int{3, 0, -17},
		Anys: []any{1, "two", nil, 2.5, true}, Lists: [][]string{{"x", "y"}, {}},
		Map: map[string]string{"b": "2", "a": "1", "é": "3"}, Counts: map[string]int{"one": 1, "ten": 10},
		Mixed: map[string]any{"list": []any{"p", 1}, "nil": nil, "s": "t", "m": map[string]any{"k": "v"}},
		ByNum: map[int]string{10: "ten", -1: "minus", 2: "two"},
		Any:   "any", Yes: true, Pi: 3.25,
	}
}

var place = regexp.MustCompile(`^template: t:(\d+):(\d+): executing`)

type corpus struct {
	seen map[string]bool
	out  *bufio.Writer
}

func (c *corpus) add(n int, texts ...string) {
	for _, text := range texts {
		key := strconv.Itoa(n) + text
		if c.seen[key] {
			continue
		}
		c.seen[key] = true
		if row := answer(n, text); row != nil {
			line := new(bytes.Buffer)
			encoder := json.NewEncoder(line)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(row); err != nil {
				panic(err)
			}
			c.out.Write(line.Bytes())
		}
	}
}

// answer gives a row, or nil for what is too long or llama leaves out.
func answer(n int, text string) []any {
	tmpl, err := template.New("t").Parse(text)
	if err != nil {
		return []any{text, n, nil, "parse"}
	}
	var out bytes.Buffer
	printedWhole = false
	err = tmpl.Execute(&out, dataset(n))
	if printedWhole {
		return nil
	}
	if err != nil {
		found := place.FindStringSubmatch(err.Error())
		if found == nil {
			panic(err)
		}
		line, _ := strconv.Atoi(found[1])
		column, _ := strconv.Atoi(found[2])
		return []any{text, n, nil, "execution", line, column}
	}
	if strings.Contains(out.String(), "main.data") || out.Len() > 2000 {
		return nil
	}
	if !utf8.Valid(out.Bytes()) {
		return []any{text, n, nil, "bytes"}
	}
	return []any{text, n, out.String()}
}

func main() {
	c := &corpus{map[string]bool{}, bufio.NewWriter(os.Stdout)}
	defer c.out.Flush()
	for n := range lines {
		c.add(n, readme...)
	}
	c.add(0, actions...)
	c.add(1, actions[:60]...)
	c.add(0, wrong...)
	literals(c)
	trims(c)
	verbs(c)
	functions(c)
	generated(c, 1900)
}

var readme = []string{
	`{{.I .Line}}`, `{{.O (printf "optimized/%s" .Line)}}`, `{{.Input .Line}}`, `{{.Output .Line}}`, `{{.IO .Line}}`,
	`{{.InputOutput .Line}}`, `{{.AsFile .Line}}`, `{{.Idx}}`, `{{.Line}}`, `-out={{.O (printf "%05d-%s" .Idx .Line)}}`,
	`{{.Line | printf "%q" | .AsFile}}`, `{{.Line | .I}}`, `{{printf "out/%s" .Line | .O}}`, `{{slice .Line 0 3}}`,
	`{{len .Line}}`, `{{index .Line 0}}`, `{{slice .Line 1}}`, `{{html .Line}}`, `{{js .Line}}`, `{{urlquery .Line}}`,
	`{{.Line | html | urlquery}}`, `{{printf "%x" .Line}}`, `{{printf "%q" .Line}}`, `{{printf "%+q" .Line}}`, `{{printf "%#q" .Line}}`,
	`{{printf "%-20s|" .Line}}`, `{{printf "%20s|" .Line}}`, `{{printf "%.3s" .Line}}`, `{{printf "%.3q" .Line}}`, `{{printf "% x" .Line}}`,
	`{{if .Line}}yes{{else}}no{{end}}`, `{{with .Line}}<{{.}}>{{else}}none{{end}}`, `{{eq .Line "dir/pic 1.png"}}`, `{{lt .Line "e"}}`, `{{gt .Line "\uffff"}}`,
	`{{if eq .Idx 7}}seven{{else if gt .Idx 7}}more{{else}}less{{end}}`, `{{.I}}`, `{{.I .Idx}}`, `{{.I .Line .Line}}`, `{{.Lin}}`, `{{.I ""}}`,
	`{{slice .Line 0 1}}{{slice .Line 1}}`, `{{slice .Line 0 2}}`, `{{slice .Line 2 6}}`, `{{print (slice .Line 0 1) (slice .Line 1 2)}}`,
}

var actions = strings.Split(strings.TrimSpace(`
plain text
{{"a"}}{{"b"}}
{{if .Yes}}y{{end}}
{{if .No}}y{{end}}
{{if .No}}y{{else}}n{{end}}
{{if .No}}a{{else if .Yes}}b{{else}}c{{end}}
{{if .No}}a{{else if .No}}b{{else if .Words}}c{{end}}
{{if .Nil}}a{{else}}b{{end}}
{{if .None}}a{{else}}b{{end}}
{{if .Counts}}a{{end}}
{{if 0}}a{{else}}b{{end}}
{{if 0.0}}a{{else}}b{{end}}
{{if ""}}a{{else}}b{{end}}
{{if nil}}a{{end}}
{{if .}}a{{end}}
{{if $x := .Line}}{{$x}}{{end}}
{{if $x := ""}}{{$x}}{{else}}[{{$x}}]{{end}}
{{if and .Yes .Line}}a{{end}}
{{if or .No .Line}}a{{end}}
{{if not .Line}}a{{else}}b{{end}}
{{with .Line}}{{.}}{{end}}
{{with .Nil}}{{.}}{{else}}none{{end}}
{{with .Nil}}a{{else with .Line}}{{.}}{{else}}c{{end}}
{{with $x := .Line}}{{$x}}{{.}}{{$.Idx}}{{end}}
{{with .Mixed}}{{.s}}{{.nope}}{{.m.k}}{{end}}
{{with .}}{{.Line}}{{end}}
{{range .Words}}[{{.}}]{{end}}
{{range .None}}[{{.}}]{{else}}none{{end}}
{{range $i, $w := .Words}}{{$i}}={{$w}} {{end}}
{{range $w := .Words}}{{$w}},{{end}}
{{range $k, $v := .Map}}{{$k}}={{$v}} {{end}}
{{range .Map}}{{.}}{{end}}
{{range $k, $v := .ByNum}}{{$k}}={{$v}} {{end}}
{{range $k, $v := .Mixed}}{{$k}}={{$v}} {{end}}
{{range .Anys}}{{.}} {{end}}
{{range 3}}{{.}}{{end}}
{{range 0}}{{.}}{{else}}zero{{end}}
{{range -1}}{{.}}{{else}}minus{{end}}
{{range $i := 3}}{{$i}}{{end}}
{{range $i, $j := 3}}{{$i}}{{end}}
{{range .Idx}}{{.}}{{else}}none{{end}}
{{range index "\x03" 0}}{{.}}{{end}}
{{range "abc"}}{{.}}{{end}}
{{range 1.5}}{{.}}{{end}}
{{range .Yes}}{{.}}{{end}}
{{range .Nil}}{{.}}{{else}}none{{end}}
{{range .Nope}}{{end}}
{{range nil}}{{end}}
{{range .Lists}}{{range .}}{{.}}{{end}};{{end}}
{{range .Nums}}{{if lt . 0}}{{break}}{{end}}{{.}}{{end}}
{{range .Nums}}{{if eq . 0}}{{continue}}{{end}}{{.}}{{end}}
{{range .Nums}}{{with .}}{{continue}}{{end}}x{{end}}
{{range .Words}}{{range $.Nums}}{{break}}{{end}}x{{end}}
{{range .Words}}{{range $.None}}{{else}}{{break}}{{end}}x{{end}}
{{range .Words}}{{range $.None}}{{else}}{{continue}}{{end}}x{{end}}
{{range .None}}{{else}}a{{end}}b
{{$x := 1}}{{$x}}{{$x = 2}}{{$x}}
{{$x := 1}}{{if .Yes}}{{$x = 2}}{{end}}{{$x}}
{{$x := 1}}{{if .Yes}}{{$x := 2}}{{$x}}{{end}}{{$x}}
{{$x := 1}}{{range .Nums}}{{$x = .}}{{end}}{{$x}}
{{$x := 1}}{{range $x = .Nums}}{{$x}},{{end}}{{$x}}
{{$i := 9}}{{$x := 1}}{{range $i, $x = .Words}}{{$i}}{{$x}},{{end}}{{$i}}{{$x}}
{{range $i, $x := .Words}}{{$y := $x}}{{$y}}{{end}}
{{range $e := .Words}}{{$e = "z"}}{{$e}}{{end}}
{{$x = 1}}
{{$x = 1}}{{$x}}
{{if false}}{{$x := 1}}{{else}}{{$x}}{{end}}
{{($x := 1)}}{{$x}}
{{and false ($y := 1)}}{{$y}}
{{and true ($y := 1)}}{{$y}}
{{$x := .Line | len}}{{$x}}
{{$x := $}}{{$x.Line}}
{{$.Line}}{{$.Mixed.m.k}}
{{$}}
{{define "a"}}A{{.}}{{end}}{{template "a" .Line}}
{{define "a"}}A{{.}}{{end}}{{template "a"}}
{{define "a"}}A{{$}}{{end}}{{template "a" 5}}
{{define "a"}}A{{$.Line}}{{end}}{{template "a" .}}
{{define "a"}}{{.X}}{{end}}{{template "a"}}
{{define "a"}}{{.X}}{{end}}{{template "a" 1}}
{{define "a"}}{{.X}}{{end}}{{template "a" .Nil}}
{{template "a"}}{{define "a"}}late{{end}}
{{template "nope"}}
{{define "a"}}1{{end}}{{define "a"}}2{{end}}
{{define "a"}}1{{end}}{{define "a"}} {{end}}{{template "a"}}
{{define "a"}} {{end}}{{define "a"}}2{{end}}{{template "a"}}
{{define "a"}}{{if gt . 0}}{{.}}{{template "b" .}}{{end}}{{end}}{{define "b"}}b{{end}}{{template "a" 3}}
{{define "a"}}{{template "a" .}}{{end}}x
{{define "a"}}{{$x}}{{end}}
{{$x := 1}}{{define "a"}}{{$x}}{{end}}
{{block "b" .Line}}[{{.}}]{{end}}
{{block "b" .Line}}[{{.}}]{{end}}{{template "b" 7}}
{{block "b"}}x{{end}}
{{define "b"}}own{{end}}{{block "b" .}}x{{end}}
{{range .Words}}{{block "b" .}}{{.}}!{{end}}{{end}}
{{range .Words}}{{block "b" .}}{{break}}{{end}}{{end}}
{{define "a"}}{{$x = 1}}{{end}}{{$x := 5}}{{template "a"}}
{{define "a"}}{{range 2}}{{break}}{{end}}{{end}}{{range 3}}{{template "a"}}{{.}}{{end}}
{{range .Words}}{{template "c" .}}{{end}}{{define "c"}}({{.}}){{end}}
{{template "c" $x := .Line}}{{define "c"}}{{.}}{{end}}{{$x}}
{{define "only"}}x{{end}}
{{/* c */}}
a{{/* c */}}b
a {{- /* c */ -}} b
{{/* c */ -}} b
a {{- /* c */}}
{{/* {{ }} */}}x
{{/**/}}x
{{1 | printf "%d"}}
{{1 | printf "%d %d" 2}}
{{.Line | len | printf "%03d"}}
{{"a" | printf "%s-%s" "b" | printf "%q"}}
{{(1)}}
{{((1))}}
{{(print 1 2) | len}}
{{len (print 1 2)}}
{{(index .Mixed "m").k}}
{{(.Mixed).m.k}}
{{(printf "a").b}}
{{(1).b}}
{{(nil).b}}
{{printf.b}}
{{len.b "a"}}
{{.Mixed.m.k}}
{{.Mixed.nope}}
{{.Mixed.nope.deep}}
{{.Mixed.nil}}
{{.Mixed.nil.deep}}
{{.Mixed.s.deep}}
{{.Mixed.list.deep}}
{{.Map.a}}{{.Map.zz}}|
{{.Counts.one}}{{.Counts.two}}
{{.NoMap.x}}
{{.ByNum.x}}
{{.Line.x}}
{{.Words.x}}
{{.Idx.x}}
{{.Nil}}
{{.Nil.x}}
{{.Any}}{{len .Any}}{{printf .Any}}
{{.Any.x}}
{{range .Anys}}{{.x}}{{end}}
{{range $v := .Anys}}{{$v}}{{end}}
{{range $v := .Anys}}{{printf "%v" $v}} {{end}}
{{range .Anys}}{{if .}}t{{else}}f{{end}}{{end}}
{{range .Anys}}{{with .}}{{.}}{{end}}{{end}}
{{.Line 1}}
{{1 | .Line}}
{{.Map.a 1}}
{{$x := 1}}{{$x 1}}
{{$x := 1}}{{1 | $x}}
{{1 2}}
{{"a" "b"}}
{{true 1}}
{{. 1}}
{{nil}}
{{nil 1}}
{{(1) 2}}
{{1 | (print 1)}}
{{1 | 2}}
{{1 | .}}
{{1 | nil}}
{{1 | "a"}}
{{1 | true}}
{{.I .Line | .O}}
{{.I (.O (.IO .Line))}}
{{.I nil}}
{{.I 1}}
{{.I 'a'}}
{{.I true}}
{{.I .Nil}}
{{.I .Any}}
{{.I .Words}}
{{.I (index .Words 0)}}
{{.I .Mixed.nope}}
{{.I .Mixed.s}}
{{.I (len .Line)}}
{{.I .}}
{{1 | .I}}
{{"x" | .I "y"}}
{{.I.x "a"}}
{{(.I "a").x}}
{{.I "a" | len}}
{{call .Line}}
{{call nil}}
{{call}}
{{.Line | call}}
{{print}}
{{println}}
{{printf}}
{{printf 1}}
{{printf nil}}
{{printf .Idx}}
{{printf .Nil}}
{{.Idx | printf}}
{{.Line | printf}}
{{html}}|{{js}}|{{urlquery}}
{{html nil}}{{js nil}}{{urlquery nil}}
{{print nil}} {{print nil nil}} {{print 1 nil "a"}}
{{print 1 2}}{{print "a" 1}}{{print 1 "a" 2}}{{print "a" "b"}}{{print 1 1.5 true}}
{{println 1 "a" nil}}{{println}}
{{html 1 2 "a<b"}}
{{js 1 2 "a<b"}}
{{urlquery 1 2 "a b"}}
{{html .Words}}{{html .Map}}
{{len "é"}}{{len .Words}}{{len .Map}}{{len .None}}{{len .NoMap}}
{{not 1}}{{not 0}}{{not ""}}{{not nil}}{{not .Words}}
{{and 1 0 2}}{{and 1 2}}{{and 0}}{{or 0 "" 3}}{{or 0 ""}}|{{or 1 (nope)}}
{{and nil}}
{{or nil nil}}
{{and 1 .Nope}}
{{and 0 .Nope}}
{{or 1 .Nope}}
{{1 | and 2}}{{1 | or 2}}{{0 | and 1}}{{nil | and}}
{{0 | or .Nope}}
{{and}}
{{or}}
{{not}}
{{not 1 2}}
{{eq}}
{{eq 1}}
{{eq 1 2 3 1}}
{{eq 1 2 "a"}}
{{eq 1 1 "a"}}
{{ne 1}}
{{ne 1 2 3}}
{{lt 1}}
{{1 | eq 1}}
{{2 | lt 1}}
{{len}}
{{len 1 2}}
{{index}}
{{index .Words}}
{{index nil}}
{{index .Nil}}
{{index nil 1}}
{{slice}}
{{slice nil}}
{{slice .Line 1 2 3}}
{{slice .Nums 1 2 3}}
{{slice .Nums 1 2 3 3}}
{{printf "%v" .Line .Idx}}
{{printf "%[2]v %[1]v" 1 2}}
{{printf "%d %s %v %q %t" 1 "a" 1.5 "b" true}}
{{printf "%*d|%-*d|%.*f" 5 1 5 1 2 3.14159}}
{{print "a\x00b"}}
{{"\xff"}}
{{"\xc3\xa9"}}
{{"\xc3"}}{{"\xa9"}}
{{len "\xff"}}{{printf "%q %x" "\xff" "\xff"}}
{{eq "\xc3\xa9" "é"}}
{{.break}}
{{true}}{{false}}
{{break}}
{{.}}x
a{{b
}}
{{ }}
{{}}
{ {x} }
}}
{{"{{"}}
{{"}}"}}
{{"a}}
{{.Line}}}
{{{.Line}}}
`), "\n")

var wrong = append(strings.Split(strings.TrimSpace(`
{{
{{.Line
{{.Line}
{{.Line }
{{"a
{{'a
{{.Line | }}
{{| .Line}}
{{.Line | | len}}
{{.Line || len}}
{{Line}}
{{lenn .Line}}
{{prinft "a"}}
{{iff .Line}}x{{end}}
{{end}}
{{else}}
{{if .Line}}
{{if .Line}}x{{else}}
{{if .Line}}x{{else}}y{{else}}z{{end}}
{{if .Line}}x{{else with .Line}}y{{end}}
{{with .Line}}x{{else if .Line}}y{{end}}
{{range .Words}}x{{else if .Line}}y{{end}}
{{range .Words}}x{{else range .Words}}y{{end}}
{{if}}x{{end}}
{{with}}x{{end}}
{{range}}x{{end}}
{{if .Line}}x{{end .}}
{{if .Line}}x{{else .}}y{{end}}
{{if .Line}}x{{end}}{{end}}
{{range .Words}}
{{with .Line}}
{{define "a"}}
{{define}}x{{end}}
{{define a}}x{{end}}
{{define "a" .}}x{{end}}
{{define "a"}}x{{else}}y{{end}}
{{if .Yes}}{{define "a"}}x{{end}}{{end}}
{{template}}
{{template a}}
{{template "a" . .}}
{{template .Line}}
{{block "a"}}{{end}}
{{block "a" .}}
{{block "a" .}}x{{else}}y{{end}}
{{continue}}
{{break}}
{{break 1}}
{{range .Words}}{{break 1}}{{end}}
{{range .Words}}{{end}}{{break}}
{{range .Words}}{{continue .}}{{end}}
{{$x}}
{{$x.y}}
{{$x := }}
{{$x := 1 2}}
{{$x, $y := 1}}
{{$x, := 1}}
{{range $a, $b, $c := .Words}}{{end}}
{{range $a, := .Words}}{{end}}
{{range $a, 1 := .Words}}{{end}}
{{range $i, $e}}x{{end}}
{{$e := .Words}}{{range $i, $e}}{{$i}}{{end}}
{{with $x, $y := .Line}}{{end}}
{{if $x := 1}}{{end}}{{$x}}
{{range $x := .Words}}{{end}}{{$x}}
{{.Line := 1}}
{{1 := 2}}
{{$x := 1 := 2}}
{{(.Line}}
{{.Line)}}
{{()}}
{{( )}}
{{(1 2)}}
{{((1)}}
{{1.}}
{{1..2}}
{{.1}}
{{1.x}}
{{"a".x}}
{{true.x}}
{{nil.x}}
{{..}}
{{..x}}
{{. .}}
{{.x.}}
{{.x..y}}
{{.Line.}}
{{ . }}
{{.-}}
{{.Line-}}
{{.Line -}}
{{-.Line}}
{{- .Line}}
{{- -}}
{{-}}
{{--}}
{{+}}
{{.Line+1}}
{{1+2}}
{{1 + 2}}
{{1*2}}
{{#}}
{{!}}
{{.Line!}}
{{@}}
{{a b}}
{{é}}
{{.é}}
{{$é := 1}}{{$é}}
{{.Line | len .}}
{{"a" "b" | len}}
{{,}}
{{1,2}}
{{print 1, 2}}
{{:}}
{{:=}}
{{=}}
{{$ := 1}}
{{$}}{{$.Nope}}
{{/* a}}
{{/* a */ }}
{{ /* a */}}
{{/* a */ x}}
{{/ * a */}}
{{-/* a */}}
{{- /* a */-}}
{{/*/}}
{{.Line /* a */}}
{{printf "%d" 1|print}}
{{print(1)}}
{{print (1)(2)}}
{{print .Line.}}
{{"a"b}}
{{"a""b"}}
{{'a''b'}}
{{1"a"}}
{{.Line"a"}}
{{.Line .Idx}}
{{print .Line$}}
{{print$}}
{{print $.Line}}
{{print $ .Line | len}}
{{nope}}
{{if nope}}{{end}}
{{.Line | nope}}
{{(nope)}}
{{true false}}
{{if true false}}{{end}}
{{with 1}}{{.x}}{{end}}
{{if 1}}{{.Nope}}{{end}}
{{if 0}}{{.Nope}}{{end}}
{{end}}{{if 1}}
{{if 1}}{{range 2}}{{end}}
{{eq 1 "a"}}
{{lt 1 "a"}}
{{lt true false}}
{{index .Words 5}}
{{index .Words -1}}
{{index .Words "a"}}
{{index .Words nil}}
{{index .Words 1.0}}
{{index .Map 1}}
{{index .Map nil}}
{{index 1 1}}
{{index true 1}}
{{index .Line 100}}
{{slice .Line 5 2}}
{{slice .Line 0 100}}
{{slice 1}}
{{slice .Map 1}}
{{len 1}}
{{len nil}}
{{len true}}
{{len 1.5}}
{{len .Nil}}
{{len .}}
{{len .Nope}}
abc {{.Line}} {{.Nope}}
é {{"é"}}{{.Nope}}
{{.Line}}{{print .Line (len .Idx)}}
{{printf "%s" (printf "%d" (index .Words 9))}}
{{.Line | printf "%s" | len | index}}
{{print .Line .Nope}}
{{print (.I "")}}
{{with .Words}}{{index . 7}}{{end}}
{{range .Words}}{{len 1}}{{end}}
{{$x := .Nope}}
{{$x := 1}}{{$x = .Nope}}
{{if .Nope}}{{end}}
{{if len 1}}{{end}}
{{range len 1}}{{end}}
{{template "x" .Nope}}{{define "x"}}{{end}}
{{define "x"}}{{.Nope}}{{end}}{{template "x" .}}
{{.Mixed.list.x.y}}
{{.Mixed.nil.x.y}}
{{$.Nope}}
{{$x := .}}{{$x.Line.Foo}}
{{(print 1).Foo.Bar}}
{{lt nil 1}}
{{lt 1 nil}}
{{eq .Words .Words}}
{{eq .Words .Map}}
{{eq .Words 1}}
{{eq .None nil}}
{{eq .Words nil}}
{{eq .NoMap nil}}
{{eq .None .None}}
{{eq .Nil nil}}
{{eq . .}}
{{eq . 1}}
{{eq . nil}}
{{ne . nil}}
`), "\n"),
	"{{.Line\n}}", "{{\n.Line\n}}", "{{.Line\n", "a\nb{{.Nope}}", "a\n\n  {{.Nope}}\n", "{{if\n.Yes}}a\n{{end}}", "{{`a\nb`}}", "{{\"a\nb\"}}", "{{/* a\nb */}}c",
	"{{'\n'}}", "{{`a", "{{`}}", "{{``}}", "{{`a``b`}}", "{{`\\n`}}", "{{`a\r\nb`}}", "{{\u00a0.Line}}", "{{.Line\u2003}}", "{{\u200b}}", "{{\"\u200b\"}}",
	"{{print\t.Line}}", "{{range .Words}}\n{{.}}\n{{- end}}", "{{if .Yes}}\n  a\n{{- else -}}\n  b\n{{end}}", "é\n{{\"é\"}} {{.Nope}}", "{{/* unfinished */",
	"{{if .Yes}}{{/* c */}}{{end}}", "{{range .Words}}{{/* c */ -}}  {{.}}{{end}}", "a{{\"\u00e9\" | printf \"%s\n\" | .Nope}}")

func literals(c *corpus) {
	numbers := strings.Fields(`0 1 -1 +1 42 007 08 0755 0o17 0O17 0b101 0B11 0x1F 0X1f 0xff -0x10 +0x10 1_000 1__0 _1 1_ 0x_1f 0_7 0b_1
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616
1.0 1. .5 0.5 -0.5 -.5 +.5 1e3 1E3 1e+3 1e-3 1.5e2 1e 1e+ 1e999 1e-999 1e21 1e20 123456789.0 1e6 100000.0 0.00001 0.0001 1_0.5 1._5 0x1p4 0x1p-2 0x1.8p1
0x.8p1 0x1.8 0x1e -0x1e 0x1e+ 0x 0b 0o 0b2 0o8 0xg 1x 1a 1e5e 00 -0 +0 -0.0 00.5 09.5 1.2.3 1-2 1+1 0x1_0p1 0.1 3.14159265358979 1e100 5e-324 1.7976931348623157e308 4.9e-324 2.5 12345678 1e15 1e16 0b1.1 0o7.1 0b1e1 .e1 1__0.5 1_.5 0_1.5`)
	for _, n := range numbers {
		c.add(0, "{{"+n+"}}", `{{printf "%T %v" `+n+" "+n+"}}")
	}
	for _, s := range strings.Fields(`'a' 'é' '😀' '\n' '\t' '\\' '\'' '"' '\"' '\x41' '\xff' '\101' '\377' '\400' '\u00e9' '\U0001F600' '\ud800' '\U00110000' 'ab' '' '\' '\q' '\x4' '\u12' '\0' '\00' '\a' '\b' '\f' '\r' '\v' '{{' '}}' '\u0041b' '日'`) {
		c.add(0, "{{"+s+"}}", `{{printf "%T %c %q %d %U %x" `+strings.Repeat(s+" ", 6)+"}}")
	}
	for _, s := range strings.Fields(`"" "a" "\a\b\f\n\r\t\v\\" "\"" "\'" "'" "\x41\x00" "\xzz" "\101" "\8" "\1" "\18" "\u00e9" "\u0" "\U0001F600" "\U00110000" "\udc00" "\q" "\xe2\x82\xac" "\xe2\x82" "\xe2\x82x" "\xf0\x9f\x98\x80" "\xed\xa0\x80" "\xc0\x80" "\xe0\x80\x80" "\xe0\x9f\xbf" "\xf0\x80\x80\x80" "\xf4\x90\x80\x80" "\xf4\x8f\xbf\xbf" "\xf5\x80\x80\x80" "\xef\xbb\xbf" "é日😀" "\u200b" "\u00a0" "\ufeff" "\u007f" "\x7f" "{{" "}}" "/*" "%" "\` + "`" + `"`) {
		c.add(0, "{{"+s+"}}", `{{printf "%q %+q %#q %x %s" `+strings.Repeat(s+" ", 5)+"}}", "{{len "+s+"}}{{js "+s+"}}{{urlquery "+s+"}}")
	}
}

func trims(c *corpus) {
	for _, open := range []string{"{{", "{{ ", "{{-", "{{- ", "{{-\t", "{{-\n", "{{ - ", "{{-  "} {
		for _, end := range []string{"}}", " }}", "-}}", " -}}", "\t-}}", "\n-}}", " - }}", "  -}}"} {
			for _, body := range []string{".Line", "3", "if .Yes", "/* c */"} {
				tail := ""
				if body == "if .Yes" {
					tail = " y {{- end -}} z"
				}
				c.add(0, "a \t\n"+open+body+end+" \n b"+tail)
			}
		}
	}
	c.add(0, "{{.Line -}}", "{{- .Line}}", "  {{- .Line -}}  ", " {{- 3 -}} {{- 4 -}} ", "{{3}} {{- 4}}", "a\u00a0{{- 3}}", "{{3 -}}\u00a0b", "\v{{- 3 -}}\v", " {{- /* a */ -}} ",
		"{{3 -}} {{/* c */}} {{- 4}}", "{{-3}}", "{{- -3}}", "{{- -3 -}}", "{{-3 -}} a", "{{print 3 -}}  4", "{{print 3-}}", "{{range .Words -}} {{.}} {{- end}}", "{{with .Line -}}\n  {{.}}\n{{- end -}}\n")
}

var samples = []string{`"abc"`, `"é\n"`, `""`, `42`, `-42`, `0`, `3.25`, `-12.5e9`, `0.0`, `true`, `nil`, `'x'`, `.Words`, `.Nums`, `.Anys`, `.None`, `.Counts`, `.Mixed`, `.ByNum`, `.NoMap`, `.Lists`, `(index .Line 0)`, `.Nil`, `128512`}

func verbs(c *corpus) {
	flags := []string{"", "5", "-5", "05", "-05", "+", "#", " ", ".2", ".0", "8.3", "+08.2", "# ", "-+#9.1", "012", "+#"}
	for _, verb := range "vTtbcdoOqxXUeEfFgGspw%!zé" {
		for i, flag := range flags {
			// Each sample is seen under each verb and flag, a few to a line.
			var one, two []string
			for _, sample := range samples {
				if verb == 'p' && strings.Contains("Words Nums Anys None Counts Mixed ByNum NoMap Lists", strings.TrimPrefix(sample, ".")) && sample[0] == '.' {
					continue
				}
				if len(one) < 13 {
					one = append(one, sample)
				} else {
					two = append(two, sample)
				}
			}
			for j, part := range [][]string{one, two} {
				if i > 2 && ((i+j+int(verb))%2 == 0 || i > 5 && !strings.ContainsRune("dsvxq", verb)) {
					continue
				}
				format := strings.TrimSuffix(strings.Repeat("%"+flag+string(verb)+"|", len(part)), "|")
				c.add(0, `{{printf "`+format+`" `+strings.Join(part, " ")+`}}`)
			}
		}
	}
	for _, format := range strings.Split(`%|%%|%5%|%d %d|%[1]d|%[2]d|%[3]d|%[0]d|%[-1]d|%[x]d|%[]d|%[]|%[|%[1|%[1]|%[1]*d|%[2]*[1]d|%[1].2d|%[2]5d|%.[2]*[1]d|%.*d|%*|%*d|%-*d|%0*d|%.|%.d|%.-1d|%5.d|%1000001d|%99999999999d|%[99999999999]d|% d|%+ d|%+-5d|%--5d|%00005d|%#x %#o %#b|%d|%s %s|%d%%|100%|%z|%!|%,d|%é|%日d|%[1]d %d|%[2]d %d|%[2]d %[1]d %d|%[1]d%[1]d|%6.2f%%|%d\n%d|%v%v%v|%[1]v %[1]T|%+v|%#v|%-10v|%10v|%T|%2$d|%ld|%i|%u|%5|%-|%#|%.3|%.3.4d|%.|%*.*d|%w|%[1]w`, "|") {
		for _, args := range []string{"", "1 2", `"a" 3`, "5", "-3 7", "2.5 1", "nil nil", ".Words 1"} {
			c.add(0, `{{printf "`+format+`" `+args+`}}`)
		}
	}
	for _, float := range strings.Fields(`0.0 1.0 -1.5 0.5 2.5 1e3 1e-7 123456789.0 1e100 0.1 99.995 1e21 5e-324 12345.678`) {
		for _, flag := range []string{"", ".0", ".1", ".2", ".3", ".10", ".25", "10", "-10.2", "010.2", "+", " ", "#", "#.3", "+010"} {
			c.add(0, fmt.Sprintf(`{{$x := %[2]s}}{{printf "%%%[1]se|%%%[1]sf|%%%[1]sg|%%%[1]sX|%%%[1]sb|%%%[1]sv" $x $x $x $x $x $x}}`, flag, float))
		}
	}
}

func functions(c *corpus) {
	for _, f := range []string{"len", "not", "print", "println", "html", "js", "urlquery", "index", "slice", "call", "eq", "lt", "and", "or", "printf", ".I", "ne 1", "index .Words", "index .Map", "index .ByNum", "index .Mixed", "slice .Line", "slice .Nums", "slice .Nums 1", "index .Lists 0", "printf \"%v\""} {
		for _, sample := range samples {
			c.add(0, "{{"+f+" "+sample+"}}")
		}
	}
	values := []string{`"a"`, `""`, `1`, `0`, `-1`, `1.0`, `true`, `nil`, `.Words`, `.None`, `.Counts`, `(index "\x01" 0)`, `.Nil`, `.Any`, `.Idx`}
	for i, f := range []string{"eq", "lt", "ne", "le", "gt", "ge"} {
		for j, a := range values {
			for k, b := range values {
				if i < 2 || (j+k+i)%4 == 0 {
					c.add(0, "{{"+f+" "+a+" "+b+"}}")
				}
			}
		}
	}
	for _, a := range []string{"0", "1", "2", "3", "4", "-1", `"a"`, "nil", "1.0", `'\x01'`, `(index "\x01" 0)`} {
		for _, item := range []string{".Line", ".Words", ".Lists", `"é"`, ".None"} {
			c.add(0, "{{index "+item+" "+a+"}}", "{{slice "+item+" "+a+"}}", "{{slice "+item+" "+a+" 2}}", "{{slice "+item+" 1 "+a+"}}")
		}
		c.add(0, "{{slice (slice .Nums 0 1) 0 "+a+"}}", "{{slice .Nums 0 1 "+a+"}}", "{{slice (slice .Nums 0 1 2) 0 "+a+"}}", "{{index .ByNum "+a+"}}", "{{index .Lists 0 "+a+"}}", "{{index .Mixed \"list\" "+a+"}}")
	}
	for r := rune(0); r < 256; r++ {
		if r%16 == 0 {
			var text strings.Builder
			for s := r; s < r+16; s++ {
				fmt.Fprintf(&text, `\u%04x`, s)
			}
			t := text.String()
			c.add(0, `{{html "`+t+`"}}`, `{{js "`+t+`"}}`, `{{urlquery "`+t+`"}}`, `{{printf "%q %+q" "`+t+`" "`+t+`"}}`)
		}
	}
}

// A seeded grammar: what it makes is mostly right, so that it gets far.
type grammar struct {
	*rand.Rand
	depth int
	vars  []string
	loops int
}

func generated(c *corpus, count int) {
	g := &grammar{Rand: rand.New(rand.NewPCG(2026, 11))}
	for n := range count {
		g.depth, g.loops, g.vars = 0, 0, nil
		text := g.body(1 + g.IntN(3))
		if g.IntN(12) == 0 {
			at := g.IntN(len(text) + 1)
			for at < len(text) && !utf8.RuneStart(text[at]) {
				at++
			}
			text = text[:at] + g.one("", "{", "}", "{{", "}}", " ", "-", "|", ".", "$", "(", ")", "\"", "1", "end")[0:] + text[min(len(text), at+g.IntN(2)):]
			if !utf8.ValidString(text) || strings.Contains(text, "i}}") {
				continue
			}
		}
		// Most of what a grammar without types makes fails, and a few of those are enough.
		row := answer(n%len(lines), text)
		if len(text) < 180 && row != nil && (row[2] != nil || g.IntN(6) == 0) {
			c.add(n%len(lines), text)
		}
	}
}

func (g *grammar) one(of ...string) string { return of[g.IntN(len(of))] }

func (g *grammar) body(n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(g.statement())
	}
	return b.String()
}

func (g *grammar) wrap(inside string) string {
	return g.one("{{", "{{", "{{", "{{- ", "{{ ") + inside + g.one("}}", "}}", "}}", " -}}", " }}")
}

func (g *grammar) statement() string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 3 {
		return g.wrap(g.pipeline())
	}
	mark := len(g.vars)
	defer func() {
		if g.depth > 1 {
			g.vars = g.vars[:mark]
		}
	}()
	switch g.IntN(14) {
	case 0, 1, 2:
		return g.one("text", " ", "\n", " a b ", "é", "-o ", "/")
	case 3, 4, 5, 6, 7:
		return g.wrap(g.pipeline())
	case 8:
		name := g.one("$a", "$b", "$c")
		value := g.pipeline()
		g.vars = append(g.vars, name)
		return g.wrap(name+" := "+value) + g.wrap(name)
	case 9, 10:
		text := g.wrap("if "+g.pipeline()) + g.body(1)
		if g.IntN(3) == 0 {
			text += g.wrap("else if "+g.pipeline()) + g.body(1)
		}
		if g.IntN(2) == 0 {
			text += g.wrap("else") + g.body(1)
		}
		return text + g.wrap("end")
	case 11:
		return g.wrap("with "+g.pipeline()) + g.wrap(g.one(".", "print .", "$.Line", ".")) + g.wrap("else") + g.body(1) + g.wrap("end")
	case 12:
		head := g.one("range .Words", "range .Nums", "range .Anys", "range .Map", "range 3", "range $k, $v := .ByNum", "range $k, $v := .Words", "range .None", "range $k, $v := .Mixed", "range "+g.pipeline())
		inner := g.wrap(g.one(".", "print . 1", "len $.Line", "printf \"%v;\" .", "if .}}x{{continue}}{{end", "if .}}{{break}}{{end"))
		if strings.Contains(head, "$k") {
			inner += g.wrap("$k") + "=" + g.wrap("$v")
		}
		return g.wrap(head) + inner + g.body(g.IntN(2)) + g.wrap("else") + "none" + g.wrap("end")
	default:
		if g.depth == 1 {
			return g.wrap(`define "`+g.one("x", "y")+strconv.Itoa(g.IntN(99))+`"`) + "d" + g.wrap(g.one(".", "$", "print .")) + g.wrap("end")
		}
		return g.wrap("template \"x\" " + g.term())
	}
}

func (g *grammar) pipeline() string {
	text := g.command()
	for g.IntN(3) == 0 {
		text += g.one(" | ", "|") + g.one("len", "not", "print", "printf \"%v\"", "printf \"%s\"", "printf \"%q\"", "html", "js", "urlquery", ".I", ".O", "printf \"%05d\"", "eq 1", "and 1", "or 0", "index .Words", "println 1", "printf \"%-6v|\"", "lt 2")
	}
	return text
}

func (g *grammar) command() string {
	switch g.IntN(10) {
	case 0:
		return "len " + g.term()
	case 1:
		return g.one("eq", "ne", "lt", "le", "gt", "ge") + " " + g.term() + " " + g.term()
	case 2:
		return g.one("and", "or") + " " + g.term() + " " + g.term()
	case 3:
		return g.one("print", "println", "html", "not", "js") + " " + g.term()
	case 4:
		return "printf " + g.one(`"%v %v"`, `"%s-%d"`, `"%q %x"`, `"%5v|%-5v"`, `"%T %T"`, `"%+d %#v"`, `"%[2]v %[1]v"`, `"%06.2f %t"`, `"%c %U"`) + " " + g.term() + " " + g.term()
	case 5:
		return g.one(".I", ".O", ".IO", ".AsFile") + " " + g.term()
	case 6:
		return "index " + g.one(".Words", ".Nums", ".Line", ".Map", ".Counts", ".Anys", ".ByNum", ".Lists", ".Mixed") + " " + g.term()
	case 7:
		return "slice " + g.one(".Line", ".Words", ".Nums", `"héllo"`) + " " + g.one("0", "1", "2", "3") + " " + g.one("", "1", "2", "3", "4")
	default:
		return g.term()
	}
}

func (g *grammar) term() string {
	switch g.IntN(16) {
	case 0, 1, 2:
		return g.one("1", "0", "-7", "2", "3.5", "'a'", "0x1f", "1e3", "42", "-0.25")
	case 3, 4:
		return g.one(`"a"`, `""`, `"é"`, `"one"`, `"%d"`, "`raw`", `"a\tb"`, `"b"`, `"<&>"`)
	case 5, 6:
		return g.one("true", "false", "nil", ".Nil", ".Any", ".Yes", ".No", ".Pi")
	case 7, 8, 9:
		return g.one("$.Line", "$.Idx", "$.Words", "$.Nums", "$.Map", "$.Mixed.m.k", "$.Mixed.s", "$.Counts.one", "$.Anys", "$.None")
	case 10, 11:
		return g.one(".Line", ".Idx", ".Words", ".Map.a", ".Mixed.list", ".Mixed.nope", ".Lists")
	case 12, 13:
		if len(g.vars) > 0 {
			return g.vars[g.IntN(len(g.vars))]
		}
		return "1"
	default:
		g.depth++
		defer func() { g.depth-- }()
		if g.depth > 4 {
			return "2"
		}
		return "(" + g.pipeline() + ")"
	}
}
