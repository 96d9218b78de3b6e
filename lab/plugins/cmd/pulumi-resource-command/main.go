// Command pulumi-resource-command is the lab's stand-in for Pulumi's command plugin.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"spire-federation/plugins/command"
	"spire-federation/plugins/standin"
)

func main() {
	resources := map[tokens.Type]standin.Resource{command.Type: command.Local{}}
	if err := standin.Main("command", command.Schema, resources); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
