package ztwim

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// job is one look at one of the operand resources: all of them go the same way until it comes to what they stand for.
type job struct {
	*operator
	resource *unstructured.Unstructured
	view     fields
	was      []metav1.Condition
	found    findings
}

// part is something that an operand is made of, with the condition that reports it.
type part struct{ file, condition, reason, message, failure string }

// reconciler brings everything into line with a resource. An error is tried again after 5 ms, then twice as long each time
// up to a quarter of an hour: a Route refused for long is retried late.
func (o *operator) reconciler(kind schema.GroupVersionKind, bring func(*job, context.Context) error) reconcile.Func {
	return func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		j := &job{operator: o, resource: object(kind)}
		if err := o.Get(ctx, request.NamespacedName, j.resource); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		if err := o.announce(ctx, j.resource); err != nil {
			return reconcile.Result{}, err
		}
		goOn, failure := j.begin(ctx)
		if goOn && failure == nil {
			failure = bring(j, ctx)
		}
		j.found.conclude(failure)
		if err := o.report(ctx, j.resource, j.found, nil); err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "the status is out of date")
		}
		return reconcile.Result{}, failure
	}
}

// begin sees to what every operand needs: the manager as its owner.
func (j *job) begin(ctx context.Context) (goOn bool, err error) {
	owner := object(manager)
	if err := j.Get(ctx, types.NamespacedName{Name: "cluster"}, owner); errors.IsNotFound(err) {
		j.found.add(ready, false, reasonFailed, "Failed to retrieve ZeroTrustWorkloadIdentityManager from cluster")
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := j.adopt(ctx, owner); err != nil {
		j.found.add(ready, false, reasonFailed, fmt.Sprintf("Failed to update %s with owner reference: %v", j.resource.GetKind(), err))
		return false, err
	}
	was, err := statusOf(j.resource)
	if err != nil {
		return false, err
	}
	j.was = was.Conditions
	if j.createOnly {
		j.found.add(createOnlyMode, true, "CreateOnlyModeEnabled", "Create-Only Mode is active: Updates are not reconciled to existing resources")
	} else if meta.IsStatusConditionTrue(j.was, createOnlyMode) {
		j.found.add(createOnlyMode, false, "CreateOnlyModeDisabled", "Create-only mode is disabled")
	}
	spec, _, _ := unstructured.NestedMap(j.resource.Object, "spec")
	settings, _, _ := unstructured.NestedMap(owner.Object, "spec")
	j.view = newView(spec, settings, j.namespace, j.release)
	return true, nil
}

// adopt makes the manager the resource's owner. The whole object is written back, and so come back Go's spelling
// of durations and the one default that is not the CRD's; later edits stay as their author wrote them.
func (j *job) adopt(ctx context.Context, owner *unstructured.Unstructured) error {
	if owners := j.resource.GetOwnerReferences(); len(owners) > 0 && owners[0].UID == owner.GetUID() {
		return nil
	}
	if err := controllerutil.SetControllerReference(owner, j.resource, j.Scheme()); err != nil {
		return err
	}
	spec, _ := j.resource.Object["spec"].(fields)
	for _, field := range validities {
		if spec[field] == nil {
			continue
		}
		text, err := duration(fmt.Sprint(spec[field]))
		if err != nil {
			return fmt.Errorf("spec.%s: %w", field, err)
		}
		spec[field] = text
	}
	if store, ok := spec["datastore"].(fields); ok && store["connMaxLifetime"] == nil {
		store["connMaxLifetime"] = int64(0)
	}
	return j.Update(ctx, j.resource)
}

// build applies parts in their order, up to the first that fails.
func (j *job) build(ctx context.Context, parts []part) error {
	for _, p := range parts {
		if _, err := j.apply(ctx, j.view, p.file, j.resource); err != nil {
			j.found.add(p.condition, false, reasonOf(err, p.failure), err.Error())
			return err
		}
		j.found.add(p.condition, true, p.reason, p.message)
	}
	return nil
}

// workload is a kind of workload as the operator judges it.
type workload struct {
	kind   schema.GroupVersionKind
	counts [][2]string // field of the status, and what it says of pods; the first is how many there should be
}

var (
	statefulSets = workload{statefulSet, [][2]string{{"replicas", ""}, {"readyReplicas", "replicas ready"}, {"updatedReplicas", "replicas updated"}}}
	daemonSets   = workload{daemonSet, [][2]string{{"desiredNumberScheduled", ""}, {"numberReady", "pods ready"},
		{"updatedNumberScheduled", "pods updated"}, {"numberAvailable", "pods available"}}}
	deployments = workload{deployment, [][2]string{{"replicas", ""}, {"readyReplicas", "replicas ready"}, {"updatedReplicas", "replicas updated"},
		{"availableReplicas", "replicas available"}}}
)

// roll applies a workload and reports how far its rollout is.
func (j *job) roll(ctx context.Context, w workload, name, file, prefix string) error {
	kind := w.kind.Kind
	condition := kind + "Available"
	if did, err := j.apply(ctx, j.view, file, j.resource); err != nil {
		j.found.add(condition, false, reasonOf(err, prefix+kind+did.failed), err.Error())
		return err
	}
	set := object(w.kind)
	key := types.NamespacedName{Namespace: j.namespace, Name: name}
	if err := j.Get(ctx, key, set); err != nil {
		j.found.add(condition, false, kind+"NotFound", fmt.Sprintf("Failed to get %s %s: %v", kind, key, err))
		return nil
	}
	count := func(path ...string) int64 {
		n, _, _ := unstructured.NestedInt64(set.Object, path...)
		return n
	}
	want := count("status", w.counts[0][0])
	if n, found, _ := unstructured.NestedInt64(set.Object, "spec", "replicas"); found {
		want = n
	}
	problem := ""
	switch observed := count("status", "observedGeneration"); {
	case want == 0:
		problem = "has no pods scheduled"
	case observed != set.GetGeneration():
		problem = fmt.Sprintf("update in progress (generation %d, observed %d)", set.GetGeneration(), observed)
	}
	for _, c := range w.counts[1:] {
		if n := count("status", c[0]); problem == "" && n != want {
			problem = fmt.Sprintf("has %d/%d %s", n, want, c[1])
		}
	}
	if problem != "" {
		j.found.add(condition, false, kind+notReady, kind+" "+problem)
		return nil
	}
	j.found.add(condition, true, kind+"Ready", fmt.Sprintf("%s %s is healthy with %d/%d %s", kind, name, want, want, w.counts[1][1]))
	return nil
}
