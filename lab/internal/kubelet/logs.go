package kubelet

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/node/api"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

// alive is what kubelet's reader of logs asks a container runtime: whether a log will grow.
type alive struct {
	internalapi.RuntimeService
	running func() bool
}

func (a alive) ContainerStatus(context.Context, string, bool) (*runtimeapi.ContainerStatusResponse, error) {
	state := runtimeapi.ContainerState_CONTAINER_EXITED
	if a.running() {
		state = runtimeapi.ContainerState_CONTAINER_RUNNING
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: state}}, nil
}

// readLog streams a container's log file as kubectl logs wants it.
func readLog(ctx context.Context, path string, o api.ContainerLogOpts, running func() bool) (io.ReadCloser, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	options := &v1.PodLogOptions{Follow: o.Follow, Timestamps: o.Timestamps}
	if o.Tail > 0 {
		options.TailLines = ptr.To(int64(o.Tail))
	}
	if o.LimitBytes > 0 {
		options.LimitBytes = ptr.To(int64(o.LimitBytes))
	}
	if o.SinceSeconds > 0 {
		options.SinceSeconds = ptr.To(int64(o.SinceSeconds))
	} else if !o.SinceTime.IsZero() {
		options.SinceTime = &metav1.Time{Time: o.SinceTime}
	}
	r, w := io.Pipe()
	quiet := klog.Background().V(9)
	go func() {
		w.CloseWithError(logs.ReadLogs(ctx, &quiet, path, "", logs.NewLogOptions(options, time.Now()), alive{running: running}, w, w))
	}()
	return r, nil
}
