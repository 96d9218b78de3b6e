package control

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed admission.yaml
var admissionConfig []byte

// WriteAdmission puts the configuration of the API server's admission plugins into the folder of the cluster, and returns its path.
func WriteAdmission(dir string) (string, error) {
	path := filepath.Join(dir, "admission.yaml")
	return path, os.WriteFile(path, admissionConfig, 0o600)
}
