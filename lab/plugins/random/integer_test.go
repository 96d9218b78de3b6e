package random

import (
	"strconv"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"spire-federation/plugins/standin"
)

const urn = resource.URN("urn:pulumi:dev::test::random:index/randomInteger:RandomInteger::jitter")

func serve(t *testing.T) *standin.Provider {
	t.Helper()
	p, err := standin.New(Schema, map[tokens.Type]standin.Resource{Type: Integer{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func result(t *testing.T, inputs map[string]any) int {
	t.Helper()
	made, err := serve(t).Create(t.Context(), plugin.CreateRequest{
		URN: urn, Name: "jitter", Type: Type, Properties: resource.NewPropertyMapFromMap(inputs),
	})
	if err != nil {
		t.Fatal(err)
	}
	n := int(made.Properties["result"].NumberValue())
	if string(made.ID) != strconv.Itoa(n) {
		t.Errorf("id = %q, want the result %d", made.ID, n)
	}
	return n
}

func TestResultsCoverTheRangeAndNoMore(t *testing.T) {
	seen := map[int]bool{}
	for range 200 { // each of three values is missed by 200 draws once in 10^35
		seen[result(t, map[string]any{"min": 5, "max": 7})] = true
	}
	if len(seen) != 3 || !seen[5] || !seen[6] || !seen[7] {
		t.Errorf("200 draws from 5..7 gave %v", seen)
	}
}

func TestASeedDecides(t *testing.T) {
	inputs := map[string]any{"min": 0, "max": 1 << 30, "seed": "cluster1"}
	if a, b := result(t, inputs), result(t, inputs); a != b {
		t.Errorf("the same seed gave %d and %d", a, b)
	}
}

func TestEveryChangeReplaces(t *testing.T) {
	base := map[string]any{"min": 0, "max": 9, "seed": "a", "keepers": map[string]any{"k": "1"}}
	for key, value := range map[string]any{"min": 1, "max": 8, "seed": "b", "keepers": map[string]any{"k": "2"}} {
		news := resource.NewPropertyMapFromMap(base)
		news[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
		diff, err := serve(t).Diff(t.Context(), plugin.DiffRequest{
			URN: urn, Type: Type, OldInputs: resource.NewPropertyMapFromMap(base), NewInputs: news,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(diff.ReplaceKeys) != 1 || string(diff.ReplaceKeys[0]) != key {
			t.Errorf("a change of %s is replaced by %v", key, diff.ReplaceKeys)
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		inputs map[string]any
		want   string
	}{
		{map[string]any{"min": 3, "max": 2}, "min"},
		{map[string]any{"min": 3}, "max"},
		{map[string]any{"min": 0, "max": 1.5}, "max"},
		{map[string]any{"min": 0, "max": 1, "byteLength": 4}, "byteLength"},
	} {
		checked, err := serve(t).Check(t.Context(), plugin.CheckRequest{URN: urn, Type: Type, News: resource.NewPropertyMapFromMap(c.inputs)})
		if err != nil {
			t.Fatal(err)
		}
		if len(checked.Failures) != 1 || string(checked.Failures[0].Property) != c.want {
			t.Errorf("%v: failures = %v, want one about %s", c.inputs, checked.Failures, c.want)
		}
	}
}
