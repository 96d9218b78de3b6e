package router

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"spire-federation/lab/internal/pki"
)

func issue(t *testing.T, host string) (pki.CA, pki.Pair) {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(pki.Leaf{CommonName: host, DNS: []string{host}})
	if err != nil {
		t.Fatal(err)
	}
	return ca, pair
}

// judge asks a router that may do the verbs with every secret, in a cluster with these objects.
func judge(t *testing.T, verbs []string, objects ...runtime.Object) (*route, *rejection) {
	t.Helper()
	client := fake.NewSimpleClientset(objects...)
	client.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SubjectAccessReview).DeepCopy()
		asked := review.Spec.ResourceAttributes
		review.Status.Allowed = review.Spec.User == "system:serviceaccount:openshift-ingress:router" &&
			asked.Namespace == "ns" && asked.Name == "tls" && asked.Resource == "secrets" && slices.Contains(verbs, asked.Verb)
		return true, review, nil
	})
	r := parse(t, `{metadata: {namespace: ns, name: r}, spec: {host: a.example.com, tls: {termination: reencrypt, externalCertificate: {name: tls}}}}`)
	why, err := (&controller{client: client}).judge(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return r, why
}

func TestARouteIsJudgedByItsSecretAndTheRoutersRightToIt(t *testing.T) {
	_, pair := issue(t, "a.example.com")
	secret := func(kind corev1.SecretType, key []byte) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "tls"}, Type: kind, Data: map[string][]byte{"tls.crt": pair.Cert, "tls.key": key},
		}
	}
	good := secret(corev1.SecretTypeTLS, pair.Key)
	all := []string{"get", "list", "watch"}

	if r, why := judge(t, all, good); why != nil || r.certificate == nil {
		t.Errorf("all in order: %+v, certificate %v", why, r.certificate)
	}
	_, other := issue(t, "b.example.com")
	for name, c := range map[string]struct {
		verbs   []string
		objects []runtime.Object
		reason  string
		message string
	}{
		"may not get":   {[]string{"list", "watch"}, []runtime.Object{good}, "ExternalCertificateValidationFailed", "spec.tls.externalCertificate: Forbidden: router serviceaccount does not have permission to get this secret"},
		"may not watch": {[]string{"get", "list"}, []runtime.Object{good}, "ExternalCertificateValidationFailed", "permission to watch this secret"},
		"may not list":  {[]string{"get", "watch"}, []runtime.Object{good}, "ExternalCertificateValidationFailed", "permission to list this secret"},
		"no secret":     {all, nil, "ExternalCertificateValidationFailed", "Not found"},
		"other type":    {all, []runtime.Object{secret(corev1.SecretTypeOpaque, pair.Key)}, "ExternalCertificateValidationFailed", `secret of type "kubernetes.io/tls" required`},
		"other key":     {all, []runtime.Object{secret(corev1.SecretTypeTLS, other.Key)}, "ExtendedValidationFailed", "does not match"},
	} {
		r, why := judge(t, c.verbs, c.objects...)
		if why == nil || why.reason != c.reason || !strings.Contains(why.message, c.message) {
			t.Errorf("%s: %+v, want %s with %q", name, why, c.reason, c.message)
		}
		if r.certificate != nil {
			t.Errorf("%s: the route has a certificate", name)
		}
	}
}

func TestACertificateThatNeverPassedIsLookedAtAgain(t *testing.T) {
	c := &controller{again: map[string]*retry{}, watches: map[string]*secretWatch{"ns/passed": {}}}
	waits := func(key string, why *rejection) time.Duration {
		c.lookAgain(key, why)
		if c.again[key] == nil {
			return 0
		}
		return c.again[key].wait
	}
	refused := &rejection{certificateRefused, "no secret"}
	for _, want := range []time.Duration{5, 10, 20, 40, 60, 60} {
		if got := waits("ns/r", refused); got != want*time.Second {
			t.Errorf("waits %v, want %d s", got, want)
		}
	}
	for name, got := range map[string]time.Duration{
		"admitted": waits("ns/r", nil), "its host is claimed": waits("ns/r", &rejection{"HostAlreadyClaimed", ""}),
		"it has passed before": waits("ns/passed", refused),
	} {
		if got != 0 {
			t.Errorf("%s: looks again after %v", name, got)
		}
	}
}
