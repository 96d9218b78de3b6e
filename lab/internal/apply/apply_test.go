package apply

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spire-federation/lab/internal/pki"
)

func TestRenderFillsInValuesAndKeepsTheOrderOfNames(t *testing.T) {
	files := fstest.MapFS{
		"20-b.yaml": {Data: []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: ca}\ndata: {tls.crt: {{base64 .WebCA.Cert}}}\n")},
		"10-a.yaml": {Data: []byte("# nothing but a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{.Cluster}}}\ndata: {domain: {{.Domain}}, node: {{.NodeIP}}}\n---\n")},
	}
	values := Values{Cluster: "cluster1", Domain: "apps.cluster1.example.com", NodeIP: "198.18.16.1", WebCA: pki.Pair{Cert: []byte("PEM")}}
	rendered, err := Render(files, values)
	if err != nil {
		t.Fatal(err)
	}
	if len(rendered) != 2 || rendered[0].Name != "10-a.yaml" || len(rendered[0].Objects) != 1 {
		t.Fatalf("rendered %+v", rendered)
	}
	data, _, _ := unstructured.NestedStringMap(rendered[0].Objects[0].Object, "data")
	if data["domain"] != "apps.cluster1.example.com" || data["node"] != "198.18.16.1" {
		t.Errorf("data = %v", data)
	}
	secret, _, _ := unstructured.NestedStringMap(rendered[1].Objects[0].Object, "data")
	if secret["tls.crt"] != "UEVN" {
		t.Errorf("secret = %v", secret)
	}
}

func TestRenderNamesTheFileAndDocumentThatIsWrong(t *testing.T) {
	for name, text := range map[string]string{
		"unknown value": "a: {{.Clutser}}",
		"no yaml":       "a: [",
		"no kind":       "apiVersion: v1\nmetadata: {name: x}",
		"no name":       "apiVersion: v1\nkind: Secret",
	} {
		_, err := Render(fstest.MapFS{"10-a.yaml": {Data: []byte(text)}}, Values{})
		if err == nil || !strings.Contains(err.Error(), "10-a.yaml") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestStagesPutFirstWhatOthersNeed(t *testing.T) {
	var objects []unstructured.Unstructured
	for _, kind := range []string{"ValidatingAdmissionPolicy", "Deployment", "ServiceAccount", "SpireServer", "CustomResourceDefinition", "Namespace"} {
		objects = append(objects, unstructured.Unstructured{Object: map[string]any{"kind": kind}})
	}
	var got [][]string
	for _, stage := range stages(objects) {
		var kinds []string
		for _, object := range stage {
			kinds = append(kinds, object.GetKind())
		}
		got = append(got, kinds)
	}
	want := [][]string{{"CustomResourceDefinition", "Namespace"}, {"ServiceAccount", "SpireServer"}, {"Deployment"}, {"ValidatingAdmissionPolicy"}}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("stages = %v, want %v", got, want)
	}
}

func TestShortCountsReadyReplicasOfTheGenerationAskedFor(t *testing.T) {
	for _, c := range []struct {
		name                             string
		replicas, ready, generation, saw int64
		want                             string
	}{
		{"all there", 2, 2, 3, 3, ""},
		{"one missing", 2, 1, 3, 3, "(1 of 2 ready)"},
		{"counted before the change", 1, 1, 3, 2, "(1 of 1 ready)"},
		{"scaled to none", 0, 0, 1, 1, ""},
	} {
		object := map[string]any{
			"metadata": map[string]any{"generation": c.generation},
			"spec":     map[string]any{"replicas": c.replicas},
			"status":   map[string]any{"readyReplicas": c.ready, "observedGeneration": c.saw},
		}
		if got := short(object); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := short(map[string]any{}); got != "(0 of 1 ready)" {
		t.Errorf("without status: %q", got)
	}
}

func TestLacksSaysHowAConditionIsNotTrue(t *testing.T) {
	object := func(status string) map[string]any {
		condition := map[string]any{"type": "Ready", "status": status, "message": "0/1 pods"}
		return map[string]any{"status": map[string]any{"conditions": []any{condition}}}
	}
	for _, c := range []struct {
		object map[string]any
		want   string
	}{
		{object("True"), ""},
		{object("False"), "(Ready=False: 0/1 pods)"},
		{map[string]any{}, "(no condition Ready)"},
	} {
		if got := lacks(c.object, "Ready"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestFirstAreThoseThatAnotherObjectIsAppliedAfter(t *testing.T) {
	object := func(kind, name string, annotations map[string]any) unstructured.Unstructured {
		return unstructured.Unstructured{Object: map[string]any{"kind": kind, "metadata": map[string]any{"name": name, "annotations": annotations}}}
	}
	before := []unstructured.Unstructured{object("SpireServer", "cluster", nil), object("SpireServer", "other", nil)}
	agents := []unstructured.Unstructured{object("SpireAgent", "cluster", map[string]any{ApplyWhen: "SpireServer cluster"}), object("SpiffeCSIDriver", "cluster", nil)}
	if got := First(before, agents); len(got) != 1 || Name(got[0]) != "SpireServer cluster" {
		t.Errorf("first %v", got)
	}
	if got := First(before, agents[1:]); got != nil {
		t.Errorf("first %v", got)
	}
}

func TestTargetsAreWorkloadsAndWhatAnAnnotationAsksFor(t *testing.T) {
	object := func(kind string, annotations map[string]any) unstructured.Unstructured {
		return unstructured.Unstructured{Object: map[string]any{"kind": kind, "metadata": map[string]any{"annotations": annotations}}}
	}
	picked := targets([]unstructured.Unstructured{
		object("Deployment", nil), object("StatefulSet", nil), object("ConfigMap", nil),
		object("SpireServer", map[string]any{ReadyWhen: "Ready"}), object("SpireServer", nil), object("Subscription", nil),
	})
	var got []string
	for _, p := range picked {
		got = append(got, p.GetKind()+" "+p.condition)
	}
	if want := []string{"Deployment ", "StatefulSet ", "SpireServer Ready", "Subscription "}; !slices.Equal(got, want) {
		t.Errorf("targets = %q, want %q", got, want)
	}
}
