package kubelet

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spire-federation/lab/internal/wake"
)

// statusCheck is how often a pod's status in the API is compared with what it should be.
const statusCheck = 10 * time.Second

// pod is one pod, by UID, from its arrival to the removal of its last trace.
type pod struct {
	n               *node
	namespace, name string
	uid             types.UID
	spec            *v1.PodSpec
	dir             string
	sandbox         *sandbox
	volumes         *volumes

	stopping, killing context.Context // end when the containers are to end, and when they are to be killed
	stop, kill        context.CancelFunc
	done              chan struct{} // closed when nothing of the pod is left

	mu         sync.Mutex
	object     *v1.Pod // as last seen in the API
	shown      v1.PodStatus
	ip         string
	containers []*container // init containers first
	changed    wake.Signal
}

func (n *node) newPod(object *v1.Pod) *pod {
	p := &pod{
		n: n, namespace: object.Namespace, name: object.Name, uid: object.UID, spec: &object.Spec,
		dir:  filepath.Join(n.Dir, "pods", string(object.UID)),
		done: make(chan struct{}), object: object, shown: object.Status, changed: wake.New(),
	}
	p.volumes = n.newVolumes(filepath.Join(p.dir, "volumes"))
	p.stopping, p.stop = context.WithCancel(context.Background())
	p.killing, p.kill = context.WithCancel(context.Background())
	reason := "ContainerCreating"
	for i := range p.spec.InitContainers {
		reason = "PodInitializing"
		spec := &p.spec.InitContainers[i]
		p.containers = append(p.containers, &container{spec: spec, init: true, status: firstStatus(spec, object.Status.InitContainerStatuses, reason)})
	}
	for i := range p.spec.Containers {
		spec := &p.spec.Containers[i]
		p.containers = append(p.containers, &container{spec: spec, status: firstStatus(spec, object.Status.ContainerStatuses, reason)})
	}
	return p
}

// update takes the object as the API now has it; a pod that is being deleted is stopped within its grace period.
func (p *pod) update(object *v1.Pod) {
	p.mu.Lock()
	p.object = object
	p.mu.Unlock()
	if object.DeletionTimestamp != nil {
		p.end(time.Duration(*object.DeletionGracePeriodSeconds) * time.Second)
	}
}

// end stops the pod's containers and kills them after the grace period; a shorter one later on counts.
func (p *pod) end(grace time.Duration) {
	p.stop()
	time.AfterFunc(grace, p.kill)
}

// run lives as long as the pod.
func (p *pod) run() {
	defer close(p.done)
	over := p.shown.Phase == v1.PodSucceeded || p.shown.Phase == v1.PodFailed
	if !over && p.stopping.Err() == nil {
		reporting, enough := context.WithCancel(p.n.ctx)
		var reporter sync.WaitGroup
		reporter.Go(func() { p.report(reporting) })
		p.changed.Send()
		p.runContainers()
		<-p.stopping.Done() // the log of a pod that is over can be read until it is deleted
		enough()
		reporter.Wait()
		_ = p.show(p.n.ctx) // for those who watch how it ended
	}
	<-p.stopping.Done()
	if p.n.ctx.Err() == nil {
		p.remove()
	}
}

// runContainers brings the pod up and returns when no container of it will run again.
func (p *pod) runContainers() {
	if !p.prepare() {
		return
	}
	defer p.sandbox.close()
	refreshing, cancel := context.WithCancel(p.stopping)
	defer cancel()
	go p.refresh(refreshing)

	var running sync.WaitGroup
	for _, c := range p.containers {
		if !c.init {
			running.Go(func() { p.supervise(c) })
			continue
		}
		p.supervise(c)
		if t := c.status.State.Terminated; t == nil || t.ExitCode != 0 {
			break
		}
	}
	running.Wait()
}

// prepare makes network and volumes; what is missing is waited for. It returns false if the pod was stopped before.
func (p *pod) prepare() bool {
	for last := ""; ; {
		err := p.tryPrepare()
		if err == nil {
			return true
		}
		if err.Error() != last {
			last = err.Error()
			p.event(v1.EventTypeWarning, "FailedMount", last)
			p.set(func() {
				for _, c := range p.containers {
					if w := c.status.State.Waiting; w != nil {
						w.Message = last
					}
				}
			})
		}
		if !sleep(p.stopping, 300*time.Millisecond) {
			if p.sandbox != nil {
				p.sandbox.close()
			}
			return false
		}
	}
}

func (p *pod) tryPrepare() (err error) {
	if p.sandbox == nil {
		if p.sandbox, err = p.n.newSandbox(string(p.uid), p.spec.HostNetwork); err != nil {
			return err
		}
		p.set(func() { p.ip = p.sandbox.ip.String() })
	}
	return p.volumes.sync(p.stopping, p.snapshot())
}

// refresh keeps volumes up to date with the objects they come from, and tokens valid.
func (p *pod) refresh(ctx context.Context) {
	for started, last := false, time.Now(); sleep(ctx, startingRefresh); {
		started = started || p.ready()
		if started && time.Since(last) < volumeRefresh {
			continue
		}
		last = time.Now()
		if err := p.volumes.sync(ctx, p.snapshot()); err != nil && ctx.Err() == nil {
			slog.Warn("volume not refreshed", "pod", p.namespace+"/"+p.name, "error", err)
		}
	}
}

// ready says whether all containers are ready now.
func (p *pod) ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(p.containers, func(c *container) bool { return !c.init && !c.status.Ready })
}

// snapshot is the pod with the addresses it has now, which the API may not know yet.
func (p *pod) snapshot() *v1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	object := p.object.DeepCopy()
	object.Status.PodIP, object.Status.HostIP = p.ip, p.n.NodeIP
	return object
}

// set changes what the pod's status is made from.
func (p *pod) set(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.changed.Send()
}

// report writes the status to the API, always from one goroutine and always the newest: two writers could
// leave an old status as the last word.
func (p *pod) report(ctx context.Context) {
	check := time.NewTicker(statusCheck)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-check.C:
			// After a pause of this machine the cluster has called its pods unready: that is what is shown now.
			p.mu.Lock()
			p.shown.Conditions = p.object.DeepCopy().Status.Conditions
			p.mu.Unlock()
		}
		if err := p.show(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("status not written, trying again", "pod", p.namespace+"/"+p.name, "error", err)
			time.AfterFunc(time.Second, p.changed.Send)
		}
	}
}

func (p *pod) show(ctx context.Context) error {
	p.mu.Lock()
	var init, main []v1.ContainerStatus
	for _, c := range p.containers {
		if status := *c.status.DeepCopy(); c.init {
			init = append(init, status)
		} else {
			main = append(main, status)
		}
	}
	status := podStatus(p.object, p.shown, init, main, p.ip, p.n.NodeIP, metav1.Now().Rfc3339Copy())
	same := equality.Semantic.DeepEqual(status, p.shown)
	p.mu.Unlock()
	if same {
		return nil
	}
	// The UID keeps the patch from a successor of the same name: the API server refuses to change it.
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.uid}, "status": status})
	if err != nil {
		return err
	}
	_, err = p.n.client.CoreV1().Pods(p.namespace).Patch(ctx, p.name, types.MergePatchType, body, metav1.PatchOptions{}, "status")
	if replaced := errors.IsInvalid(err) && strings.Contains(err.Error(), "metadata.uid"); err != nil && !errors.IsNotFound(err) && !replaced {
		return err
	}
	p.mu.Lock()
	p.shown = status
	p.mu.Unlock()
	return nil
}

// remove takes the pod out of the API, now that its processes are gone, and its directory off the disk.
func (p *pod) remove() {
	zero := int64(0)
	for {
		err := p.n.client.CoreV1().Pods(p.namespace).Delete(p.n.ctx, p.name, metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &p.uid}})
		if err == nil || errors.IsNotFound(err) || errors.IsConflict(err) {
			break
		}
		if !sleep(p.n.ctx, time.Second) {
			return
		}
	}
	if err := os.RemoveAll(p.dir); err != nil {
		slog.Warn("pod's directory not removed", "pod", p.namespace+"/"+p.name, "error", err)
	}
}

func (p *pod) event(kind, reason, message string) {
	p.mu.Lock()
	object := p.object
	p.mu.Unlock()
	p.n.events.Event(object, kind, reason, message)
}
