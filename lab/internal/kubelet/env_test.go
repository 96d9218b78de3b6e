package kubelet

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// known are objects as if they had come from the API.
func known(t *testing.T, list ...any) objects {
	t.Helper()
	store := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	}
	maps, secrets := store(), store()
	for _, object := range list {
		into := maps
		if _, secret := object.(*v1.Secret); secret {
			into = secrets
		}
		if err := into.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	return objects{corelisters.NewConfigMapLister(maps), corelisters.NewSecretLister(secrets)}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "ns", Name: name} }

func testPod() *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "pod", UID: "uid", Labels: map[string]string{"app": "x"}, Annotations: map[string]string{"olm.operatorNamespace": "home"}},
		Status:     v1.PodStatus{PodIP: "198.18.16.9", HostIP: "198.18.16.1"},
	}
}

func TestEnvironment(t *testing.T) {
	o := known(t,
		&v1.ConfigMap{ObjectMeta: named("cm"), Data: map[string]string{"k": "v"}, BinaryData: map[string][]byte{"b": []byte("bin")}},
		&v1.Secret{ObjectMeta: named("sec"), Data: map[string][]byte{"pw": []byte("s3")}},
	)
	from := func(path string) *v1.EnvVarSource {
		return &v1.EnvVarSource{FieldRef: &v1.ObjectFieldSelector{FieldPath: path}}
	}
	secret := func(name, key string, optional *bool) *v1.EnvVarSource {
		return &v1.EnvVarSource{SecretKeyRef: &v1.SecretKeySelector{LocalObjectReference: v1.LocalObjectReference{Name: name}, Key: key, Optional: optional}}
	}
	c := &v1.Container{
		EnvFrom: []v1.EnvFromSource{
			{Prefix: "CM_", ConfigMapRef: &v1.ConfigMapEnvSource{LocalObjectReference: v1.LocalObjectReference{Name: "cm"}}},
			{SecretRef: &v1.SecretEnvSource{LocalObjectReference: v1.LocalObjectReference{Name: "none"}, Optional: ptr.To(true)}},
		},
		Env: []v1.EnvVar{
			{Name: "IP", ValueFrom: from("status.podIP")},
			{Name: "OLM", ValueFrom: from("metadata.annotations['olm.operatorNamespace']")},
			{Name: "PW", ValueFrom: secret("sec", "pw", nil)},
			{Name: "NOT", ValueFrom: secret("sec", "none", ptr.To(true))},
			{Name: "URL", Value: "https://$(IP):$(CM_k)/$(LATER)$$(IP)"},
			{Name: "LATER", Value: "x"},
			{Name: "MEMORY", ValueFrom: &v1.EnvVarSource{ResourceFieldRef: &v1.ResourceFieldSelector{ContainerName: "other", Resource: "requests.memory"}}},
			{Name: "CPU", ValueFrom: &v1.EnvVarSource{ResourceFieldRef: &v1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		},
		Name: "own",
	}
	pod := testPod()
	pod.Spec.Containers = []v1.Container{
		{Name: "own", Resources: v1.ResourceRequirements{Limits: v1.ResourceList{v1.ResourceCPU: apiresource.MustParse("1500m")}}},
		{Name: "other", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceMemory: apiresource.MustParse("64Mi")}}},
	}
	vars := map[string]string{"PATH": "/bin"}
	if err := o.environment(pod, c, vars); err != nil {
		t.Fatal(err)
	}
	want := "CM_b=bin CM_k=v CPU=2 IP=198.18.16.9 LATER=x MEMORY=67108864 OLM=home PATH=/bin PW=s3 URL=https://198.18.16.9:v/$(LATER)$(IP)"
	if got := strings.Join(environ(vars), " "); got != want {
		t.Errorf("environment\n%s, want\n%s", got, want)
	}
}

func TestEnvironmentNamesWhatIsMissing(t *testing.T) {
	o := known(t, &v1.Secret{ObjectMeta: named("sec")})
	for name, c := range map[string]struct {
		container v1.Container
		words     []string
	}{
		"key": {v1.Container{Env: []v1.EnvVar{{Name: "PW", ValueFrom: &v1.EnvVarSource{
			SecretKeyRef: &v1.SecretKeySelector{LocalObjectReference: v1.LocalObjectReference{Name: "sec"}, Key: "pw"}}}}}, []string{"PW", `"pw"`}},
		"object": {v1.Container{EnvFrom: []v1.EnvFromSource{{
			ConfigMapRef: &v1.ConfigMapEnvSource{LocalObjectReference: v1.LocalObjectReference{Name: "gone"}}}}}, []string{"gone"}},
		"kind": {v1.Container{Env: []v1.EnvVar{{Name: "CPU", ValueFrom: &v1.EnvVarSource{ResourceFieldRef: &v1.ResourceFieldSelector{}}}}}, []string{"CPU"}},
	} {
		err := o.environment(testPod(), &c.container, map[string]string{})
		for _, word := range c.words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: error %v does not say %s", name, err, word)
			}
		}
	}
}
