package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/openhands/llb-frontend/frontend/spec"
)

const specDir = "../.."

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate(specDir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(specDir, name))
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./frontend/spec", name)
		}
	}
	if !json.Valid(spec.Schema()) {
		t.Error("the schema is no JSON")
	}
}

// TestSchemaHasTheKeysOfTheDecoder compares the tree of keys that the generator
// reads from the source with the one that the decoder reads by reflection.
func TestSchemaHasTheKeysOfTheDecoder(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if _, ok := schema["patternProperties"].(map[string]any)["^x-"]; !ok {
		t.Error("x- keys are not free")
	}
	got, want := map[string]string{}, map[string]string{}
	schemaKeys(schema, "", got)
	typeKeys(reflect.TypeFor[spec.Spec](), "", want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

// schemaKeys collects the keys of a schema with "short" for those that also
// have a short form.
func schemaKeys(schema map[string]any, path string, keys map[string]string) {
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range properties {
		value := value.(map[string]any)
		keyPath, form := path+"."+name, ""
		forms, _ := value["oneOf"].([]any)
		for _, f := range forms {
			f := f.(map[string]any)
			if f["type"] == "string" {
				form = "short"
			}
			schemaKeys(f, keyPath, keys)
		}
		keys[keyPath] = form
		schemaKeys(value, keyPath, keys)
	}
}

func typeKeys(typ reflect.Type, path string, keys map[string]string) {
	for field := range typ.Fields() {
		keyPath := path + "." + field.Tag.Get("yaml")
		keys[keyPath] = ""
		if strings.Contains(field.Tag.Get("spec"), "scalar") {
			keys[keyPath] = "short"
		}
		if field.Type.Kind() == reflect.Struct {
			if acceptsString(keyPath) {
				keys[keyPath] = "short"
			}
			typeKeys(field.Type, keyPath, keys)
		}
	}
}

// acceptsString asks the decoder whether a mapping has a short form.
func acceptsString(path string) bool {
	names := strings.Split(path[1:], ".")
	text := "x: " + strings.Join(names, ": {") + ": text" + strings.Repeat("}", len(names)-1)
	_, err := spec.Load("spec", []byte(strings.TrimPrefix(text, "x: ")), map[string]string{"BASE_IMAGE": "a"})
	return err == nil || !strings.Contains(err.Error(), "must be a mapping")
}

// TestExamplesOfKeys loads the example of every key. Those of unsupported keys
// must fail for this reason alone.
func TestExamplesOfKeys(t *testing.T) {
	root, err := parseModel(specDir)
	if err != nil {
		t.Fatal(err)
	}
	forEachKey(root, func(k key) {
		example := k.directive("example")
		if example == "" {
			return
		}
		_, err := spec.Load(k.path, []byte(example), map[string]string{"BASE_IMAGE": "debian:trixie-slim"})
		switch {
		case !k.unsupported() && err != nil:
			t.Error(err)
		case k.unsupported() && err == nil:
			t.Errorf("%s is supported, but said not to be", k.path)
		case k.unsupported() && !strings.HasSuffix(strings.Split(err.Error(), "; ")[0], "is not supported by this version"):
			t.Errorf("example of an unsupported key has another mistake: %v", err)
		}
	})
}

// TestDocumentedDefaults compares the default directives with what Load fills
// in.
func TestDocumentedDefaults(t *testing.T) {
	root, err := parseModel(specDir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load("spec", nil, map[string]string{"BASE_IMAGE": "debian:trixie-slim"})
	if err != nil {
		t.Fatal(err)
	}
	documented := spec.Spec{BaseImage: d.Spec.BaseImage}
	forEachKey(root, func(k key) {
		text := k.directive("default")
		if text == "" || k.typ == "object" {
			return
		}
		names := strings.Split(k.path, ".")
		nested := strings.Join(names, ": {") + ": " + text + strings.Repeat("}", len(names)-1)
		if err := yaml.Unmarshal([]byte(nested), &documented); err != nil {
			t.Fatal(err)
		}
	})
	documented.Server.Name = d.Spec.Server.Name // documented at its short form
	if !reflect.DeepEqual(documented, d.Spec) {
		t.Errorf("documented defaults:\n%+v\ndefaults:\n%+v", documented, d.Spec)
	}
}

// TestDocumentedDefaultsWithServer looks for the defaults that a server brings
// in the texts of their keys: a default directive would claim them for every
// spec.
func TestDocumentedDefaultsWithServer(t *testing.T) {
	root, err := parseModel(specDir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.Load("spec", []byte("server: "+spec.ServerActionExecution), map[string]string{"BASE_IMAGE": "debian:trixie-slim"})
	if err != nil {
		t.Fatal(err)
	}
	deps := d.Spec.Deps
	defaults := map[string][]string{
		"server.version": {d.Spec.Server.Version},
		"deps.tools":     nil,
		"deps.python":    {deps.Python.Provider},
		"deps.browser":   {deps.Browser.Provider},
		"deps.vscode":    {deps.VSCode.Version},
		"deps.node":      {deps.Node.Version},
		"deps.uv":        {strconv.FormatBool(deps.UV)},
	}
	forEachKey(root, func(k key) {
		wanted := defaults[k.path]
		delete(defaults, k.path)
		if k.path == "deps.tools" {
			for _, tool := range deps.Tools {
				if !strings.Contains(k.directive("default"), tool) {
					wanted = append(wanted, tool)
				}
			}
		}
		for _, want := range wanted {
			text := strings.Join(paragraphs(k.doc), " ")
			if !regexp.MustCompile(`default[^.]* ` + "`?" + regexp.QuoteMeta(want) + "[`,. ]").MatchString(text) {
				t.Errorf("the text of %s does not say that the default with a server is %s:\n%s", k.path, want, k.doc)
			}
		}
	})
	if len(defaults) > 0 {
		t.Errorf("no such keys: %v", defaults)
	}
}

func forEachKey(o *object, visit func(key)) {
	for _, k := range o.keys {
		visit(k)
		if k.object != nil {
			forEachKey(k.object, visit)
		}
	}
}
