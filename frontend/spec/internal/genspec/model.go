package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// object is a mapping of the spec file: one struct type.
type object struct {
	shorts []short
	keys   []key
}

// short is a scalar that stands for a mapping.
type short struct{ typ, meaning string }

// key is one key of a mapping: one field.
type key struct {
	name, path string
	typ        string   // "string", "bool", "*uint32", "[]string", "map[string]string" or "object"
	object     *object  // of an "object"
	options    []string // of the `spec` tag
	doc        string
	directives map[string][]string
}

func (k key) has(option string) bool {
	return slices.Contains(k.options, option)
}

func (k key) directive(name string) string {
	return strings.Join(k.directives[name], "\n")
}

func (k key) unsupported() bool {
	_, ok := k.directives["unsupported"]
	return ok
}

// model collects the struct types of the package by name.
type model map[string]*ast.TypeSpec

// parseModel reads the Go files in dir and returns the type Spec.
func parseModel(dir string) (*object, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	m := model{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		m.add(file)
	}
	return m.object("Spec", "")
}

func (m model) add(file *ast.File) {
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.TYPE {
			continue
		}
		for _, s := range group.Specs {
			typ := s.(*ast.TypeSpec)
			if typ.Doc == nil {
				typ.Doc = group.Doc
			}
			m[typ.Name.Name] = typ
		}
	}
}

func (m model) object(name, path string) (*object, error) {
	typ, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("type %s is not declared", name)
	}
	fields, ok := typ.Type.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("type %s is no struct", name)
	}
	o := &object{}
	for _, text := range directives(typ.Doc)["short"] {
		scalar, meaning, _ := strings.Cut(text, " ")
		o.shorts = append(o.shorts, short{scalar, meaning})
	}
	for _, field := range fields.Fields.List {
		for _, ident := range field.Names {
			k, err := m.key(field, ident.Name, path)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", name, ident.Name, err)
			}
			o.keys = append(o.keys, k)
		}
	}
	return o, nil
}

func (m model) key(field *ast.Field, name, path string) (key, error) {
	if field.Doc == nil || field.Tag == nil {
		return key{}, fmt.Errorf("a field needs a comment and a yaml tag")
	}
	tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
	k := key{
		name:       tag.Get("yaml"),
		options:    strings.Split(tag.Get("spec"), ","),
		typ:        typeName(field.Type),
		directives: directives(field.Doc),
	}
	k.path = strings.TrimPrefix(path+"."+k.name, ".")
	k.doc = "`" + k.path + "`" + strings.TrimPrefix(strings.TrimSpace(field.Doc.Text()), name)
	if _, isStruct := m[k.typ]; !isStruct {
		return k, nil
	}
	var err error
	k.object, err = m.object(k.typ, k.path)
	k.typ = "object"
	return k, err
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeName(e.X)
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	case *ast.MapType:
		return "map[" + typeName(e.Key) + "]" + typeName(e.Value)
	default:
		return fmt.Sprintf("%T", e)
	}
}

// directives returns the //spec: lines of a comment.
func directives(doc *ast.CommentGroup) map[string][]string {
	found := map[string][]string{}
	if doc == nil {
		return found
	}
	for _, comment := range doc.List {
		if text, ok := strings.CutPrefix(comment.Text, "//spec:"); ok {
			name, value, _ := strings.Cut(text, " ")
			found[name] = append(found[name], value)
		}
	}
	return found
}

// paragraphs joins the lines of each paragraph.
func paragraphs(doc string) []string {
	var joined []string
	for paragraph := range strings.SplitSeq(doc, "\n\n") {
		joined = append(joined, strings.Join(strings.Fields(paragraph), " "))
	}
	return joined
}
