// Command pulumi-resource-random is the lab's stand-in for Pulumi's random plugin.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"spire-federation/plugins/random"
	"spire-federation/plugins/standin"
)

func main() {
	resources := map[tokens.Type]standin.Resource{random.Type: random.Integer{}}
	if err := standin.Main("random", random.Schema, resources); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-random:", err)
		os.Exit(1)
	}
}
