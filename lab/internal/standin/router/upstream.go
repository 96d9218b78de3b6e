package router

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	listers "k8s.io/client-go/listers/discovery/v1"
)

// HAProxy connects again to a server that refused it, a second apart (its `retries`), and answers 503 when there is none.
const (
	retries    = 3
	turnaround = time.Second
)

var errNoEndpoint = errors.New("no ready endpoint")

// upstream reaches the pods behind Routes.
type upstream struct {
	slices    listers.EndpointSliceLister
	serviceCA string // PEM file; read for each connection, because service-CA fills it after the router has started
}

// dial connects to one of the Route's endpoints, with TLS when the Route re-encrypts.
func (u *upstream) dial(ctx context.Context, r *route) (net.Conn, error) {
	if r == nil {
		return nil, errors.New("no admitted route has this host")
	}
	for again := 0; ; again++ {
		conn, err := u.attempt(ctx, r)
		if err == nil || errors.Is(err, errNoEndpoint) || again == retries {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(turnaround):
		}
	}
}

func (u *upstream) attempt(ctx context.Context, r *route) (net.Conn, error) {
	slices, err := u.slices.EndpointSlices(r.Namespace).List(labels.Set{discoveryv1.LabelServiceName: r.Spec.To.Name}.AsSelector())
	if err != nil {
		return nil, err
	}
	addresses := endpoints(slices, r)
	if len(addresses) == 0 {
		return nil, fmt.Errorf("service %s/%s: %w", r.Namespace, r.Spec.To.Name, errNoEndpoint)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addresses[rand.IntN(len(addresses))])
	if err != nil || r.termination() != reencrypt {
		return conn, err
	}
	secure, err := u.encrypt(ctx, conn, r)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// encrypt speaks TLS to a pod, which must have the service-CA's certificate for the Route's Service.
func (u *upstream) encrypt(ctx context.Context, conn net.Conn, r *route) (net.Conn, error) {
	pem, err := os.ReadFile(u.serviceCA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: r.Spec.To.Name + "." + r.Namespace + ".svc"})
	return client, client.HandshakeContext(ctx)
}

// endpoints are the ready addresses of the port that the Route names (a Service's port by its name, or a pod's port by its
// number), or of the first port when it names none.
func endpoints(slices []*discoveryv1.EndpointSlice, r *route) (addresses []string) {
	for _, slice := range slices {
		for _, port := range slice.Ports {
			if port.Port == nil || r.Spec.Port != nil && !names(r.Spec.Port.TargetPort, port) {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					addresses = append(addresses, net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(*port.Port))))
				}
			}
			break
		}
	}
	return addresses
}

func names(target intstr.IntOrString, port discoveryv1.EndpointPort) bool {
	if target.Type == intstr.Int {
		return target.IntVal == *port.Port
	}
	return port.Name != nil && target.StrVal == *port.Name
}
