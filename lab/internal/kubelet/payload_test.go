package kubelet

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func TestPayload(t *testing.T) {
	o := known(t,
		&v1.ConfigMap{ObjectMeta: named("cm"), Data: map[string]string{"a": "1", "b": "2"}},
		&v1.Secret{ObjectMeta: named("sec"), Data: map[string][]byte{"tls.key": []byte("k")}},
	)
	ref := func(name string) v1.LocalObjectReference { return v1.LocalObjectReference{Name: name} }
	serviceCA := filepath.Join(t.TempDir(), "service-ca.crt")
	if err := os.WriteFile(serviceCA, []byte("CA"), 0o644); err != nil {
		t.Fatal(err)
	}
	token := func(_ context.Context, _ *v1.Pod, s *v1.ServiceAccountTokenProjection) (string, error) {
		return "token for " + s.Audience, nil
	}
	mode := ptr.To[int32](0o644)
	for name, c := range map[string]struct {
		source v1.VolumeSource
		want   payload
	}{
		"all of a ConfigMap": {
			v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: ref("cm"), DefaultMode: mode}},
			payload{"a": {"1", 0o644}, "b": {"2", 0o644}},
		},
		"items of a Secret": {
			v1.VolumeSource{Secret: &v1.SecretVolumeSource{SecretName: "sec", DefaultMode: mode, Items: []v1.KeyToPath{{Key: "tls.key", Path: "deep/key", Mode: ptr.To[int32](0o400)}}}},
			payload{"deep/key": {"k", 0o400}},
		},
		"optional and missing": {
			v1.VolumeSource{Secret: &v1.SecretVolumeSource{SecretName: "gone", DefaultMode: mode, Optional: ptr.To(true)}},
			payload{},
		},
		"downward": {
			v1.VolumeSource{DownwardAPI: &v1.DownwardAPIVolumeSource{DefaultMode: mode, Items: []v1.DownwardAPIVolumeFile{{Path: "labels", FieldRef: &v1.ObjectFieldSelector{FieldPath: "metadata.labels"}}}}},
			payload{"labels": {`app="x"`, 0o644}},
		},
		"a pod's own token comes with the service CA": {
			v1.VolumeSource{Projected: &v1.ProjectedVolumeSource{DefaultMode: mode, Sources: []v1.VolumeProjection{
				{ServiceAccountToken: &v1.ServiceAccountTokenProjection{Path: "token"}},
				{ConfigMap: &v1.ConfigMapProjection{LocalObjectReference: ref("cm"), Items: []v1.KeyToPath{{Key: "a", Path: "ca.crt"}}}}}}},
			payload{"token": {"token for ", 0o644}, "service-ca.crt": {"CA", 0o644}, "ca.crt": {"1", 0o644}},
		},
		"a token for somebody else does not": {
			v1.VolumeSource{Projected: &v1.ProjectedVolumeSource{DefaultMode: mode, Sources: []v1.VolumeProjection{
				{ServiceAccountToken: &v1.ServiceAccountTokenProjection{Path: "spire-agent", Audience: "spire-server"}}}}},
			payload{"spire-agent": {"token for spire-server", 0o644}},
		},
	} {
		list, defaultMode := sources(v1.Volume{VolumeSource: c.source})
		got, err := o.payload(t.Context(), testPod(), list, defaultMode, token, serviceCA)
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v (%v), want %v", name, got, err, c.want)
		}
	}

	for name, source := range map[string]v1.VolumeSource{
		"missing object": {ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: ref("gone"), DefaultMode: mode}},
		"missing key":    {ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: ref("cm"), DefaultMode: mode, Items: []v1.KeyToPath{{Key: "z", Path: "z"}}}},
	} {
		list, defaultMode := sources(v1.Volume{VolumeSource: source})
		if got, err := o.payload(t.Context(), testPod(), list, defaultMode, token, serviceCA); err == nil {
			t.Errorf("%s: want an error, got %v", name, got)
		}
	}
}

func TestWriteReplacesAllFilesInOneStep(t *testing.T) {
	dir := t.TempDir()
	read := func(path string) string {
		content, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return err.Error()
		}
		return string(content)
	}
	if err := (payload{"crt": {"1", 0o644}, "deep/key": {"1", 0o400}}).write(dir); err != nil {
		t.Fatal(err)
	}
	first, err := os.Readlink(filepath.Join(dir, "..data"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "deep/key"))
	if err != nil || info.Mode().Perm() != 0o400 {
		t.Fatalf("mode of deep/key: %v, %v", info, err)
	}

	if err := (payload{"crt": {"2", 0o644}, "new": {"2", 0o644}}).write(dir); err != nil {
		t.Fatal(err)
	}
	if read("crt") != "2" || read("new") != "2" {
		t.Errorf("after the update: crt %q, new %q", read("crt"), read("new"))
	}
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	second, _ := os.Readlink(filepath.Join(dir, "..data"))
	if want := []string{second, "..data", "crt", "new"}; !slices.Equal(names, want) || second == first {
		t.Errorf("left in the volume: %v, want %v", names, want)
	}
}
