package ztwim

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Conditions and reasons that several places speak of; the rest stand where they are set.
const (
	ready              = "Ready"
	configurationValid = "ConfigurationValid"
	routeAvailable     = "RouteAvailable"
	createOnlyMode     = "CreateOnlyMode"

	reasonReady       = "Ready"
	reasonProgressing = "Progressing"
	reasonFailed      = "Failed"
	notReady          = "NotReady" // after the kind of a workload
)

// findings are the conditions that one reconciliation arrives at, in the order of its steps.
type findings []metav1.Condition

func (f *findings) add(condition string, holds bool, reason, message string) {
	status := metav1.ConditionFalse
	if holds {
		status = metav1.ConditionTrue
	}
	meta.SetStatusCondition((*[]metav1.Condition)(f), metav1.Condition{Type: condition, Status: status, Reason: reason, Message: message})
}

// conclude adds Ready, unless a step already did: False names what failed first, else what is still on its way.
func (f *findings) conclude(failure error) {
	if meta.FindStatusCondition(*f, ready) != nil {
		return
	}
	reason, message := reasonReady, "All components are ready"
	if failure != nil {
		reason, message = reasonFailed, failure.Error()
	}
	for _, c := range *f {
		if c.Status == metav1.ConditionTrue || c.Type == createOnlyMode {
			continue
		}
		message = fmt.Sprintf("%s: %s", c.Type, c.Message)
		if reason = reasonProgressing; !strings.HasSuffix(c.Reason, notReady) {
			reason = reasonFailed
			break
		}
	}
	f.add(ready, reason == reasonReady, reason, message)
}

// status is the part of a custom resource's status that the operator writes.
type status struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	Operands   []operand          `json:"operands,omitempty"`
}

func statusOf(u *unstructured.Unstructured) (status, error) {
	var s status
	fields, _, err := unstructured.NestedMap(u.Object, "status")
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &s)
	}
	return s, err
}

// report merges what was found into the status; no generation is recorded, so a reader cannot tell how old it is.
func (o *operator) report(ctx context.Context, u *unstructured.Unstructured, found findings, operands []operand) error {
	s, err := statusOf(u)
	if err != nil {
		return fmt.Errorf("read the status of %s: %w", u.GetKind(), err)
	}
	for _, c := range found {
		meta.SetStatusCondition(&s.Conditions, c)
	}
	if operands != nil {
		s.Operands = operands
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return fmt.Errorf("encode the status of %s: %w", u.GetKind(), err)
	}
	before := u.DeepCopy()
	u.Object["status"] = fields
	if equality.Semantic.DeepEqual(before.Object, u.Object) {
		return nil
	}
	if err := o.Status().Patch(ctx, u, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("write the status of %s: %w", u.GetKind(), err)
	}
	return nil
}

// announce is 1.0's: it marks the resource as being worked on, so Ready flaps whenever anything changes. 1.1 writes the
// status once, at the end: there a stale True lasts as long as the reconciliation.
func (o *operator) announce(ctx context.Context, u *unstructured.Unstructured) error {
	if !o.release.OneZero() {
		return nil
	}
	var f findings
	f.add(ready, false, reasonProgressing, "Reconciling "+u.GetKind())
	return o.report(ctx, u, f, nil)
}
