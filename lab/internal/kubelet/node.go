package kubelet

import (
	"context"
	"fmt"
	"runtime"

	vknode "github.com/virtual-kubelet/virtual-kubelet/node"
	"github.com/virtual-kubelet/virtual-kubelet/node/nodeutil"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubeletPort is where the API server finds logs and exec.
const kubeletPort = 10250

// register makes the node object and keeps it and its lease alive until ctx ends.
func (n *node) register(ctx context.Context) error {
	controller, err := vknode.NewNodeController(vknode.NewNaiveNodeProvider(), nodeObject(n.NodeName, n.NodeIP), n.client.CoreV1().Nodes(),
		vknode.WithNodeEnableLeaseV1(nodeutil.NodeLeaseV1Client(n.client), vknode.DefaultLeaseDuration))
	if err != nil {
		return err
	}
	if err := controller.Run(ctx); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

func nodeObject(name, ip string) *v1.Node {
	now := metav1.Now()
	conditions := []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "KubeletReady", Message: "the lab's node runs pods as processes"}}
	for _, pressure := range []v1.NodeConditionType{v1.NodeMemoryPressure, v1.NodeDiskPressure, v1.NodePIDPressure} {
		conditions = append(conditions, v1.NodeCondition{Type: pressure, Status: v1.ConditionFalse, Reason: "NotMeasured"})
	}
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
				KubeletVersion: "v1.35.3", ContainerRuntimeVersion: "lab://processes",
			},
		},
	}
}
