package control

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed audit.yaml
var auditPolicy []byte

// Audit has the files of the API server's record of what it is asked.
type Audit struct {
	Policy string
	Log    string // a JSON object per line, written before the request is answered
}

// WriteAudit puts the policy into the folder of the cluster, beside which the log comes to lie.
func WriteAudit(dir string) (Audit, error) {
	audit := Audit{Policy: filepath.Join(dir, "audit.yaml"), Log: filepath.Join(dir, "audit.log")}
	return audit, os.WriteFile(audit.Policy, auditPolicy, 0o600)
}
