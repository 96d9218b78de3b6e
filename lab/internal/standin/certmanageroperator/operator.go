// Package certmanageroperator stands for the cert-manager Operator for Red Hat OpenShift: it makes namespace cert-manager with
// everything in it, and makes it again when somebody deletes it. Like the original, it leaves all of it behind when it is removed.
package certmanageroperator

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/standin/reconcile"
)

//go:embed operands.yaml
var operandsText []byte

// Run keeps the operands until ctx ends.
func Run(ctx context.Context, _ []string) error {
	operands, err := apply.Parse(operandsText)
	if err != nil {
		return fmt.Errorf("operands.yaml: %w", err)
	}
	_, client, err := reconcile.Clients()
	if err != nil {
		return err
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	informer := dynamicinformer.NewFilteredDynamicInformer(client, deployments, "cert-manager", 0, cache.Indexers{}, nil).Informer()
	go informer.RunWithContext(ctx)
	log.Printf("keeping %d objects as they should be", len(operands))
	return reconcile.Run(ctx, func(ctx context.Context) error { return keep(ctx, client, operands) }, informer)
}

// keep makes every operand what it should be, and leaves alone what others set on it.
func keep(ctx context.Context, client dynamic.Interface, operands []unstructured.Unstructured) error {
	var faults []error
	for _, operand := range operands {
		resource, _ := meta.UnsafeGuessKindToResource(operand.GroupVersionKind()) // regular plurals only
		options := metav1.ApplyOptions{FieldManager: "cert-manager-operator", Force: true}
		_, err := client.Resource(resource).Namespace(operand.GetNamespace()).Apply(ctx, operand.GetName(), &operand, options)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s %s: %w", strings.ToLower(operand.GetKind()), operand.GetName(), err))
		}
	}
	return errors.Join(faults...)
}
