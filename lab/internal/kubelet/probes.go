package kubelet

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// eagerPeriod is how often a container that has never been ready is asked: waiting
// out initialDelaySeconds and periodSeconds would be half of a cluster's start-up.
const eagerPeriod = 250 * time.Millisecond

// watch calls check as the probe asks, and report with every verdict that reaches its threshold.
// An eager probe does not wait until it has succeeded once.
func watch(ctx context.Context, p *v1.Probe, eager bool, check func(context.Context) error, report func(error)) {
	period := seconds(p.PeriodSeconds, 10)
	if !eager && !sleep(ctx, time.Duration(p.InitialDelaySeconds)*time.Second) {
		return
	}
	var successes, failures int32
	for {
		limited, cancel := context.WithTimeout(ctx, seconds(p.TimeoutSeconds, 1))
		err := check(limited)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			successes, failures, eager = successes+1, 0, false
			if successes >= p.SuccessThreshold {
				report(nil)
			}
		} else {
			successes, failures = 0, failures+1
			if failures >= p.FailureThreshold {
				report(err)
			}
		}
		pause := period
		if eager {
			pause = eagerPeriod
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

var probeClient = &http.Client{Transport: &http.Transport{
	DisableKeepAlives: true,
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // as every kubelet
}}

// check asks once.
func check(ctx context.Context, p *v1.Probe, c *v1.Container, ip string, run *process) error {
	switch {
	case p.HTTPGet != nil:
		return checkHTTP(ctx, p.HTTPGet, c, ip)
	case p.TCPSocket != nil:
		port, err := portOf(c, p.TCPSocket.Port)
		if err != nil {
			return err
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(orElse(p.TCPSocket.Host, ip), port))
		if err != nil {
			return err
		}
		return conn.Close()
	case p.Exec != nil:
		var said strings.Builder
		code, err := run.exec(ctx, p.Exec.Command, nil, &said, &said)
		if err == nil && code != 0 {
			err = fmt.Errorf("command exited with %d: %s", code, said.String())
		}
		return err
	}
	return fmt.Errorf("this node knows httpGet, tcpSocket and exec probes only")
}

func checkHTTP(ctx context.Context, g *v1.HTTPGetAction, c *v1.Container, ip string) error {
	port, err := portOf(c, g.Port)
	if err != nil {
		return err
	}
	url := fmt.Sprintf("%s://%s/%s", strings.ToLower(orElse(string(g.Scheme), "http")),
		net.JoinHostPort(orElse(g.Host, ip), port), strings.TrimPrefix(g.Path, "/"))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, h := range g.HTTPHeaders {
		request.Header.Add(h.Name, h.Value)
		if strings.EqualFold(h.Name, "Host") {
			request.Host = h.Value
		}
	}
	answer, err := probeClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode >= 400 {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1024))
		return fmt.Errorf("HTTP probe failed with statuscode: %d: %s", answer.StatusCode, body)
	}
	return nil
}

// portOf resolves a port of the probe's own container: other containers of the pod may use the same name.
func portOf(c *v1.Container, port intstr.IntOrString) (string, error) {
	if port.Type == intstr.Int {
		return port.String(), nil
	}
	for _, p := range c.Ports {
		if p.Name == port.StrVal {
			return fmt.Sprint(p.ContainerPort), nil
		}
	}
	return "", fmt.Errorf("container %s has no port named %q", c.Name, port.StrVal)
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

func seconds(n, other int32) time.Duration {
	if n <= 0 {
		n = other
	}
	return time.Duration(n) * time.Second
}

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
