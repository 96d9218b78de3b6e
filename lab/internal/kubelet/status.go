package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podStatus is what the API shows of a pod, computed from what it showed before and the containers' statuses.
func podStatus(pod *v1.Pod, before v1.PodStatus, init, main []v1.ContainerStatus, podIP, hostIP string, now metav1.Time) v1.PodStatus {
	s := *before.DeepCopy()
	s.ObservedGeneration = pod.Generation
	s.Phase = phase(pod.Spec.RestartPolicy, init, main)
	s.InitContainerStatuses, s.ContainerStatuses = init, main
	s.HostIP, s.HostIPs = hostIP, []v1.HostIP{{IP: hostIP}}
	if s.StartTime == nil {
		s.StartTime = &now
	}
	if podIP != "" {
		s.PodIP, s.PodIPs = podIP, []v1.PodIP{{IP: podIP}}
	}
	over := s.Phase == v1.PodSucceeded || s.Phase == v1.PodFailed
	unready := []string{}
	for _, c := range main {
		if !c.Ready {
			unready = append(unready, c.Name)
		}
	}
	ready := v1.PodCondition{Type: v1.PodReady, Status: truth(len(unready) == 0 && !over)}
	if over {
		ready.Reason = "PodCompleted"
	} else if len(unready) > 0 {
		ready.Reason, ready.Message = "ContainersNotReady", fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	}
	containers := ready
	containers.Type = v1.ContainersReady
	for _, c := range []v1.PodCondition{
		{Type: v1.PodReadyToStartContainers, Status: truth(podIP != "" && !over)},
		{Type: v1.PodInitialized, Status: truth(initialized(init))},
		containers,
		ready,
	} {
		c.LastTransitionTime = now
		at := slices.IndexFunc(s.Conditions, func(old v1.PodCondition) bool { return old.Type == c.Type })
		if at < 0 {
			s.Conditions = append(s.Conditions, c)
			continue
		}
		if s.Conditions[at].Status == c.Status {
			c.LastTransitionTime = s.Conditions[at].LastTransitionTime
		}
		s.Conditions[at] = c
	}
	return s
}

func phase(policy v1.RestartPolicy, init, main []v1.ContainerStatus) v1.PodPhase {
	for _, c := range init {
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 && policy == v1.RestartPolicyNever {
			return v1.PodFailed
		}
	}
	if !initialized(init) {
		return v1.PodPending
	}
	result := v1.PodSucceeded
	for _, c := range main {
		end := c.State.Terminated
		if c.State.Waiting != nil {
			end = c.LastTerminationState.Terminated // between two runs
		}
		switch {
		case c.State.Waiting != nil && end == nil:
			return v1.PodPending // never started yet
		case end == nil || restarts(policy, end.ExitCode):
			result = v1.PodRunning
		case end.ExitCode != 0 && result == v1.PodSucceeded:
			result = v1.PodFailed
		}
	}
	return result
}

// initialized tells whether all init containers have done their work.
func initialized(init []v1.ContainerStatus) bool {
	return !slices.ContainsFunc(init, func(c v1.ContainerStatus) bool {
		return c.State.Terminated == nil || c.State.Terminated.ExitCode != 0
	})
}

// restarts tells whether a container that ended runs again.
func restarts(policy v1.RestartPolicy, exit int32) bool {
	return policy == v1.RestartPolicyAlways || policy == v1.RestartPolicyOnFailure && exit != 0
}

// restartDelay is kubelet's back-off: at once after the first end, then 10 s, doubling up to 5 min.
func restartDelay(ends int) time.Duration {
	if ends <= 1 {
		return 0
	}
	return min(10*time.Second<<min(ends-2, 10), 5*time.Minute)
}

// firstStatus is the status of a container not started yet; one that ran under an earlier run of this
// node goes on counting its restarts.
func firstStatus(spec *v1.Container, before []v1.ContainerStatus, reason string) v1.ContainerStatus {
	s := v1.ContainerStatus{Name: spec.Name, Image: spec.Image, State: waiting(reason, ""), Started: new(bool)}
	for _, old := range before {
		if old.Name == spec.Name {
			s.RestartCount, s.ContainerID, s.ImageID = old.RestartCount, old.ContainerID, old.ImageID
			s.LastTerminationState = old.LastTerminationState
		}
	}
	return s
}

func waiting(reason, message string) v1.ContainerState {
	return v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func truth(b bool) v1.ConditionStatus {
	if b {
		return v1.ConditionTrue
	}
	return v1.ConditionFalse
}
