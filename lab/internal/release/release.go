// Package release knows the releases of the Zero Trust Workload Identity Manager that the lab has.
package release

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Release is one version of the operator, with the versions of what it runs.
type Release struct {
	Version           string
	SPIRE             string // as the product's labels and tags say; internal/images has the programs
	ControllerManager string
	Replaces          string // the ClusterServiceVersion that it replaces, if there is one
	SkipRange         string // of versions that it can also follow
}

const product = "zero-trust-workload-identity-manager"

// All are the releases in the catalog, the oldest first. The product's has 1.1.0, too: between 1.0.1 and 1.1.1.
var All = []Release{
	{Version: "1.0.0", SPIRE: "1.13.3", ControllerManager: "0.6.3", SkipRange: "<1.0.0"},
	{Version: "1.0.1", SPIRE: "1.13.3", ControllerManager: "0.6.4", Replaces: product + ".v1.0.0", SkipRange: ">=1.0.0 <1.0.1"},
	{Version: "1.1.1", SPIRE: "1.14.7", ControllerManager: "0.6.4", Replaces: product + ".v1.0.1", SkipRange: ">=1.0.1 <1.1.1"},
}

// Default is the minor release of a cluster that no flag speaks of.
const Default = "1.1"

// installed are the releases that `lab up --ztwim` installs, by the minor release that it takes.
var installed = map[string]string{"1.0": "1.0.0", "1.1": "1.1.1"}

// Of returns a release of All by its version; one that is not there is taken for the newest.
func Of(version string) Release {
	for _, r := range All {
		if r.Version == version {
			return r
		}
	}
	return All[len(All)-1]
}

// CSV is the name of its ClusterServiceVersion, and so of its OperatorCondition.
func (r Release) CSV() string { return product + ".v" + r.Version }

// OneZero says whether it is of the minor release 1.0.
func (r Release) OneZero() bool { return strings.HasPrefix(r.Version, "1.0.") }

// Newest says whether nothing in the catalog replaces it.
func (r Release) Newest() bool { return r.Version == All[len(All)-1].Version }

// PerCluster are minor releases by the cluster's name; that of all other clusters has the key "".
type PerCluster map[string]string

var choice = regexp.MustCompile(`^(?:(cluster\d+)=)?(\d+\.\d+)$`)

// Of returns the release that a cluster gets.
func (p PerCluster) Of(cluster string) Release {
	for _, key := range []string{cluster, ""} {
		if minor, said := p[key]; said {
			return Of(installed[minor])
		}
	}
	return Of(installed[Default])
}

// Set adds what a flag says: MINOR for all clusters, or CLUSTER=MINOR for one.
func (p PerCluster) Set(text string) error {
	parts := choice.FindStringSubmatch(text)
	if parts == nil || installed[parts[2]] == "" {
		return fmt.Errorf("%q is no release that the lab has; give %s, or one of them for one cluster, like cluster2=1.0",
			text, strings.Join(slices.Sorted(maps.Keys(installed)), " or "))
	}
	p[parts[1]] = parts[2]
	return nil
}
