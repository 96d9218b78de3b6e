// Package certmanageroperator stands for the cert-manager Operator for Red Hat OpenShift: it makes namespace cert-manager with
// everything in it, and makes it again when somebody deletes it. Like the original, it leaves all of it behind when it is removed.
package certmanageroperator

import (
	"bytes"
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
	"sigs.k8s.io/yaml"

	"spire-federation/lab/internal/standin/level"
)

//go:embed operands.yaml
var operandsText []byte

// Run keeps the operands until ctx ends.
func Run(ctx context.Context, _ []string) error {
	operands, err := parse(operandsText)
	if err != nil {
		return err
	}
	_, client, err := level.Clients()
	if err != nil {
		return err
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	informer := dynamicinformer.NewFilteredDynamicInformer(client, deployments, "cert-manager", 0, cache.Indexers{}, nil).Informer()
	go informer.RunWithContext(ctx)
	log.Printf("keeping %d objects as they should be", len(operands))
	return level.Run(ctx, func(ctx context.Context) error { return apply(ctx, client, operands) }, informer)
}

func parse(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, fmt.Errorf("operands.yaml: %w", err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// apply makes every operand what it should be, and leaves alone what others set on it.
func apply(ctx context.Context, client dynamic.Interface, operands []*unstructured.Unstructured) error {
	var faults []error
	for _, operand := range operands {
		resource, _ := meta.UnsafeGuessKindToResource(operand.GroupVersionKind()) // regular plurals only
		options := metav1.ApplyOptions{FieldManager: "cert-manager-operator", Force: true}
		_, err := client.Resource(resource).Namespace(operand.GetNamespace()).Apply(ctx, operand.GetName(), operand, options)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s %s: %w", strings.ToLower(operand.GetKind()), operand.GetName(), err))
		}
	}
	return errors.Join(faults...)
}
