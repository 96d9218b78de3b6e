// Package catalog stands for Red Hat's operator index: a file-based catalog with one package, the cert-manager operator.
//
// The bundle lies in the catalog itself (olm.bundle.object), not in an image: OLM then installs it without an unpacking Job.
// It brings cert-manager's CRDs, as the original does: before its installation a cluster knows no Certificate.
package catalog

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	packageName = "openshift-cert-manager-operator"
	channel     = "stable-v1"
)

var (
	//go:embed csv.yaml
	csvText []byte
	//go:embed certmanagers.yaml
	certManagers []byte
)

type object = map[string]any

// Run writes the catalog into a directory for opm to serve.
func Run(_ context.Context, args []string) error {
	options := flag.NewFlagSet("catalog", flag.ContinueOnError)
	crds := options.String("crds", "", "directory with cert-manager's CRDs, one to a file")
	out := options.String("out", "", "directory to write catalog.json into")
	if err := options.Parse(args); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(*crds, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s: no CRD there; cert-manager's are what the bundle installs", *crds)
	}
	texts := [][]byte{certManagers}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	content, err := render(texts)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*out, "catalog.json"), content, 0o644)
}

// render makes the catalog of a bundle with these CRDs.
func render(crds [][]byte) ([]byte, error) {
	csv := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(csvText, &csv.Object); err != nil {
		return nil, fmt.Errorf("csv.yaml: %w", err)
	}
	version, _, _ := unstructured.NestedString(csv.Object, "spec", "version")
	properties := []object{property("olm.package", object{"packageName": packageName, "version": version})}
	var objects []object
	var owned []any
	for _, text := range crds {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return nil, fmt.Errorf("a CRD: %w", err)
		}
		var whole object
		if err := yaml.Unmarshal(text, &whole); err != nil {
			return nil, err
		}
		objects = append(objects, whole)
		for _, v := range crd.Spec.Versions {
			kind := crd.Spec.Names.Kind
			properties = append(properties, property("olm.gvk", object{"group": crd.Spec.Group, "kind": kind, "version": v.Name}))
			owned = append(owned, object{"name": crd.Name, "kind": kind, "version": v.Name, "displayName": kind, "description": kind})
		}
	}
	if err := unstructured.SetNestedSlice(csv.Object, owned, "spec", "customresourcedefinitions", "owned"); err != nil {
		return nil, err
	}
	for _, o := range append([]object{csv.Object}, objects...) {
		data, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		properties = append(properties, property("olm.bundle.object", object{"data": data}))
	}
	stream := &bytes.Buffer{}
	encoder := json.NewEncoder(stream)
	for _, blob := range []object{
		{"schema": "olm.package", "name": packageName, "defaultChannel": channel},
		{"schema": "olm.channel", "package": packageName, "name": channel, "entries": []object{{"name": csv.GetName()}}},
		{"schema": "olm.bundle", "package": packageName, "name": csv.GetName(), "properties": properties},
	} {
		if err := encoder.Encode(blob); err != nil {
			return nil, err
		}
	}
	return stream.Bytes(), nil
}

func property(kind string, value object) object {
	return object{"type": kind, "value": value}
}
