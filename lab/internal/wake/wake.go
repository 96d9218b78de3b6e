// Package wake tells a loop that something has changed. Changes before it looks count as one.
package wake

import "k8s.io/client-go/tools/cache"

// Signal is what the loop receives from.
type Signal chan struct{}

// New makes a signal that has not been sent.
func New() Signal { return make(Signal, 1) }

// Send never waits: when the loop has not yet looked, it is going to see this change as well.
func (s Signal) Send() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// OnChange sends the signal for every event of an informer.
func (s Signal) OnChange(informer cache.SharedInformer) error {
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { s.Send() }, UpdateFunc: func(_, _ any) { s.Send() }, DeleteFunc: func(any) { s.Send() },
	})
	return err
}
