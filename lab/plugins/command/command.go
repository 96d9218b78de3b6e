// Package command stands in for Pulumi's command plugin: the resource
// command:local:Command, with the behaviour of version 1.2.1, without the
// gathering of files into assets and archives.
package command

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spire-federation/plugins/standin"
)

// Schema lists what this stand-in knows, in the words of the real plugin's schema.
//
//go:embed schema.json
var Schema []byte

// Type is the token of Local.
const Type = "command:local:Command"

// Local is command:local:Command.
type Local struct{}

var _ standin.Resource = Local{}

func (Local) Check(inputs property.Map) []plugin.CheckFailure {
	logging, ok := text(inputs, "logging")
	if !ok || loggings[logging] != nil {
		return nil
	}
	reason := fmt.Sprintf("logging: %q is none of stdout, stderr, stdoutAndStderr, none", logging)
	return []plugin.CheckFailure{{Property: "logging", Reason: reason}}
}

func (Local) Create(ctx context.Context, log standin.Logger, name string, inputs property.Map) (string, property.Map, error) {
	id, err := resource.NewUniqueHex(name, 8, 0)
	if err != nil {
		return "", property.Map{}, fmt.Errorf("make an id for %s: %w", name, err)
	}
	command, ok := text(inputs, "create")
	if !ok {
		return id, output{}.properties(), nil
	}
	out, err := run(ctx, log, command, inputs, output{})
	return id, out.properties(), err
}

// Update runs `update`, or `create` again when there is none.
func (Local) Update(ctx context.Context, log standin.Logger, inputs, oldState property.Map) (property.Map, error) {
	previous := outputOf(oldState)
	command, ok := text(inputs, "update")
	if !ok {
		command, ok = text(inputs, "create")
	}
	if !ok {
		return previous.properties(), nil
	}
	out, err := run(ctx, log, command, inputs, previous)
	return out.properties(), err
}

func (Local) Delete(ctx context.Context, log standin.Logger, state property.Map) error {
	command, ok := text(state, "delete")
	if !ok {
		return nil
	}
	_, err := run(ctx, log, command, state, outputOf(state))
	return err
}

// output is what a command printed.
type output struct{ stdout, stderr string }

func outputOf(state property.Map) output {
	stdout, _ := text(state, "stdout")
	stderr, _ := text(state, "stderr")
	return output{stdout, stderr}
}

func (o output) properties() property.Map {
	return property.NewMap(map[string]property.Value{
		"stdout": property.New(o.stdout),
		"stderr": property.New(o.stderr),
	})
}

// text reads a string property, secret or not; ok is false when it is not set.
func text(properties property.Map, key string) (value string, ok bool) {
	v := properties.Get(key)
	if !v.IsString() {
		return "", false
	}
	return v.AsString(), true
}
