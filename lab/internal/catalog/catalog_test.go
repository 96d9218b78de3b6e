package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spire-federation/lab/internal/release"
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

// blobs writes a catalog whose bundles bring a CRD Widget, and decodes its stream.
func blobs(t *testing.T) (all []object) {
	t.Helper()
	crds, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(crds, "widgets.yaml"), []byte(widgets), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), []string{"--crds", crds, "--spire-crds", crds, "--out", out}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(out, "catalog.json"))
	if err != nil {
		t.Fatal(err)
	}
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

// objects are what OLM installs of a bundle.
func objects(t *testing.T, bundle object) (all []object) {
	t.Helper()
	for _, p := range bundle["properties"].([]any) {
		if p := p.(object); p["type"] == "olm.bundle.object" {
			var data []byte
			var decoded object
			if err := json.Unmarshal([]byte(`"`+p["value"].(object)["data"].(string)+`"`), &data); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &decoded); err != nil {
				t.Fatal(err)
			}
			all = append(all, decoded)
		}
	}
	return all
}

func named(t *testing.T, all []object, schema, name string) object {
	t.Helper()
	for _, blob := range all {
		if blob["schema"] == schema && (blob["name"] == name || blob["package"] == name) {
			return blob
		}
	}
	t.Fatalf("no %s %s", schema, name)
	return nil
}

func TestABundleCarriesTheCRDsAndSaysSo(t *testing.T) {
	all := blobs(t)
	for name, own := range map[string]string{
		"cert-manager-operator.v1.18.1":               "CertManager",
		"zero-trust-workload-identity-manager.v1.0.0": "SpireServer",
		"zero-trust-workload-identity-manager.v1.0.1": "SpireServer",
		"zero-trust-workload-identity-manager.v1.1.1": "SpireServer",
	} {
		bundle := named(t, all, "olm.bundle", name)
		installed := objects(t, bundle)
		csv, _ := json.Marshal(installed[0])
		for _, kind := range []string{"Widget", own} {
			provides := slices.ContainsFunc(bundle["properties"].([]any), func(p any) bool {
				value, _ := p.(object)["value"].(object)
				return p.(object)["type"] == "olm.gvk" && value["kind"] == kind
			})
			if !provides || !strings.Contains(string(csv), fmt.Sprintf(`"displayName":%q`, kind)) {
				t.Errorf("%s: property olm.gvk for %s: %v; or its CSV does not own it", name, kind, provides)
			}
		}
		if crds, _ := json.Marshal(installed[1:]); !strings.Contains(string(crds), "kept as it is") {
			t.Errorf("%s: the CRD's schema has changed", name)
		}
	}
}

// TestReleasesOfZTWIMFollowEachOther as in the product's catalog, where one cannot skip 1.0.1.
func TestReleasesOfZTWIMFollowEachOther(t *testing.T) {
	all := blobs(t)
	entries, _ := json.Marshal(named(t, all, "olm.channel", ztwimPackage)["entries"])
	const csv = "zero-trust-workload-identity-manager.v"
	want := fmt.Sprintf(`[{"name":"%[1]s1.0.0","skipRange":"\u003c1.0.0"},`+
		`{"name":"%[1]s1.0.1","replaces":"%[1]s1.0.0","skipRange":"\u003e=1.0.0 \u003c1.0.1"},`+
		`{"name":"%[1]s1.1.1","replaces":"%[1]s1.0.1","skipRange":"\u003e=1.0.1 \u003c1.1.1"}]`, csv)
	if string(entries) != want {
		t.Errorf("entries %s\nwant    %s", entries, want)
	}
	if got := named(t, all, "olm.package", ztwimPackage)["defaultChannel"]; got != "stable-v1" {
		t.Errorf("default channel %v", got)
	}
}

func TestTheOperatorKnowsItsRelease(t *testing.T) {
	for _, r := range release.All {
		csv, crds, err := ZTWIM(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(csv.Object)
		if want := fmt.Sprintf(`{"name":"OPERATOR_VERSION","value":%q}`, r.Version); !strings.Contains(string(text), want) {
			t.Errorf("the Deployment of %s has no %s", r.Version, want)
		}
		api, _ := json.Marshal(crds)
		if got := strings.Contains(string(api), "upstreamAuthority"); got != (r.Version == "1.1.1") {
			t.Errorf("the API of %s has upstreamAuthority: %v", r.Version, got)
		}
	}
}

func TestADirectoryWithoutCRDsIsNamed(t *testing.T) {
	empty := t.TempDir()
	if err := Run(t.Context(), []string{"--crds", empty, "--spire-crds", empty, "--out", t.TempDir()}); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("it says %v", err)
	}
}
