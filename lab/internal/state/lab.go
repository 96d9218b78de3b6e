package state

import (
	"encoding/json"
	"os"

	"spire-federation/lab/internal/network"
	"spire-federation/lab/internal/release"
)

// Lab is what `lab up` was asked for. The keeper and the clusters read it from the state folder.
type Lab struct {
	Clusters     int                  `json:"clusters"`
	Toolchain    string               `json:"toolchain"`
	Operator     string               `json:"operator,omitempty"` // binary to run as ZTWIM's operator, in place of the stand-in
	Images       string               `json:"images,omitempty"`   // file with more images
	TrustDomains network.TrustDomains `json:"trustDomains"`
	Releases     release.PerCluster   `json:"ztwim"`
}

func (d Dir) labFile() string { return d.path("lab.json") }

// SetLab writes what `lab up` was asked for.
func (d Dir) SetLab(lab Lab) error {
	text, err := json.Marshal(lab)
	if err != nil {
		return err
	}
	return os.WriteFile(d.labFile(), append(text, '\n'), 0o600)
}

// Lab reads what SetLab wrote.
func (d Dir) Lab() (Lab, error) {
	var lab Lab
	text, err := os.ReadFile(d.labFile())
	if err == nil {
		err = json.Unmarshal(text, &lab)
	}
	return lab, err
}
