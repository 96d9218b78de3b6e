package catalog

import (
	"context"
	"flag"
	"net"
	"os"

	"github.com/operator-framework/operator-registry/pkg/api"
	"github.com/operator-framework/operator-registry/pkg/cache"
	"github.com/operator-framework/operator-registry/pkg/server"
	"google.golang.org/grpc"
	health "google.golang.org/grpc/health/grpc_health_v1"
)

// Serve answers OLM's questions about a directory that Run has written, as `opm serve` does: with the same server.
// opm itself brings image stores and SQLite, which nobody here needs and which take minutes to compile.
func Serve(ctx context.Context, args []string) error {
	options := flag.NewFlagSet("registry", flag.ContinueOnError)
	configs := options.String("configs", "", "directory with catalog.json")
	address := options.String("listen", ":50051", "address to serve on")
	if err := options.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "registry-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	store, err := cache.New(dir)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := cache.LoadOrRebuild(ctx, store, os.DirFS(*configs)); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	registry := grpc.NewServer()
	api.RegisterRegistryServer(registry, server.NewRegistryServer(store))
	health.RegisterHealthServer(registry, server.NewHealthServer())
	defer context.AfterFunc(ctx, registry.Stop)()
	return registry.Serve(listener)
}
