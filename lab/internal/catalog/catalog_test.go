package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, description: kept as it is}}}]
`

// blobs decodes the catalog's stream.
func blobs(t *testing.T, content []byte) (all []object) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	for {
		var blob object
		if err := decoder.Decode(&blob); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, blob)
	}
}

func TestTheBundleCarriesTheCRDsAndSaysSo(t *testing.T) {
	content, err := render([][]byte{[]byte(widgets)})
	if err != nil {
		t.Fatal(err)
	}
	all := blobs(t, content)
	if len(all) != 3 || all[0]["defaultChannel"] != "stable-v1" || all[1]["name"] != "stable-v1" || all[2]["name"] != "cert-manager-operator.v1.18.1" {
		t.Fatalf("package, channel, bundle = %v", all)
	}
	var objects []object
	provides := false
	for _, p := range all[2]["properties"].([]any) {
		p := p.(object)
		switch value := p["value"].(object); p["type"] {
		case "olm.bundle.object":
			var data []byte
			var decoded object
			if err := json.Unmarshal([]byte(`"`+value["data"].(string)+`"`), &data); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &decoded); err != nil {
				t.Fatal(err)
			}
			objects = append(objects, decoded)
		case "olm.gvk":
			provides = provides || value["group"] == "example.com" && value["kind"] == "Widget" && value["version"] == "v1"
		}
	}
	if !provides {
		t.Error("no property olm.gvk for Widget")
	}
	if len(objects) != 2 || objects[0]["kind"] != "ClusterServiceVersion" || objects[1]["kind"] != "CustomResourceDefinition" {
		t.Fatalf("objects of the bundle: %v", objects)
	}
	csv, _ := json.Marshal(objects[0])
	if !strings.Contains(string(csv), `"owned":[{"description":"Widget","displayName":"Widget","kind":"Widget","name":"widgets.example.com","version":"v1"}]`) {
		t.Error("the CSV does not own the CRD")
	}
	if crd, _ := json.Marshal(objects[1]); !strings.Contains(string(crd), "kept as it is") {
		t.Error("the CRD's schema has changed")
	}
}

func TestRunTakesEveryCRDAndItsOwn(t *testing.T) {
	crds, out := t.TempDir(), t.TempDir()
	if err := Run(t.Context(), []string{"--crds", crds, "--out", out}); err == nil || !strings.Contains(err.Error(), crds) {
		t.Errorf("a directory without CRDs: %v", err)
	}
	if err := os.WriteFile(filepath.Join(crds, "widgets.yaml"), []byte(widgets), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), []string{"--crds", crds, "--out", out}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(out, "catalog.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{`"kind":"Widget"`, `"kind":"CertManager"`} {
		if !strings.Contains(string(content), kind) {
			t.Errorf("the catalog has no %s", kind)
		}
	}
}
