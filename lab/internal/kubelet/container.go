package kubelet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spire-federation/lab/internal/kubelet/cgroup"
	"spire-federation/lab/internal/wake"
)

// container is one container of a pod over all its runs; pod.mu guards status and process.
type container struct {
	spec    *v1.Container
	init    bool
	status  v1.ContainerStatus
	process *process // the latest run
}

// supervise runs a container again and again as its restart policy says, until it is done or the pod stops.
func (p *pod) supervise(c *container) {
	policy := p.spec.RestartPolicy
	if c.init && policy == v1.RestartPolicyAlways {
		policy = v1.RestartPolicyOnFailure
	}
	for ends := 0; p.stopping.Err() == nil; {
		begun := time.Now()
		end := p.runOnce(c)
		if end == nil || !restarts(policy, end.ExitCode) {
			return
		}
		if time.Since(begun) > 10*time.Minute {
			ends = 0
		}
		ends++
		delay := restartDelay(ends)
		if delay == 0 {
			continue
		}
		message := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", delay, c.spec.Name, p.name, p.namespace, p.uid)
		p.set(func() {
			c.status.LastTerminationState = v1.ContainerState{Terminated: end}
			c.status.State = waiting("CrashLoopBackOff", message)
		})
		p.event(v1.EventTypeWarning, "BackOff", message)
		if !sleep(p.stopping, delay) {
			p.set(func() { c.status.State = v1.ContainerState{Terminated: end} })
		}
	}
}

// runOnce starts the container, waits for its end and shows both; nil if the pod was stopped before it could start.
func (p *pod) runOnce(c *container) *v1.ContainerStateTerminated {
	var spec rootSpec
	for tried := false; ; tried = true {
		if c.status.ContainerID != "" { // a kubelet brings the volumes up to date before it starts a container again
			_ = p.volumes.sync(p.stopping, p.snapshot()) // what cannot be is as it was
		}
		var reason string
		var err error
		if spec, reason, err = p.describe(c); err == nil {
			break
		}
		if !tried {
			p.event(v1.EventTypeWarning, "Failed", err.Error())
		} else if reason == "ErrImagePull" {
			reason = "ImagePullBackOff"
		}
		p.set(func() { c.status.State = waiting(reason, err.Error()) })
		if !sleep(p.stopping, time.Second) {
			return nil
		}
	}

	id := newID()
	begun := metav1.Now()
	p.set(func() {
		if c.status.ContainerID != "" {
			c.status.RestartCount++
		}
		if t := c.status.State.Terminated; t != nil {
			c.status.LastTerminationState = v1.ContainerState{Terminated: t}
		}
		c.status.ContainerID, c.status.ImageID = "cri-o://"+id, c.spec.Image
	})
	process, err := p.start(c, spec, id)
	end := &v1.ContainerStateTerminated{StartedAt: begun, ContainerID: "cri-o://" + id}
	if err != nil {
		end.ExitCode, end.Reason, end.Message = 128, "StartError", err.Error()
		p.event(v1.EventTypeWarning, "Failed", err.Error())
	} else {
		p.set(func() {
			c.process = process
			c.status.State = v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: begun}}
		})
		p.accompany(c, process)
		end.ExitCode, end.Reason = process.exit, "Error"
		if end.ExitCode == 0 {
			end.Reason = "Completed"
		}
	}
	end.FinishedAt = metav1.Now()
	p.set(func() {
		c.status.State = v1.ContainerState{Terminated: end}
		c.status.Ready = c.init && end.ExitCode == 0
		*c.status.Started = false
	})
	return end
}

// describe works out what a container's process is to be; an error's reason is what its status shows meanwhile.
func (p *pod) describe(c *container) (s rootSpec, reason string, err error) {
	image, err := p.n.images.Find(c.spec.Image)
	if err != nil {
		return s, "ErrImagePull", err
	}
	s = rootSpec{Root: filepath.Join(p.dir, "root"), Rewrite: image.Rewrite, Dir: orElse(c.spec.WorkingDir, "/")}
	for path, binary := range image.Files {
		if !filepath.IsAbs(binary) {
			binary = filepath.Join(p.n.Toolchain, "bin", binary)
		}
		if _, err := os.Stat(binary); err != nil {
			return s, "ErrImagePull", fmt.Errorf("program of image %s: %w", image.Name, err)
		}
		s.Mounts = append(s.Mounts, mount{binary, path, true})
	}

	pod, hostname := p.snapshot(), orElse(p.spec.Hostname, p.name)
	if p.spec.HostNetwork {
		hostname = p.n.NodeName
	}
	s.Hostname = hostname
	vars := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "HOSTNAME": hostname,
		"KUBERNETES_SERVICE_HOST": p.n.APIServiceIP, "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443",
		"GOMAXPROCS": "1", "GOGC": "400", // as for the lab's own processes
	}
	for name, value := range image.Env {
		vars[name] = value
	}
	if err := p.n.environment(pod, c.spec, vars); err != nil {
		return s, "CreateContainerConfigError", err
	}
	mounts, err := p.volumes.mounts(c.spec)
	if err == nil {
		s.Files, err = p.n.etc(p.namespace, hostname, pod.Status.PodIP)
	}
	if err != nil {
		return s, "CreateContainerConfigError", err
	}
	s.Mounts = append(s.Mounts, mounts...)
	s.Argv = image.Argv(expandAll(c.spec.Command, vars), expandAll(c.spec.Args, vars))
	if len(s.Argv) == 0 {
		return s, "CreateContainerError", fmt.Errorf("image %s has no entrypoint and container %s no command", image.Name, c.spec.Name)
	}
	s.Env, s.Path = environ(vars), vars["PATH"]
	if sc := c.spec.SecurityContext; sc != nil {
		s.ReadOnly = isTrue(sc.ReadOnlyRootFilesystem)
	}
	return s, "", nil
}

func (p *pod) start(c *container, spec rootSpec, id string) (*process, error) {
	if err := os.MkdirAll(spec.Root, 0o755); err != nil {
		return nil, err
	}
	spec.Files[cgroup.Label] = cgroup.Labelled(string(p.uid), id)
	_ = os.Remove(p.logPath(c, c.status.RestartCount-2)) // the last two runs are kept
	return start(spec, p.sandbox.ns, p.spec.HostPID, p.logPath(c, c.status.RestartCount))
}

func (p *pod) logPath(c *container, run int32) string {
	return filepath.Join(p.dir, "logs", c.spec.Name, fmt.Sprint(run, ".log"))
}

// accompany probes a running container, and returns when it has ended: by itself, unhealthy, or with the pod.
func (p *pod) accompany(c *container, run *process) {
	probing, cancel := context.WithCancel(p.stopping)
	defer cancel()
	unhealthy := wake.New()
	starting, started := context.WithCancel(probing)
	live := func() {
		started()
		p.set(func() {
			*c.status.Started = true
			c.status.Ready = c.spec.ReadinessProbe == nil && !c.init
		})
		go p.probe(probing, c, run, c.spec.LivenessProbe, "Liveness", func(ok bool) {
			if !ok {
				unhealthy.Send()
			}
		})
		go p.probe(probing, c, run, c.spec.ReadinessProbe, "Readiness", func(ok bool) {
			p.set(func() { c.status.Ready = ok && c.process == run && c.status.State.Running != nil })
		})
	}
	if c.spec.StartupProbe == nil {
		live()
	} else {
		go p.probe(starting, c, run, c.spec.StartupProbe, "Startup", func(ok bool) {
			if ok {
				live()
			} else {
				unhealthy.Send()
			}
		})
	}
	select {
	case <-run.done:
	case <-p.stopping.Done():
		run.stop(p.killing)
	case <-unhealthy:
		cancel()
		p.event(v1.EventTypeNormal, "Killing", fmt.Sprintf("Container %s failed its probe and will be restarted", c.spec.Name))
		patience, stop := context.WithTimeout(p.killing, time.Duration(*p.spec.TerminationGracePeriodSeconds)*time.Second)
		defer stop()
		run.stop(patience)
	}
}

// probe runs one probe of a container, if it has it. Only readiness is eager: a liveness probe that is
// kills programs that are still starting.
func (p *pod) probe(ctx context.Context, c *container, run *process, probe *v1.Probe, kind string, verdict func(ok bool)) {
	if probe == nil {
		return
	}
	last := ""
	watch(ctx, probe, kind == "Readiness",
		func(ctx context.Context) error { return check(ctx, probe, c.spec, p.sandbox.ip.String(), run) },
		func(err error) {
			if err != nil && err.Error() != last {
				last = err.Error()
				p.event(v1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe of %s failed: %s", kind, c.spec.Name, last))
			}
			verdict(err == nil)
		})
}

// newID looks like a container runtime's: SPIRE takes the container from the 64 digits that end the cgroup path.
func newID() string {
	var id [32]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
