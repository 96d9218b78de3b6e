// Package random stands in for Pulumi's random plugin: the resource
// random:index/randomInteger:RandomInteger, with the behaviour of version 4.21.2.
package random

import (
	"context"
	_ "embed"
	"fmt"
	"hash/crc64"
	"math/rand"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"spire-federation/plugins/standin"
)

// Schema lists what this stand-in knows, in the words of the real plugin's schema.
//
//go:embed schema.json
var Schema []byte

// Type is the token of Integer.
const Type = "random:index/randomInteger:RandomInteger"

// Integer is random:index/randomInteger:RandomInteger. Every input replaces it when changed.
type Integer struct{}

var _ standin.Resource = Integer{}

func (Integer) Check(inputs property.Map) []plugin.CheckFailure {
	low, high := inputs.Get("min"), inputs.Get("max")
	if !low.IsNumber() || !high.IsNumber() || low.AsNumber() <= high.AsNumber() {
		return nil
	}
	reason := fmt.Sprintf("min: %v is greater than max, %v", low.AsNumber(), high.AsNumber())
	return []plugin.CheckFailure{{Property: "min", Reason: reason}}
}

func (Integer) Create(_ context.Context, _ standin.Logger, _ string, inputs property.Map) (string, property.Map, error) {
	low, high := int(inputs.Get("min").AsNumber()), int(inputs.Get("max").AsNumber())
	result := low + source(inputs.Get("seed"))(high-low+1)
	outputs := property.NewMap(map[string]property.Value{"result": property.New(float64(result))})
	return strconv.Itoa(result), outputs, nil
}

// source gives the real plugin's numbers when a seed is set: a stack may go from one to the other.
func source(seed property.Value) func(int) int {
	if !seed.IsString() || seed.AsString() == "" {
		return rand.Intn
	}
	sum := crc64.Checksum([]byte(seed.AsString()), crc64.MakeTable(crc64.ISO))
	return rand.New(rand.NewSource(int64(sum))).Intn
}

// Update is never asked for, since every change replaces.
func (Integer) Update(context.Context, standin.Logger, property.Map, property.Map) (property.Map, error) {
	return property.Map{}, fmt.Errorf("%s: an update where only replacement is possible", Type)
}

func (Integer) Delete(context.Context, standin.Logger, property.Map) error { return nil }
