package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/probe"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
	tcpprobe "k8s.io/kubernetes/pkg/probe/tcp"
)

// eagerPeriod is how often a container that has never been ready is asked after its initialDelaySeconds:
// waiting out periodSeconds, 30 s for SPIRE's agent, would be half of a cluster's start-up.
const eagerPeriod = 250 * time.Millisecond

// watch calls check as the probe asks, and report with every verdict that reaches its threshold.
// An eager probe does not keep to the period until it has succeeded once.
func watch(ctx context.Context, p *v1.Probe, eager bool, check func(context.Context) error, report func(error)) {
	if !sleep(ctx, seconds(p.InitialDelaySeconds)) {
		return
	}
	var successes, failures int32
	for {
		err := check(ctx)
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
		pause := seconds(p.PeriodSeconds)
		if eager {
			pause = eagerPeriod
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

var (
	httpProber = httpprobe.New(true)
	tcpProber  = tcpprobe.New()
)

// check asks once, the way kubelet does.
func check(ctx context.Context, p *v1.Probe, c *v1.Container, ip string, run *process) error {
	result, said, err := probe.Unknown, "", error(nil)
	switch patience := seconds(p.TimeoutSeconds); {
	case p.HTTPGet != nil:
		var request *http.Request
		if request, err = httpprobe.NewRequestForHTTPGetAction(p.HTTPGet, c, ip, "probe"); err == nil {
			result, said, err = httpProber.Probe(request.WithContext(ctx), patience)
		}
	case p.TCPSocket != nil:
		var port int
		if port, err = probe.ResolveContainerPort(p.TCPSocket.Port, c); err == nil {
			result, said, err = tcpProber.Probe(orElse(p.TCPSocket.Host, ip), port, patience)
		}
	case p.Exec != nil:
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var output strings.Builder
		var code int
		if code, err = run.exec(limited, p.Exec.Command, nil, &output, &output); err == nil && code == 0 {
			result = probe.Success
		}
		said = fmt.Sprintf("command exited with %d: %s", code, output.String())
	default:
		err = errors.New("this node knows httpGet, tcpSocket and exec probes only")
	}
	if err == nil && result != probe.Success && result != probe.Warning {
		err = errors.New(said)
	}
	return err
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
