package kubelet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
)

func TestTokenIsRenewedWellBeforeItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, issued := fake.NewClientset(), 0
		client.PrependReactor("create", "serviceaccounts", func(action clienttesting.Action) (bool, runtime.Object, error) {
			issued++
			request := action.(clienttesting.CreateAction).GetObject().(*authv1.TokenRequest)
			if ref := request.Spec.BoundObjectRef; ref == nil || ref.UID != "uid" || request.Spec.Audiences[0] != "spire-server" {
				t.Errorf("asked for a token that is not the pod's own: %+v", request.Spec)
			}
			request.Status = authv1.TokenRequestStatus{Token: strings.Repeat("t", issued), ExpirationTimestamp: metav1.NewTime(time.Now().Add(time.Hour))}
			return true, request, nil
		})
		v := (&node{client: client}).newVolumes(t.TempDir())
		source := &v1.ServiceAccountTokenProjection{Path: "spire-agent", Audience: "spire-server", ExpirationSeconds: ptr.To[int64](3600)}
		begin := time.Now()
		for _, c := range []struct {
			at   time.Duration
			want string
		}{{0, "t"}, {47 * time.Minute, "t"}, {49 * time.Minute, "tt"}} {
			time.Sleep(time.Until(begin.Add(c.at)))
			if got, err := v.token(t.Context(), testPod(), source); err != nil || got != c.want {
				t.Errorf("after %s: token %q (%v), want %q", c.at, got, err, c.want)
			}
		}
	})
}

func TestVolumesThatCannotBeMadeDoNotKeepTheOthersFromIt(t *testing.T) {
	n := &node{objects: known(t, &v1.ConfigMap{ObjectMeta: named("cm"), Data: map[string]string{"a": "1"}})}
	n.Dir = t.TempDir()
	v := n.newVolumes(filepath.Join(n.Dir, "volumes"))
	pod := testPod()
	volume := func(name string, source v1.VolumeSource) {
		pod.Spec.Volumes = append(pod.Spec.Volumes, v1.Volume{Name: name, VolumeSource: source})
	}
	configMap := func(name string) v1.VolumeSource {
		return v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: name}, DefaultMode: ptr.To[int32](0o644)}}
	}
	volume("missing", configMap("gone"))
	volume("config", configMap("cm"))
	volume("scratch", v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}})
	volume("host", v1.VolumeSource{HostPath: &v1.HostPathVolumeSource{Path: "/var/lib/x"}})
	volume("spiffe", v1.VolumeSource{CSI: &v1.CSIVolumeSource{Driver: "csi.spiffe.io"}})
	if err := v.sync(t.Context(), pod); err == nil || !strings.Contains(err.Error(), `volume "missing"`) {
		t.Fatalf("error %v does not name the volume", err)
	}

	mounts, err := v.mounts(&v1.Container{VolumeMounts: []v1.VolumeMount{
		{Name: "config", MountPath: "/etc/config"},
		{Name: "config", MountPath: "/top.txt", SubPath: "a"},
		{Name: "scratch", MountPath: "/work", SubPath: "deep/er"},
		{Name: "host", MountPath: "/x"},
		{Name: "spiffe", MountPath: "/spiffe", ReadOnly: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.Readlink(filepath.Join(n.Dir, "volumes/config/..data"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []mount{
		{"volumes/config", "/etc/config", true},
		{"volumes/config/" + data + "/a", "/top.txt", true},
		{"volumes/scratch/deep/er", "/work", false},
		{"hostfs/var/lib/x", "/x", false},
		{"hostfs/run/spire/agent-sockets", "/spiffe", true},
	} {
		want.Source = filepath.Join(n.Dir, want.Source)
		if mounts[i] != want {
			t.Errorf("mount %v, want %v", mounts[i], want)
		}
		if _, err := os.Stat(want.Source); err != nil {
			t.Error(err)
		}
	}
	if _, err := v.mounts(&v1.Container{VolumeMounts: []v1.VolumeMount{{Name: "missing", MountPath: "/m"}}}); err == nil {
		t.Error("a container must not start without its volume")
	}
}
