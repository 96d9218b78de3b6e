package main

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/catalog"
	"spire-federation/lab/internal/images"
	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/pki"
	"spire-federation/lab/internal/release"
	"spire-federation/lab/internal/state"
	"spire-federation/lab/manifests"
)

// rendered is what cluster1 starts with, without the toolchain's CRDs, and the Deployments that OLM makes for ZTWIM's operator.
func rendered(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	files, err := apply.Render(manifests.Files, values(network.For(1), nil, release.Of("1.1.1"), pki.Pair{}, pki.Pair{}))
	if err != nil {
		t.Fatal(err)
	}
	var all []unstructured.Unstructured
	for _, file := range files {
		all = append(all, file.Objects...)
	}
	for _, r := range release.All {
		csv, _, err := catalog.ZTWIM(r)
		if err != nil {
			t.Fatal(err)
		}
		deployments, _, _ := unstructured.NestedSlice(csv.Object, "spec", "install", "spec", "deployments")
		for _, deployment := range deployments {
			all = append(all, unstructured.Unstructured{Object: deployment.(map[string]any)})
		}
	}
	return all
}

func TestEveryImageOfTheManifestsIsKnown(t *testing.T) {
	table, err := images.Load(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range rendered(t) {
		for _, image := range containerImages(object) {
			if _, err := table.Find(image); err != nil {
				t.Errorf("%s: %v", apply.Name(object), err)
			}
		}
	}
}

func TestTheOperatorsBinaryCanBeReplaced(t *testing.T) {
	c := cluster{plan: network.For(1), state: state.Dir(t.TempDir()), Lab: state.Lab{Operator: "/opt/operator"}}
	table, err := images.Load(c.node().ImageOverrides, "")
	if err != nil {
		t.Fatal(err)
	}
	used := false
	for _, object := range rendered(t) {
		for _, image := range containerImages(object) {
			row, err := table.Find(image)
			if err != nil {
				t.Fatal(err)
			}
			for _, binary := range row.Files {
				used = used || binary == "/opt/operator"
			}
		}
	}
	if !used {
		t.Error("no Deployment of the manifests runs the given operator")
	}
}

func containerImages(object unstructured.Unstructured) []string {
	var all []string
	for _, field := range []string{"containers", "initContainers"} {
		containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", field)
		for _, container := range containers {
			all = append(all, container.(map[string]any)["image"].(string))
		}
	}
	return all
}
