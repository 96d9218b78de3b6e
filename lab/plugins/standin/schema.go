package standin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Schema is the part of a package schema that the stand-in goes by.
type Schema struct {
	Name      string                        `json:"name"`
	Version   string                        `json:"version"`
	Resources map[tokens.Type]*resourceSpec `json:"resources"`

	raw []byte
}

type resourceSpec struct {
	InputProperties map[string]propertySpec `json:"inputProperties"`
	RequiredInputs  []string                `json:"requiredInputs"`
	Properties      map[string]propertySpec `json:"properties"`
}

type propertySpec struct {
	Type             string        `json:"type"`
	Items            *propertySpec `json:"items"`
	Values           *propertySpec `json:"additionalProperties"`
	ReplaceOnChanges bool          `json:"replaceOnChanges"`
}

func parseSchema(raw []byte) (*Schema, error) {
	schema := &Schema{raw: raw}
	if err := json.Unmarshal(raw, schema); err != nil {
		return nil, fmt.Errorf("read the stand-in's schema: %w", err)
	}
	return schema, nil
}

// check compares inputs with the schema: unknown names, missing ones, wrong types.
func (s *resourceSpec) check(inputs property.Map, refusal func(string) error) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	fail := func(key, reason string) {
		failures = append(failures, plugin.CheckFailure{Property: resource.PropertyKey(key), Reason: reason})
	}
	for key, value := range inputs.AllStable {
		spec, known := s.InputProperties[key]
		switch {
		case !known:
			fail(key, refusal("property "+key).Error())
		case !spec.admits(value):
			fail(key, fmt.Sprintf("%s: not of type %s", key, spec.Type))
		}
	}
	for _, key := range s.RequiredInputs {
		if inputs.Get(key).IsNull() {
			fail(key, fmt.Sprintf("%s: missing; it is required", key))
		}
	}
	return failures
}

// admits says whether value may be what the schema asks for; what is not known yet may be anything.
func (p propertySpec) admits(value property.Value) bool {
	if value.IsComputed() || value.IsNull() {
		return true
	}
	switch p.Type {
	case "string":
		return value.IsString()
	case "boolean":
		return value.IsBool()
	case "integer":
		return value.IsNumber() && value.AsNumber() == float64(int64(value.AsNumber()))
	case "array":
		return value.IsArray() && all(value.AsArray().AsSlice(), p.Items)
	case "object":
		return value.IsMap() && all(slices.Collect(maps.Values(value.AsMap().AsMap())), p.Values)
	default: // "$ref": pulumi.json#/Any
		return true
	}
}

func all(values []property.Value, spec *propertySpec) bool {
	return !slices.ContainsFunc(values, func(v property.Value) bool { return !spec.admits(v) })
}

// unknownOutputs stands for what only running the resource will tell.
func (s *resourceSpec) unknownOutputs() property.Map {
	unknown := map[string]property.Value{}
	for key := range s.Properties {
		if _, isInput := s.InputProperties[key]; !isInput {
			unknown[key] = property.New(property.Computed)
		}
	}
	return property.NewMap(unknown)
}
