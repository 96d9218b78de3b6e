package writers

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
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

func TestEverybodysNamespacesAndServiceAccountsAreWrittenTo(t *testing.T) {
	client := fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns", Labels: map[string]string{"own": "label"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "openshift-x"}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "app", UID: "1234"}},
	)
	go func() { _ = run(t.Context(), client) }()
	options := metav1.GetOptions{}

	eventually(t, "ranges and labels of the Namespace", func() bool {
		n, err := client.CoreV1().Namespaces().Get(t.Context(), "ns", options)
		return err == nil && len(n.Annotations) == 3 && n.Annotations["openshift.io/sa.scc.uid-range"] != "" &&
			n.Labels["own"] == "label" && n.Labels["pod-security.kubernetes.io/warn"] == "restricted" && n.Labels["pod-security.kubernetes.io/enforce"] == ""
	})
	eventually(t, "RoleBindings", func() bool {
		list, err := client.RbacV1().RoleBindings("ns").List(t.Context(), metav1.ListOptions{})
		var names []string
		for _, b := range list.Items {
			names = append(names, b.Name)
		}
		slices.Sort(names)
		return err == nil && slices.Equal(names, []string{"system:deployers", "system:image-builders", "system:image-pullers"})
	})
	for _, name := range []string{"app", "builder", "deployer"} {
		eventually(t, "pull secret of "+name, func() bool {
			account, err := client.CoreV1().ServiceAccounts("ns").Get(t.Context(), name, options)
			if err != nil || len(account.ImagePullSecrets) != 1 || len(account.Secrets) != 1 {
				return false
			}
			secret, err := client.CoreV1().Secrets("ns").Get(t.Context(), account.ImagePullSecrets[0].Name, options)
			return err == nil && secret.Type == corev1.SecretTypeDockercfg && account.Annotations[pullSecret] == secret.Name
		})
	}
	if n, err := client.CoreV1().Namespaces().Get(t.Context(), "openshift-x", options); err != nil || len(n.Annotations)+len(n.Labels) > 0 {
		t.Errorf("the platform's own Namespace: %v, %v", n, err)
	}
}
