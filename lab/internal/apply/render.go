// Package apply puts manifests into a cluster by server-side apply, in an order that works at the first try, and says
// what of them is not there yet.
package apply

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/release"
)

// Values are what a manifest can refer to.
type Values struct {
	Cluster     string // cluster1
	Domain      string // apps.cluster1.example.com
	TrustDomain string // the same, or another
	NodeIP      string
	WebCA       pki.Pair // PEM
	ServiceCA   pki.Pair // PEM
	ZTWIM       release.Release
}

// File is one rendered manifest.
type File struct {
	Name    string
	Objects []unstructured.Unstructured
}

var functions = template.FuncMap{
	"base64": base64.StdEncoding.EncodeToString,
	"list":   func(items ...string) []string { return items },
}

// Render reads all YAML files of a file system, in the order of their names.
func Render(files fs.FS, values Values) ([]File, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	rendered := make([]File, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		parsed, err := template.New(name).Funcs(functions).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := parsed.Execute(&out, values); err != nil {
			return nil, err
		}
		objects, err := Parse(out.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rendered = append(rendered, File{Name: name, Objects: objects})
	}
	return rendered, nil
}

// Parse reads the documents of a YAML file.
func Parse(text []byte) ([]unstructured.Unstructured, error) {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	var objects []unstructured.Unstructured
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		var object unstructured.Unstructured
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if len(object.Object) == 0 { // comments only
			continue
		}
		if object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "" {
			return nil, fmt.Errorf("document %d: apiVersion, kind and metadata.name are needed", n)
		}
		objects = append(objects, object)
	}
}
