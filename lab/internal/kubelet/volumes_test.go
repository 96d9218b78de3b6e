package kubelet

import (
	"context"
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
	corelisters "k8s.io/client-go/listers/core/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
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

func TestARunningPodSeesAChangeLate(t *testing.T) {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	set := func(value string) {
		if err := store.Update(&v1.ConfigMap{ObjectMeta: named("cm"), Data: map[string]string{"key": value}}); err != nil {
			t.Fatal(err)
		}
	}
	set("old")
	n := &node{objects: objects{configMaps: corelisters.NewConfigMapLister(store)}}
	p := &pod{n: n, object: testPod(), volumes: n.newVolumes(t.TempDir())}
	source := &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: "cm"}, DefaultMode: ptr.To[int32](0o644)}
	p.object.Spec.Volumes = []v1.Volume{{Name: "config", VolumeSource: v1.VolumeSource{ConfigMap: source}}}
	reads := func(when, want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(p.volumes.dir, "config", "key")); err != nil || string(got) != want {
			t.Errorf("%s: %q (%v), want %q", when, got, err, want)
		}
	}
	main := &container{}
	p.containers = []*container{main}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		if err := p.volumes.sync(ctx, p.snapshot()); err != nil {
			t.Fatal(err)
		}
		reads("at the start", "old")
		go p.refresh(ctx)
		set("early")
		time.Sleep(startingRefresh + time.Second)
		reads("before it is ready", "early")
		p.mu.Lock()
		main.status.Ready = true
		p.mu.Unlock()
		set("new")
		time.Sleep(volumeRefresh - startingRefresh)
		reads("soon after the change", "early")
		p.mu.Lock()
		main.status.Ready = false // it has been
		p.mu.Unlock()
		time.Sleep(2 * startingRefresh)
		reads("later", "new")
		cancel()
		synctest.Wait()
	})
}
