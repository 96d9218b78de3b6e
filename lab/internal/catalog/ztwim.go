package catalog

import (
	"embed"
	"fmt"
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/release"
)

const ztwimPackage = "openshift-zero-trust-workload-identity-manager"

//go:embed ztwim
var ztwimFiles embed.FS

// ZTWIM is what the bundle of a release has, but for the CRDs of spire-controller-manager, which are the toolchain's.
func ZTWIM(r release.Release) (csv *unstructured.Unstructured, crds []unstructured.Unstructured, err error) {
	folder, err := fs.Sub(ztwimFiles, "ztwim")
	if err != nil {
		return nil, nil, err
	}
	files, err := apply.Render(folder, apply.Values{ZTWIM: r})
	if err != nil {
		return nil, nil, fmt.Errorf("ZTWIM %s: %w", r.Version, err)
	}
	for _, file := range files {
		switch file.Name {
		case "crds.yaml":
			crds = file.Objects
		case "csv.yaml":
			csv = &file.Objects[0]
		}
	}
	return csv, crds, nil
}
