// Package catalog stands for Red Hat's operator index: a file-based catalog with the cert-manager operator and ZTWIM.
//
// The bundles lie in the catalog itself (olm.bundle.object), not in images: OLM then installs them without an unpacking Job.
// They bring their CRDs, as the originals do: before its installation a cluster knows no Certificate and no SpireServer.
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

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/release"
)

const (
	certManagerPackage = "openshift-cert-manager-operator"
	channel            = "stable-v1"
)

var (
	//go:embed certmanager/csv.yaml
	certManagerCSV []byte
	//go:embed certmanager/crds.yaml
	certManagers []byte
)

type object = map[string]any

// bundle is a version of an operator: its ClusterServiceVersion, and the CRDs that come with it.
type bundle struct {
	csv  unstructured.Unstructured
	crds []unstructured.Unstructured
}

// Run writes the catalog into a directory, for Serve.
func Run(_ context.Context, args []string) error {
	options := flag.NewFlagSet("catalog", flag.ContinueOnError)
	certManager := options.String("crds", "", "directory with cert-manager's CRDs, one to a file")
	spire := options.String("spire-crds", "", "directory with those of spire-controller-manager")
	out := options.String("out", "", "directory to write catalog.json into")
	if err := options.Parse(args); err != nil {
		return err
	}
	content := &bytes.Buffer{}
	for _, p := range []struct {
		name    string
		bundles func(crds []unstructured.Unstructured) ([]bundle, error)
		crds    string
	}{
		{certManagerPackage, certManagerBundle, *certManager},
		{ztwimPackage, ztwimBundles, *spire},
	} {
		crds, err := read(p.crds)
		if err != nil {
			return err
		}
		bundles, err := p.bundles(crds)
		if err != nil {
			return err
		}
		if err := write(content, p.name, bundles); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(*out, "catalog.json"), content.Bytes(), 0o644)
}

// read reads the CRDs that a bundle installs beside those of its operator.
func read(dir string) ([]unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s: no CRD there; the bundle installs them", dir)
	}
	var crds []unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		objects, err := apply.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		crds = append(crds, objects...)
	}
	return crds, nil
}

func certManagerBundle(crds []unstructured.Unstructured) ([]bundle, error) {
	csv, err := apply.Parse(certManagerCSV)
	if err != nil {
		return nil, err
	}
	own, err := apply.Parse(certManagers)
	if err != nil {
		return nil, err
	}
	return []bundle{{csv[0], append(own, crds...)}}, nil
}

func ztwimBundles(crds []unstructured.Unstructured) ([]bundle, error) {
	var bundles []bundle
	for _, r := range release.All {
		csv, own, err := ZTWIM(r)
		if err != nil {
			return nil, err
		}
		bundles = append(bundles, bundle{*csv, append(own, crds...)})
	}
	return bundles, nil
}

// write adds a package with one channel, whose bundles replace each other as their ClusterServiceVersions say.
func write(to *bytes.Buffer, name string, bundles []bundle) error {
	var entries []object
	blobs := []object{{"schema": "olm.package", "name": name, "defaultChannel": channel}, nil}
	for _, b := range bundles {
		entry := object{"name": b.csv.GetName()}
		if replaces, _, _ := unstructured.NestedString(b.csv.Object, "spec", "replaces"); replaces != "" {
			entry["replaces"] = replaces
		}
		if skips := b.csv.GetAnnotations()["olm.skipRange"]; skips != "" {
			entry["skipRange"] = skips
		}
		entries = append(entries, entry)
		properties, err := b.properties(name)
		if err != nil {
			return fmt.Errorf("%s: %w", b.csv.GetName(), err)
		}
		blobs = append(blobs, object{"schema": "olm.bundle", "package": name, "name": b.csv.GetName(), "properties": properties})
	}
	blobs[1] = object{"schema": "olm.channel", "package": name, "name": channel, "entries": entries}
	encoder := json.NewEncoder(to)
	for _, blob := range blobs {
		if err := encoder.Encode(blob); err != nil {
			return err
		}
	}
	return nil
}

// properties are all that OLM knows of a bundle: what it provides, and its objects.
func (b bundle) properties(name string) ([]object, error) {
	csv := b.csv.DeepCopy()
	version, _, _ := unstructured.NestedString(csv.Object, "spec", "version")
	properties := []object{property("olm.package", object{"packageName": name, "version": version})}
	var owned []any
	for _, crd := range b.crds {
		group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
		if err != nil || group == "" || kind == "" {
			return nil, fmt.Errorf("%s is no CRD", crd.GetName())
		}
		for _, v := range versions {
			version := v.(object)["name"]
			properties = append(properties, property("olm.gvk", object{"group": group, "kind": kind, "version": version}))
			owned = append(owned, object{"name": crd.GetName(), "kind": kind, "version": version, "displayName": kind, "description": kind})
		}
	}
	if err := unstructured.SetNestedSlice(csv.Object, owned, "spec", "customresourcedefinitions", "owned"); err != nil {
		return nil, err
	}
	for _, o := range append([]unstructured.Unstructured{*csv}, b.crds...) {
		data, err := json.Marshal(o.Object)
		if err != nil {
			return nil, err
		}
		properties = append(properties, property("olm.bundle.object", object{"data": data}))
	}
	return properties, nil
}

func property(kind string, value object) object {
	return object{"type": kind, "value": value}
}
