package kubelet

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// After a suspended machine wakes, the cluster's node controller has called every pod unready, though nothing changed here.
func TestPodIsReadyAgainAfterTheClusterLostTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		object := testPod()
		object.Spec.Containers = []v1.Container{{Name: "c"}}
		n := &node{ctx: ctx, client: fake.NewClientset(object)}
		p := n.newPod(object)
		p.containers[0].status.State, p.containers[0].status.Ready = running, true
		p.changed.Send()
		go p.report(ctx)
		pods := n.client.CoreV1().Pods("ns")
		ready := func() (*v1.Pod, *v1.PodCondition) {
			synctest.Wait()
			pod, err := pods.Get(ctx, "pod", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range pod.Status.Conditions {
				if c := &pod.Status.Conditions[i]; c.Type == v1.PodReady {
					return pod, c
				}
			}
			return pod, &v1.PodCondition{}
		}
		seen, c := ready()
		if c.Status != v1.ConditionTrue {
			t.Fatalf("first report: Ready is %q", c.Status)
		}

		c.Status = v1.ConditionFalse
		if _, err := pods.UpdateStatus(ctx, seen, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		p.update(seen)
		if _, c := ready(); c.Status != v1.ConditionFalse {
			t.Fatal("the test does not show what the node controller does")
		}
		time.Sleep(statusCheck)
		if _, c := ready(); c.Status != v1.ConditionTrue {
			t.Errorf("Ready is still %q", c.Status)
		}
		cancel()
	})
}
