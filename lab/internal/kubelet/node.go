package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/apimachinery/lease"
	"k8s.io/utils/clock"
)

const (
	// kubeletPort is where the API server finds logs and exec.
	kubeletPort = 10250
	// leaseSeconds is kubelet's: a node not heard of for so long is called unknown.
	leaseSeconds = 40
)

// register makes the node object and keeps it and its lease alive until ctx ends. Not virtual-kubelet's
// controller: it panics when its context ends during a write (updateNodeStatus in node/node.go, v1.12.0).
func (n *node) register(ctx context.Context) error {
	server, err := n.client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("version of the API server: %w", err)
	}
	object, nodes := nodeObject(n.NodeName, n.NodeIP, server.GitVersion), n.client.CoreV1().Nodes()
	if _, err := nodes.Create(ctx, object, metav1.CreateOptions{}); err != nil && !errors.IsAlreadyExists(err) {
		return fmt.Errorf("register: %w", err)
	}
	go lease.NewController(clock.RealClock{}, n.client, n.NodeName, leaseSeconds, nil, leaseSeconds*time.Second/4, n.NodeName, v1.NamespaceNodeLease, nil).Run(ctx)

	// After a pause of this machine the cluster calls the node unknown; writing what is already there costs nothing.
	status, err := json.Marshal(map[string]any{"status": object.Status})
	if err != nil {
		return err
	}
	for {
		if _, err := nodes.Patch(ctx, n.NodeName, types.MergePatchType, status, metav1.PatchOptions{}, "status"); err != nil && ctx.Err() == nil {
			slog.Warn("node status not written, trying again", "error", err)
		}
		if !sleep(ctx, leaseSeconds*time.Second/4) {
			return nil
		}
	}
}

func nodeObject(name, ip, version string) *v1.Node {
	conditions := []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "KubeletReady", Message: "the lab's node runs pods as processes"}}
	for _, pressure := range []v1.NodeConditionType{v1.NodeMemoryPressure, v1.NodeDiskPressure, v1.NodePIDPressure} {
		conditions = append(conditions, v1.NodeCondition{Type: pressure, Status: v1.ConditionFalse, Reason: "NotMeasured"})
	}
	now := metav1.Now().Rfc3339Copy()
	for i := range conditions {
		conditions[i].LastHeartbeatTime, conditions[i].LastTransitionTime = now, now
	}
	// Nothing is limited, so the figures only have to let the scheduler place every pod.
	capacity := v1.ResourceList{
		v1.ResourceCPU: resource.MustParse("64"), v1.ResourceMemory: resource.MustParse("256Gi"),
		v1.ResourceEphemeralStorage: resource.MustParse("1Ti"), v1.ResourcePods: resource.MustParse("500"),
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			v1.LabelHostname: name, v1.LabelOSStable: "linux", v1.LabelArchStable: runtime.GOARCH,
			"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "",
		}},
		Status: v1.NodeStatus{
			Capacity: capacity, Allocatable: capacity, Conditions: conditions,
			Addresses:       []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: ip}, {Type: v1.NodeHostName, Address: name}},
			DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: kubeletPort}},
			NodeInfo: v1.NodeSystemInfo{
				OperatingSystem: "linux", Architecture: runtime.GOARCH, OSImage: "spire-federation lab",
				KubeletVersion: version, ContainerRuntimeVersion: "lab://processes",
			},
		},
	}
}
