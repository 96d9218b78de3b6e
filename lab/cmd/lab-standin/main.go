// Command lab-standin is one binary for everything on OpenShift that the lab only imitates:
// operators and platform controllers, and the pause that stands for programs nobody needs.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"spire-federation/lab/internal/catalog"
	"spire-federation/lab/internal/standin/certmanageroperator"
	"spire-federation/lab/internal/standin/ingress"
	"spire-federation/lab/internal/standin/router"
	"spire-federation/lab/internal/standin/serviceca"
	"spire-federation/lab/internal/standin/ztwim"
)

var standins = map[string]func(context.Context, []string) error{
	"ztwim-operator":        ztwim.Run,
	"cert-manager-operator": certmanageroperator.Run,
	"router":                router.Run,
	"ingress-to-route":      ingress.Run,
	"service-ca":            serviceca.Run,
	"catalog":               catalog.Run,
	"pause":                 pause,
}

// pause runs until it is told to stop.
func pause(ctx context.Context, _ []string) error {
	<-ctx.Done()
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 || standins[os.Args[1]] == nil {
		names := slices.Sorted(maps.Keys(standins))
		fmt.Fprintf(os.Stderr, "usage: lab-standin <%s> [flags]\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	if err := standins[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
