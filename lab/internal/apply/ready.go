package apply

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ReadyWhen is an annotation by which a manifest says that the lab is not ready before that condition is True. It is for custom
// resources; Deployments, StatefulSets and Subscriptions are always waited for.
const ReadyWhen = "lab.local/ready-when"

// ApplyWhen is an annotation by which a manifest says that an object is applied only when another one is ready, by its Name.
const ApplyWhen = "lab.local/apply-when"

// First returns those of the objects applied before that must be ready before these are applied.
func First(before, objects []unstructured.Unstructured) []unstructured.Unstructured {
	var first []unstructured.Unstructured
	for _, object := range objects {
		for _, other := range before {
			if object.GetAnnotations()[ApplyWhen] == Name(other) {
				first = append(first, other)
			}
		}
	}
	return first
}

// target is an object that counts when it has what the lab waits for.
type target struct {
	unstructured.Unstructured
	condition string // "" for workloads, whose replicas are counted
}

// targets picks what to wait for.
func targets(objects []unstructured.Unstructured) []target {
	var picked []target
	for _, object := range objects {
		condition := object.GetAnnotations()[ReadyWhen]
		if condition != "" || slices.Contains([]string{"Deployment", "StatefulSet", "Subscription"}, object.GetKind()) {
			picked = append(picked, target{object, condition})
		}
	}
	return picked
}

// Missing says what of the objects is not there yet, in words for people; nothing when all is.
func (a *Applier) Missing(ctx context.Context, objects []unstructured.Unstructured) ([]string, error) {
	var all []string
	for _, t := range targets(objects) {
		missing, err := a.missing(ctx, t)
		if err != nil {
			return nil, err
		}
		if missing != "" {
			all = append(all, Name(t.Unstructured)+" "+missing)
		}
	}
	return all, nil
}

func (a *Applier) missing(ctx context.Context, t target) (string, error) {
	client, err := a.client(t.Unstructured)
	if err != nil {
		return "", err
	}
	live, err := client.Get(ctx, t.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "(not there)", nil
	}
	if err != nil {
		return "", err
	}
	if t.condition != "" {
		return lacks(live.Object, t.condition), nil
	}
	if t.GetKind() == "Subscription" {
		return notInstalled(live.Object), nil
	}
	return short(live.Object), nil
}

// lacks says how a condition is not True.
func lacks(object map[string]any, condition string) string {
	conditions, _, _ := unstructured.NestedSlice(object, "status", "conditions")
	for _, entry := range conditions {
		c, _ := entry.(map[string]any)
		if c["type"] != condition {
			continue
		}
		if c["status"] == "True" {
			return ""
		}
		return fmt.Sprintf("(%s=%v: %v)", condition, c["status"], c["message"])
	}
	return fmt.Sprintf("(no condition %s)", condition)
}

// notInstalled says that OLM has installed nothing yet for a Subscription.
func notInstalled(object map[string]any) string {
	if installed, _, _ := unstructured.NestedString(object, "status", "installedCSV"); installed != "" {
		return ""
	}
	state, _, _ := unstructured.NestedString(object, "status", "state")
	return fmt.Sprintf("(nothing installed; state %q)", state)
}

// short says how many replicas of a Deployment or StatefulSet are missing. Both count the ready ones alike.
func short(object map[string]any) string {
	number := func(fallback int64, path ...string) int64 {
		if n, found, _ := unstructured.NestedInt64(object, path...); found {
			return n
		}
		return fallback
	}
	want, ready := number(1, "spec", "replicas"), number(0, "status", "readyReplicas")
	if ready >= want && number(0, "status", "observedGeneration") >= number(0, "metadata", "generation") {
		return ""
	}
	return fmt.Sprintf("(%d of %d ready)", ready, want)
}
