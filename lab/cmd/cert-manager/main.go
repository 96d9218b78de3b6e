// Command cert-manager runs the real cert-manager's controllers, built from its
// public packages because its own command is a module that cannot be downloaded
// on its own. It issues from ACME, CA and self-signed issuers. Left out are the
// webhook, the CA injector, leader election and the other kinds of issuer.
//
// `cert-manager acmesolver` is the program in the pod that answers an HTTP-01 challenge.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/klog/v2"

	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

// healthAddress is where the real controller answers GET /livez.
const healthAddress = ":9403"

func main() {
	run, args := runControllers, os.Args[1:]
	if len(args) > 0 && args[0] == "acmesolver" {
		run, args = runSolver, args[1:]
	}
	if err := run(args); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cert-manager:", err)
		os.Exit(1)
	}
}

func runControllers(args []string) error {
	flags := flag.NewFlagSet("cert-manager", flag.ContinueOnError)
	klog.InitFlags(flags)
	namespace := flags.String("cluster-resource-namespace", "cert-manager", "namespace of the secrets of ClusterIssuers")
	solverImage := flags.String("acme-http01-solver-image", "lab.local/acmesolver", "image that answers HTTP-01 challenges")
	flags.Func("feature-gates", "name=true|false, …", utilfeature.DefaultMutableFeatureGate.Set)
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	group, ctx := errgroup.WithContext(logf.NewContext(ctx, logf.Log, "controller"))
	factory, err := controller.NewContextFactory(ctx, options(*namespace, *solverImage))
	if err != nil {
		return fmt.Errorf("make the controllers' context: %w", err)
	}
	shared, err := factory.Build()
	if err != nil {
		return fmt.Errorf("make the shared clients: %w", err)
	}
	for name, construct := range controller.Known() {
		c, err := construct(factory)
		if err != nil {
			return fmt.Errorf("construct controller %s: %w", name, err)
		}
		group.Go(func() error {
			if err := c.Run(5, ctx); err != nil {
				return fmt.Errorf("controller %s: %w", name, err)
			}
			return nil
		})
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	// Healthy once everything has been listed, which takes the CRDs and the RBAC to be there.
	shared.SharedInformerFactory.WaitForCacheSync(ctx.Done())
	shared.KubeSharedInformerFactory.WaitForCacheSync(ctx.Done())
	group.Go(func() error { return serveHealth(ctx) })
	return group.Wait()
}

// options are the real command's defaults where the lab has no other wish.
func options(namespace, solverImage string) controller.ContextOptions {
	return controller.ContextOptions{
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions: controller.IssuerOptions{
			ClusterResourceNamespace: namespace,
		},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 solverImage,
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			DNS01CheckAuthoritative:           true,
			DNS01Nameservers:                  util.RecursiveNameservers,
			// For HTTP-01 as well, whose first look comes before the Route is there: the default's 10 s would be lost on every order.
			DNS01CheckRetryPeriod: time.Second,
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes: []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
	}
}

func serveHealth(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: healthAddress, Handler: mux}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve health: %w", err)
	}
	return nil
}

func runSolver(args []string) error {
	var s solver.HTTP01Solver
	flags := flag.NewFlagSet("acmesolver", flag.ContinueOnError)
	flags.IntVar(&s.ListenPort, "listen-port", 8089, "port to answer on")
	flags.StringVar(&s.Domain, "domain", "", "domain that is being validated")
	flags.StringVar(&s.Token, "token", "", "challenge token")
	flags.StringVar(&s.Key, "key", "", "answer to the challenge")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return s.Listen(logf.Log)
}
