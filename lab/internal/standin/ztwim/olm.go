package ztwim

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// tellOLM writes into the operator's OperatorCondition whether OLM may upgrade it. Without OLM there is none, and whatever
// goes wrong is only logged.
func (o *operator) tellOLM(ctx context.Context, list []operand) {
	if err := o.writeUpgradeable(ctx, list); err != nil {
		ctrl.LoggerFrom(ctx).Info("OLM is not told whether it may upgrade", "because", err.Error())
	}
}

func (o *operator) writeUpgradeable(ctx context.Context, list []operand) error {
	// The product looks into this namespace, wherever the operator runs.
	condition := object(operatorCondition)
	if err := o.Get(ctx, types.NamespacedName{Namespace: product, Name: o.conditionName}, condition); err != nil {
		return err
	}
	s, err := statusOf(condition)
	if err != nil {
		return err
	}
	next := upgradeable(o.createOnlyIn(list), list)
	next.ObservedGeneration = condition.GetGeneration() // OLM takes one of another generation for outdated
	if !meta.SetStatusCondition(&s.Conditions, next) {
		return nil
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return err
	}
	condition.Object["status"] = fields
	return client.IgnoreNotFound(o.Status().Update(ctx, condition))
}

// createOnlyIn says whether the mode holds: in 1.0 as the operands say, in 1.1 as the environment does.
func (o *operator) createOnlyIn(list []operand) bool {
	if !o.release.OneZero() {
		return o.createOnly
	}
	for _, one := range list {
		if meta.IsStatusConditionTrue(one.Conditions, createOnlyMode) {
			return true
		}
	}
	return false
}

// upgradeable is False while an operand exists and is not ready; one that nobody created is no hindrance.
func upgradeable(createOnly bool, list []operand) metav1.Condition {
	c := metav1.Condition{Type: "Upgradeable", Status: metav1.ConditionFalse, Reason: "OperandsNotReady"}
	var waiting []string
	for _, one := range list {
		if one.Ready != "true" && one.Message != notCreated {
			waiting = append(waiting, one.Kind)
		}
	}
	switch {
	case createOnly:
		c.Message = "Not safe to upgrade - create-only mode is enabled on one or more operands"
	case len(waiting) > 0:
		c.Message = fmt.Sprintf("Not safe to upgrade - existing operands are not ready: %v", waiting)
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, reasonReady, "Operator is Upgradeable"
	}
	return c
}
