package kubelet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podStatus is what the API shows of a pod: computed from its containers' statuses and what it showed before.
func podStatus(pod *v1.Pod, before v1.PodStatus, init, main []v1.ContainerStatus, podIP, hostIP string, now metav1.Time) v1.PodStatus {
	s := v1.PodStatus{
		ObservedGeneration:    pod.Generation,
		Phase:                 phase(pod.Spec.RestartPolicy, init, main),
		StartTime:             before.StartTime,
		InitContainerStatuses: init,
		ContainerStatuses:     main,
		HostIP:                hostIP,
		HostIPs:               []v1.HostIP{{IP: hostIP}},
		PodIP:                 podIP,
	}
	if s.StartTime == nil {
		s.StartTime = &now
	}
	if podIP != "" {
		s.PodIPs = []v1.PodIP{{IP: podIP}}
	}
	over := s.Phase == v1.PodSucceeded || s.Phase == v1.PodFailed
	initialized, reason, message := v1.PodCondition{Type: v1.PodInitialized, Status: v1.ConditionTrue}, "", ""
	if !allDone(init) {
		initialized.Status, initialized.Reason = v1.ConditionFalse, "ContainersNotInitialized"
	}
	unready := []string{}
	for _, c := range main {
		if !c.Ready {
			unready = append(unready, c.Name)
		}
	}
	if over {
		reason = "PodCompleted"
	} else if len(unready) > 0 {
		reason, message = "ContainersNotReady", fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	}
	ready := condition(len(unready) == 0 && !over)
	ours := []v1.PodCondition{
		{Type: v1.PodReadyToStartContainers, Status: condition(podIP != "" && !over)},
		initialized,
		{Type: v1.ContainersReady, Status: ready, Reason: reason, Message: message},
		{Type: v1.PodReady, Status: ready, Reason: reason, Message: message},
	}
	s.Conditions = merge(pod.Status.Conditions, before.Conditions, ours, now)
	return s
}

// merge keeps foreign conditions as the API has them, and ours with the time of their last change.
func merge(api, before, ours []v1.PodCondition, now metav1.Time) []v1.PodCondition {
	find := func(list []v1.PodCondition, t v1.PodConditionType) *v1.PodCondition {
		if i := slices.IndexFunc(list, func(c v1.PodCondition) bool { return c.Type == t }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	out := []v1.PodCondition{}
	for _, c := range api {
		if find(ours, c.Type) == nil {
			out = append(out, c)
		}
	}
	for _, c := range ours {
		c.LastTransitionTime = now
		if old := find(before, c.Type); old != nil && old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		out = append(out, c)
	}
	return out
}

func phase(policy v1.RestartPolicy, init, main []v1.ContainerStatus) v1.PodPhase {
	for _, c := range init {
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 && policy == v1.RestartPolicyNever {
			return v1.PodFailed
		}
	}
	if !allDone(init) {
		return v1.PodPending
	}
	var waiting, running, stopped, failed int
	for _, c := range main {
		t := c.State.Terminated
		if t == nil && c.State.Waiting != nil {
			t = c.LastTerminationState.Terminated // between two runs
		}
		switch {
		case c.State.Running != nil:
			running++
		case t == nil:
			waiting++
		case restarts(policy, t.ExitCode):
			running++
		default:
			stopped++
			if t.ExitCode != 0 {
				failed++
			}
		}
	}
	switch {
	case waiting > 0:
		return v1.PodPending
	case running > 0 || stopped == 0:
		return v1.PodRunning
	case failed > 0:
		return v1.PodFailed
	}
	return v1.PodSucceeded
}

func allDone(init []v1.ContainerStatus) bool {
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

func condition(b bool) v1.ConditionStatus {
	if b {
		return v1.ConditionTrue
	}
	return v1.ConditionFalse
}

// inherit is the state of a container whose process ended unseen with an earlier run of this node.
func inherit(spec *v1.Container, before []v1.ContainerStatus, firstReason string) v1.ContainerStatus {
	s := v1.ContainerStatus{Name: spec.Name, Image: spec.Image, Started: new(bool)}
	s.State.Waiting = &v1.ContainerStateWaiting{Reason: firstReason}
	for _, old := range before {
		if old.Name != spec.Name || old.ContainerID == "" {
			continue
		}
		s.RestartCount = old.RestartCount
		s.ContainerID, s.ImageID = old.ContainerID, old.ImageID
		s.LastTerminationState = old.LastTerminationState
		if old.State.Terminated != nil {
			s.State = old.State
		} else if r := old.State.Running; r != nil {
			s.State = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{
				ExitCode: 255, Reason: "Unknown", Message: "the node was restarted", StartedAt: r.StartedAt, FinishedAt: metav1.Now(), ContainerID: old.ContainerID,
			}}
		}
	}
	return s
}
