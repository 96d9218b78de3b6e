// Command lab-standin is one binary for everything on OpenShift that the lab only imitates:
// operators and platform controllers, and the pause that stands for programs nobody needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"spire-federation/lab/internal/catalog"
	"spire-federation/lab/internal/standin/certmanageroperator"
	"spire-federation/lab/internal/standin/certmanagerwebhook"
	"spire-federation/lab/internal/standin/ingress"
	"spire-federation/lab/internal/standin/router"
	"spire-federation/lab/internal/standin/serviceca"
	"spire-federation/lab/internal/standin/trustedca"
	"spire-federation/lab/internal/standin/writers"
	"spire-federation/lab/internal/standin/ztwim"
)

var standins = map[string]func(context.Context, []string) error{
	"ztwim-operator":        ztwim.Run,
	"cert-manager-operator": certmanageroperator.Run,
	"cert-manager-webhook":  certmanagerwebhook.Run,
	"router":                router.Run,
	"ingress-to-route":      ingress.Run,
	"service-ca":            serviceca.Run,
	"network-operator":      trustedca.Run,
	"catalog":               catalog.Run,
	"registry":              catalog.Serve,

	"openshift-controller-manager": writers.Run,
	"pause":                        pause,
}

// pause runs until it is told to stop, and answers health checks when it is given an address.
func pause(ctx context.Context, args []string) error {
	if len(args) == 0 {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{Addr: args[0], Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
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
