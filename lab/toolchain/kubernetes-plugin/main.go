// Command pulumi-resource-kubernetes is Pulumi's Kubernetes plugin, built from its
// provider module: the plugin's own main is not for building from outside.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

// schema is the module's own, with the version added by the build (lab/toolchain/lib/recipes.sh).
//
//go:embed schema.json
var schema []byte

func main() {
	// Nothing is migrated from Terraform here, so no mapping.
	provider.Serve("kubernetes", version.Version, schema, []byte("{}"))
}
