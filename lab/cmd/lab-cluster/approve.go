package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

const (
	ztwimNamespace    = "zero-trust-workload-identity-manager"
	ztwimSubscription = "openshift-zero-trust-workload-identity-manager"
)

// approve does what an administrator does for a Subscription with manual approval: it approves the InstallPlan of the release
// that the cluster starts with, and none of those that upgrade it.
func (c *cluster) approve(ctx context.Context) error {
	if c.release.Newest() {
		return nil // and its Subscription's approval is automatic
	}
	objects, err := dynamic.NewForConfig(c.config)
	if err != nil {
		return err
	}
	for {
		if done, err := c.approveOnce(ctx, objects); done || err != nil {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// approveOnce approves the InstallPlan that the Subscription names, once it waits for that: OLM makes another one when
// somebody else writes to one before. It says whether the release is installed.
func (c *cluster) approveOnce(ctx context.Context, objects dynamic.Interface) (installed bool, err error) {
	in := func(resource string) dynamic.ResourceInterface {
		return objects.Resource(schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: resource}).Namespace(ztwimNamespace)
	}
	subscription, err := in("subscriptions").Get(ctx, ztwimSubscription, metav1.GetOptions{})
	if err != nil {
		return false, nil // it is not there yet, nor is perhaps its CRD
	}
	if csv, _, _ := unstructured.NestedString(subscription.Object, "status", "installedCSV"); csv != "" {
		return true, nil
	}
	name, _, _ := unstructured.NestedString(subscription.Object, "status", "installPlanRef", "name")
	if name == "" {
		return false, nil
	}
	plan, err := in("installplans").Get(ctx, name, metav1.GetOptions{})
	if err != nil || !awaits(plan, c.release.CSV()) {
		return false, nil
	}
	if _, err := in("installplans").Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"approved":true}}`), metav1.PatchOptions{}); err != nil {
		return false, fmt.Errorf("approve the installation of ZTWIM: %w", err)
	}
	return false, nil
}

// awaits says whether an InstallPlan waits for somebody to approve this version and no other.
func awaits(plan *unstructured.Unstructured, csv string) bool {
	names, _, _ := unstructured.NestedStringSlice(plan.Object, "spec", "clusterServiceVersionNames")
	phase, _, _ := unstructured.NestedString(plan.Object, "status", "phase")
	return phase == "RequiresApproval" && len(names) == 1 && names[0] == csv
}
