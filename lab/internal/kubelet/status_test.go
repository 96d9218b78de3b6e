package kubelet

import (
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func ended(code int32) v1.ContainerState {
	return v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: code}}
}

var running = v1.ContainerState{Running: &v1.ContainerStateRunning{}}

func TestPhase(t *testing.T) {
	state := func(states ...v1.ContainerState) (list []v1.ContainerStatus) {
		for _, s := range states {
			list = append(list, v1.ContainerStatus{State: s})
		}
		return list
	}
	crashing := []v1.ContainerStatus{{State: waiting("CrashLoopBackOff", ""), LastTerminationState: ended(1)}}
	for name, c := range map[string]struct {
		policy     v1.RestartPolicy
		init, main []v1.ContainerStatus
		want       v1.PodPhase
	}{
		"new":                        {v1.RestartPolicyAlways, nil, state(waiting("ContainerCreating", "")), v1.PodPending},
		"init runs":                  {v1.RestartPolicyAlways, state(running), state(waiting("PodInitializing", "")), v1.PodPending},
		"init failed, tries again":   {v1.RestartPolicyAlways, state(ended(1)), state(waiting("PodInitializing", "")), v1.PodPending},
		"init failed for good":       {v1.RestartPolicyNever, state(ended(1)), state(waiting("PodInitializing", "")), v1.PodFailed},
		"runs":                       {v1.RestartPolicyAlways, state(ended(0)), state(running), v1.PodRunning},
		"one runs, one has no image": {v1.RestartPolicyAlways, nil, state(running, waiting("ErrImagePull", "")), v1.PodPending},
		"crash loop":                 {v1.RestartPolicyAlways, nil, crashing, v1.PodRunning},
		"ended, will run again":      {v1.RestartPolicyAlways, nil, state(ended(0)), v1.PodRunning},
		"failed, will run again":     {v1.RestartPolicyOnFailure, nil, state(ended(1)), v1.PodRunning},
		"done":                       {v1.RestartPolicyOnFailure, nil, state(ended(0)), v1.PodSucceeded},
		"failed":                     {v1.RestartPolicyNever, nil, state(ended(2), ended(0)), v1.PodFailed},
		"failed beside one running":  {v1.RestartPolicyNever, nil, state(ended(2), running), v1.PodRunning},
		"running beside one failed":  {v1.RestartPolicyNever, nil, state(running, ended(2)), v1.PodRunning},
	} {
		if got := phase(c.policy, c.init, c.main); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPodStatusKeepsTimesAndForeignConditions(t *testing.T) {
	early, late := metav1.Unix(100, 0), metav1.Unix(200, 0)
	pod := &v1.Pod{}
	before := v1.PodStatus{
		QOSClass:   v1.PodQOSBestEffort,
		Conditions: []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: early}},
	}
	main := []v1.ContainerStatus{{Name: "c", State: running}}
	first := podStatus(pod, before, nil, main, "198.18.16.2", "198.18.16.1", early)
	main = []v1.ContainerStatus{{Name: "c", State: running, Ready: true}}
	second := podStatus(pod, first, nil, main, "198.18.16.2", "198.18.16.1", late)

	find := func(s v1.PodStatus, kind v1.PodConditionType) v1.PodCondition {
		for _, c := range s.Conditions {
			if c.Type == kind {
				return c
			}
		}
		t.Fatalf("condition %s is missing", kind)
		return v1.PodCondition{}
	}
	if c := find(first, v1.PodReady); c.Status != v1.ConditionFalse || c.Message != "containers with unready status: [c]" {
		t.Errorf("not ready yet: %+v", c)
	}
	if c := find(second, v1.PodReady); c.Status != v1.ConditionTrue || !c.LastTransitionTime.Equal(&late) || c.Message != "" {
		t.Errorf("ready since now: %+v", c)
	}
	if c := find(second, v1.PodInitialized); !c.LastTransitionTime.Equal(&early) {
		t.Errorf("an unchanged condition keeps its time: %+v", c)
	}
	find(second, v1.PodScheduled)
	if !second.StartTime.Equal(&early) || second.QOSClass != v1.PodQOSBestEffort {
		t.Errorf("start time %v, QoS %q", second.StartTime, second.QOSClass)
	}
}

func TestRestartDelay(t *testing.T) {
	want := []time.Duration{0, 0, 10, 20, 40, 80, 160, 300, 300}
	for ends, seconds := range want {
		if got := restartDelay(ends); got != seconds*time.Second {
			t.Errorf("after %d ends: %s, want %s", ends, got, seconds*time.Second)
		}
	}
	if got := restartDelay(1000); got != 5*time.Minute {
		t.Errorf("after very many ends: %s", got)
	}
}
