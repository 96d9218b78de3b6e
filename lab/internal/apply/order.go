package apply

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rank orders the objects of a file: what others live in or are kinds of, then what workloads refer to, then workloads.
// Policies and webhooks come last, so that they judge nothing of the lab's own.
func rank(object unstructured.Unstructured) int {
	switch object.GetKind() {
	case "Namespace", "CustomResourceDefinition":
		return 0
	case "Deployment", "StatefulSet", "DaemonSet", "Pod":
		return 2
	case "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration":
		return 3
	}
	return 1
}

// stages splits objects into groups: within one, any order is fine.
func stages(objects []unstructured.Unstructured) [][]unstructured.Unstructured {
	byRank := make([][]unstructured.Unstructured, 4)
	for _, object := range objects {
		byRank[rank(object)] = append(byRank[rank(object)], object)
	}
	return slices.DeleteFunc(byRank, func(stage []unstructured.Unstructured) bool { return len(stage) == 0 })
}
