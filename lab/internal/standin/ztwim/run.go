// Package ztwim stands for the operator of the Zero Trust Workload Identity Manager 1.0.0.
package ztwim

import "context"

// Run runs the operator until ctx ends.
func Run(ctx context.Context, args []string) error {
	<-ctx.Done()
	return nil
}
