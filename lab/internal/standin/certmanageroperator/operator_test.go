package certmanageroperator

import (
	"os"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"spire-federation/lab/internal/apply"
)

// The API server refuses a ClusterRole with rights that its maker lacks.
func TestTheBundleGivesTheOperatorWhatItGivesToCertManager(t *testing.T) {
	text, err := os.ReadFile("../../catalog/certmanager/csv.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var csv struct {
		Spec struct {
			Install struct {
				Spec struct {
					ClusterPermissions []struct{ Rules []rbacv1.PolicyRule }
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &csv); err != nil {
		t.Fatal(err)
	}
	held := csv.Spec.Install.Spec.ClusterPermissions[0].Rules
	operands, err := apply.Parse(operandsText)
	if err != nil {
		t.Fatal(err)
	}
	granted := 0
	for _, operand := range operands {
		if operand.GetKind() != "ClusterRole" {
			continue
		}
		var role rbacv1.ClusterRole
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(operand.Object, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			granted++
			if !slices.ContainsFunc(held, func(h rbacv1.PolicyRule) bool {
				return slices.Equal(h.APIGroups, rule.APIGroups) && slices.Equal(h.ResourceNames, rule.ResourceNames) &&
					containsAll(h.Resources, rule.Resources) && containsAll(h.Verbs, rule.Verbs)
			}) {
				t.Errorf("the CSV does not hold %v", rule)
			}
		}
	}
	if granted == 0 {
		t.Error("cert-manager is granted nothing")
	}
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
