package trustedca

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"spire-federation/lab/internal/pki"
)

// eventually repeats the look until it succeeds, and says what was missing if it never does.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !look(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never seen: %s", what)
		}
	}
}

func configMap(namespace, name, label string, data map[string]string) *corev1.ConfigMap {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	if label != "" {
		meta.Labels = map[string]string{injectLabel: label}
	}
	return &corev1.ConfigMap{ObjectMeta: meta, Data: data}
}

func proxy(trustedCA string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "config.openshift.io/v1", "kind": "Proxy", "metadata": map[string]any{"name": "cluster"},
		"spec": map[string]any{"trustedCA": map[string]any{"name": trustedCA}},
	}}
}

func TestLabelledConfigMapsGetTheClustersBundle(t *testing.T) {
	ca, err := pki.NewCA("own CA")
	if err != nil {
		t.Fatal(err)
	}
	own := string(ca.Cert)
	client := fake.NewClientset(
		configMap("ns", "trusted-ca", "true", map[string]string{"ca-bundle.crt": "somebody's", "other": "stays"}),
		configMap("ns", "empty", "true", nil),
		configMap("ns", "without", "", map[string]string{"ca-bundle.crt": "mine"}),
		configMap("ns", "declined", "false", map[string]string{"ca-bundle.crt": "mine"}),
		configMap("openshift-config", "user-ca-bundle", "", map[string]string{"ca-bundle.crt": own}),
		configMap("openshift-config", "broken", "", map[string]string{"ca-bundle.crt": "no PEM"}),
	)
	objects := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{proxies: "ProxyList"}, proxy(""))
	go func() { _ = run(t.Context(), client, objects, "the system's roots") }()

	read := func(namespace, name string) *corev1.ConfigMap {
		found, err := client.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return &corev1.ConfigMap{}
		}
		return found
	}
	holds := func(pem string) func() bool {
		return func() bool {
			for _, name := range []string{"trusted-ca", "empty"} {
				if read("ns", name).Data["ca-bundle.crt"] != pem {
					return false
				}
			}
			return read("openshift-config-managed", "trusted-ca-bundle").Data["ca-bundle.crt"] == pem
		}
	}
	eventually(t, "the system's roots", holds("the system's roots"))
	if got := read("ns", "trusted-ca"); got.Data["other"] != "stays" || got.Annotations[owner] != component {
		t.Errorf("another key and the owner: %v, %v", got.Data, got.Annotations)
	}
	trust := func(name string) {
		if _, err := objects.Resource(proxies).Update(t.Context(), proxy(name), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	trust("user-ca-bundle")
	eventually(t, "the trusted CA before them", holds(own+"\nthe system's roots"))

	changed := read("ns", "trusted-ca")
	changed.Data["ca-bundle.crt"] += own
	if _, err := client.CoreV1().ConfigMaps("ns").Update(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what somebody added gone", holds(own+"\nthe system's roots"))
	trust("broken")
	trust("")
	eventually(t, "the system's roots again", holds("the system's roots"))
	for _, name := range []string{"without", "declined"} {
		if got := read("ns", name); got.Data["ca-bundle.crt"] != "mine" {
			t.Errorf("ConfigMap %s asked for nothing and has %v", name, got.Data)
		}
	}
}
