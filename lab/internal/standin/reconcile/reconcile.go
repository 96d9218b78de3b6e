// Package reconcile runs the stand-ins' controllers: each looks at the whole of what it manages and puts right what differs.
package reconcile

import (
	"context"
	"log"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"spire-federation/lab/internal/wake"
)

const (
	every = 30 * time.Second // without an event: what no informer watches is put right as well
	again = time.Second      // after an error
)

// Clients reach the pod's own API server, with the pod's rights: one for Kubernetes' own kinds, one for all others.
func Clients() (*kubernetes.Clientset, *dynamic.DynamicClient, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, nil, err
	}
	config.QPS, config.Burst = 100, 200 // client-go's 5 a second would be what a cluster's start waits for
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	untyped, err := dynamic.NewForConfig(config)
	return typed, untyped, err
}

// Run calls sync when the informers, already running, know everything, and again after every change that one of them sees,
// one call at a time. It returns when ctx ends.
func Run(ctx context.Context, sync func(context.Context) error, informers ...cache.SharedIndexInformer) error {
	changed := wake.New()
	for _, informer := range informers {
		if err := changed.OnChange(informer); err != nil {
			return err
		}
		if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			return nil
		}
	}
	for {
		pause := every
		if err := sync(ctx); err != nil && ctx.Err() == nil {
			log.Print(err)
			pause = again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(pause):
		}
	}
}
