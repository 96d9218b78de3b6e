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

const ztwimNamespace = "zero-trust-workload-identity-manager"

var installPlans = schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "installplans"}

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
	plans := objects.Resource(installPlans).Namespace(ztwimNamespace)
	for {
		list, err := plans.List(ctx, metav1.ListOptions{})
		if err == nil { // else the CRD is not there yet
			for _, plan := range list.Items {
				if !installs(plan, c.release.CSV()) {
					continue
				}
				if _, err := plans.Patch(ctx, plan.GetName(), types.MergePatchType, []byte(`{"spec":{"approved":true}}`), metav1.PatchOptions{}); err != nil {
					return fmt.Errorf("approve the installation of ZTWIM: %w", err)
				}
				return nil
			}
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

func installs(plan unstructured.Unstructured, csv string) bool {
	names, _, _ := unstructured.NestedStringSlice(plan.Object, "spec", "clusterServiceVersionNames")
	return len(names) == 1 && names[0] == csv
}
