package serviceca

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"spire-federation/lab/internal/pki"
)

func object(namespace, name string, annotations map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid of " + name), Annotations: annotations}
}

// eventually repeats the look until it succeeds, and says what was missing if it never does.
func eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !look(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never seen: %s", what)
		}
	}
}

func TestPodsCanVerifyTheServicesOfTheCluster(t *testing.T) {
	signer, err := pki.NewCA("service CA")
	if err != nil {
		t.Fatal(err)
	}
	client := fake.NewSimpleClientset(
		&corev1.Secret{ObjectMeta: object("openshift-service-ca", "signing-key", nil), Data: map[string][]byte{"tls.crt": signer.Cert, "tls.key": signer.Key}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}},
		&corev1.ConfigMap{ObjectMeta: object("ns", "bundle", map[string]string{injectCABundle: "true"}), Data: map[string]string{"old": "content"}},
		&corev1.ConfigMap{ObjectMeta: object("ns", "other", nil), Data: map[string]string{"own": "content"}},
		&corev1.Secret{ObjectMeta: object("ns", "taken", nil), Data: map[string][]byte{"own": []byte("content")}},
		&corev1.Service{ObjectMeta: object("ns", "greedy", map[string]string{servingCertSecret: "taken"})},
		&corev1.Service{ObjectMeta: object("ns", "svc", map[string]string{servingCertSecret: "svc-tls"})},
		&corev1.Service{ObjectMeta: object("ns", "plain", nil)},
	)
	go run(t.Context(), client)

	configMap := func(namespace, name string) map[string]string {
		found, err := client.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return nil
		}
		return found.Data
	}
	eventually(t, "the CA in the namespace's own ConfigMap", func() bool { return configMap("ns", "openshift-service-ca.crt")["service-ca.crt"] != "" })
	ca := configMap("ns", "openshift-service-ca.crt")["service-ca.crt"]
	eventually(t, "the CA, alone, in the annotated ConfigMap", func() bool {
		data := configMap("ns", "bundle")
		return len(data) == 1 && data["service-ca.crt"] == ca
	})
	extended := &corev1.ConfigMap{ObjectMeta: object("ns", "bundle", map[string]string{injectCABundle: "true"}), Data: map[string]string{"service-ca.crt": ca, "own": "content"}}
	if _, err := client.CoreV1().ConfigMaps("ns").Update(t.Context(), extended, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was added to it gone", func() bool { return len(configMap("ns", "bundle")) == 1 })

	var serving *corev1.Secret
	eventually(t, "the service's secret", func() (found bool) {
		var err error
		serving, err = client.CoreV1().Secrets("ns").Get(t.Context(), "svc-tls", metav1.GetOptions{})
		return err == nil
	})
	if serving.Type != corev1.SecretTypeTLS || serving.OwnerReferences[0].Name != "svc" {
		t.Errorf("secret of type %s, owners %v", serving.Type, serving.OwnerReferences)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	block, _ := pem.Decode(serving.Data["tls.crt"])
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"svc.ns.svc", "svc.ns.svc.cluster.local"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "later"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the CA in a namespace made later", func() bool { return configMap("later", "openshift-service-ca.crt")["service-ca.crt"] == ca })

	taken, err := client.CoreV1().Secrets("ns").Get(t.Context(), "taken", metav1.GetOptions{})
	if err != nil || !bytes.Equal(taken.Data["own"], []byte("content")) || len(taken.Data) != 1 {
		t.Errorf("a secret of somebody else's: %v, %v", taken.Data, err)
	}
	if data := configMap("ns", "other"); len(data) != 1 || data["own"] != "content" {
		t.Errorf("a ConfigMap that asked for nothing: %v", data)
	}
}

func TestAHeadlessServicesCertificateNamesItsPods(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "svc"}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}}
	if got := hosts(service); len(got) != 4 || got[2] != "*.svc.ns.svc" {
		t.Errorf("hosts = %v", got)
	}
}
