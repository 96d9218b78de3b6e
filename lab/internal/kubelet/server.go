package kubelet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/errdefs"
	"github.com/virtual-kubelet/virtual-kubelet/node/api"
	"github.com/virtual-kubelet/virtual-kubelet/node/nodeutil"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	utilexec "k8s.io/utils/exec"
)

// serve answers the API server (logs, exec) and SPIRE's agents (the list of pods) until ctx ends.
func (n *node) serve(ctx context.Context) error {
	certificate, err := tls.LoadX509KeyPair(n.CertFile, n.KeyFile)
	if err != nil {
		return fmt.Errorf("serving certificate: %w", err)
	}
	ca, err := os.ReadFile(n.CAFile)
	if err != nil {
		return fmt.Errorf("cluster CA: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(ca)
	trusted, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", n.CAFile)
	if err != nil {
		return fmt.Errorf("cluster CA: %w", err)
	}
	// A certificate or a ServiceAccount's token, and a right to nodes/proxy: as kubelet, so that SPIRE's
	// agent is let in by the ClusterRole that the operator gives it.
	auth, err := nodeutil.WebhookAuth(n.client, n.NodeName, func(c *nodeutil.WebhookAuthConfig) error {
		c.AuthnConfig.ClientCertificateCAContentProvider = trusted
		return nil
	})
	if err != nil {
		return fmt.Errorf("authentication: %w", err)
	}
	handler := api.PodHandler(api.PodHandlerConfig{
		RunInContainer:    n.runInContainer,
		GetContainerLogs:  n.containerLogs,
		StreamIdleTimeout: 4 * time.Hour,
		GetPodsFromKubernetes: func(context.Context) ([]*v1.Pod, error) {
			return n.lister.List(labels.Everything())
		},
	}, false)
	server := &http.Server{
		Addr:              net.JoinHostPort(n.NodeIP, fmt.Sprint(kubeletPort)),
		Handler:           nodeutil.WithAuth(auth, handler),
		ReadHeaderTimeout: 30 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, ClientCAs: clients, ClientAuth: tls.VerifyClientCertIfGiven},
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

// container finds a container of a pod that this node runs.
func (n *node) container(namespace, pod, name string) (*pod, *container, error) {
	object, err := n.lister.Pods(namespace).Get(pod)
	if err != nil {
		return nil, nil, errdefs.AsNotFound(err)
	}
	n.mu.Lock()
	p := n.pods[object.UID]
	n.mu.Unlock()
	if p != nil {
		for _, c := range p.containers {
			if c.spec.Name == name {
				return p, c, nil
			}
		}
	}
	return nil, nil, errdefs.NotFoundf("container %s of pod %s/%s does not run here", name, namespace, pod)
}

func (n *node) runInContainer(ctx context.Context, namespace, pod, name string, argv []string, streams api.AttachIO) error {
	p, c, err := n.container(namespace, pod, name)
	if err != nil {
		return err
	}
	if streams.TTY() {
		return errors.New("the lab's node has no terminals: leave out -t")
	}
	p.mu.Lock()
	run, running := c.process, c.status.State.Running != nil
	p.mu.Unlock()
	if !running {
		return fmt.Errorf("container %s is not running", name)
	}
	code, err := run.exec(ctx, argv, streams.Stdin(), streams.Stdout(), streams.Stderr())
	if err != nil {
		return err
	}
	if code != 0 {
		return utilexec.CodeExitError{Code: code, Err: fmt.Errorf("command terminated with exit code %d", code)}
	}
	return nil
}

func (n *node) containerLogs(ctx context.Context, namespace, pod, name string, o api.ContainerLogOpts) (io.ReadCloser, error) {
	p, c, err := n.container(namespace, pod, name)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	run, process, status := c.status.RestartCount, c.process, c.status
	p.mu.Unlock()
	if status.State.Waiting != nil && status.LastTerminationState.Terminated == nil {
		return nil, errdefs.InvalidInputf("container %q in pod %q is waiting to start: %s", name, pod, status.State.Waiting.Reason)
	}
	if o.Previous {
		run--
	}
	log, err := readLog(ctx, p.logPath(c, run), o, func() bool { return !o.Previous && process != nil && process.running() })
	if os.IsNotExist(err) {
		return nil, errdefs.InvalidInputf("container %q in pod %q has no such log", name, pod)
	}
	return log, err
}
