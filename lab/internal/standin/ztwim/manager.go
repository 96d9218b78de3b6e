package ztwim

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const notCreated = "CR not found"

// operand is one line of the manager's status.
type operand struct {
	Kind       string             `json:"kind"`
	Name       string             `json:"name"`
	Ready      string             `json:"ready"`
	Message    string             `json:"message,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// reconcileManager sums up the operands; it owns nothing but its own status.
func (o *operator) reconcileManager(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	m := object(manager)
	if err := o.Get(ctx, request.NamespacedName, m); errors.IsNotFound(err) {
		o.tellOLM(ctx, nil)
		return reconcile.Result{}, nil
	} else if err != nil {
		return reconcile.Result{}, err
	}
	if err := o.announce(ctx, m); err != nil {
		return reconcile.Result{}, err
	}
	var list []operand
	for _, kind := range operands {
		one, err := o.operand(ctx, kind)
		if err != nil {
			return reconcile.Result{}, err
		}
		list = append(list, one)
	}
	was, err := statusOf(m)
	if err != nil {
		return reconcile.Result{}, err
	}
	found := sum(list)
	if !o.release.OneZero() {
		o.createOnlyNow(&found, was.Conditions)
	}
	o.tellOLM(ctx, list)
	return reconcile.Result{}, o.report(ctx, m, found, list)
}

// createOnlyNow is how 1.1 reports the mode: by the operator's environment, and it takes it back.
func (o *operator) createOnlyNow(found *findings, was []metav1.Condition) {
	if meta.RemoveStatusCondition((*[]metav1.Condition)(found), createOnlyMode); o.createOnly {
		found.add(createOnlyMode, true, "CreateOnlyModeEnabled", "Create-only mode is enabled: Updates are not reconciled to existing resources")
	} else if meta.IsStatusConditionTrue(was, createOnlyMode) {
		found.add(createOnlyMode, false, "CreateOnlyModeDisabled", "Create-only mode is disabled")
	}
}

func (o *operator) operand(ctx context.Context, kind schema.GroupVersionKind) (operand, error) {
	one := operand{Kind: kind.Kind, Name: "cluster", Ready: "false", Message: notCreated}
	u := object(kind)
	if err := o.Get(ctx, types.NamespacedName{Name: one.Name}, u); err != nil {
		return one, client.IgnoreNotFound(err)
	}
	s, err := statusOf(u)
	if err != nil {
		return one, fmt.Errorf("read the status of %s: %w", kind.Kind, err)
	}
	one.Message = "Waiting for initial reconciliation"
	if c := meta.FindStatusCondition(s.Conditions, ready); c != nil {
		one.Message = c.Message
		if c.Status == metav1.ConditionTrue {
			one.Ready, one.Message = "true", "Ready"
		}
	}
	for _, c := range s.Conditions {
		frozen := c.Type == createOnlyMode && c.Status == metav1.ConditionTrue
		wrong := c.Type != createOnlyMode && c.Status == metav1.ConditionFalse
		if frozen || wrong && one.Ready == "false" {
			one.Conditions = append(one.Conditions, c)
		}
	}
	return one, nil
}

func sum(list []operand) findings {
	var waiting, failed []string
	var f findings
	for _, one := range list {
		if meta.IsStatusConditionTrue(one.Conditions, createOnlyMode) {
			f.add(createOnlyMode, true, "CreateOnlyModeEnabled", "One or more operands have create-only mode enabled")
		}
		c := meta.FindStatusCondition(one.Conditions, ready)
		switch {
		case one.Ready == "true":
		case c != nil && c.Reason == reasonFailed:
			failed = append(failed, one.Kind+"/"+one.Name)
		case one.Message == notCreated:
			waiting = append(waiting, one.Kind+"(not created)")
		default:
			waiting = append(waiting, one.Kind+"(reconciling)")
		}
	}
	reason, message := reasonReady, "All components are ready"
	switch {
	case len(failed) > 0:
		reason, message = reasonFailed, fmt.Sprintf("Some operands not ready: %v", failed)
	case len(waiting) > 0:
		reason, message = reasonProgressing, fmt.Sprintf("Waiting for operands: %v", waiting)
	}
	f.add("OperandsAvailable", reason == reasonReady, reason, strings.Replace(message, "components", "operand CRs", 1))
	f.add(ready, reason == reasonReady, reason, message)
	return f
}
