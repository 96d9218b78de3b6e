package kubelet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spire-federation/lab/internal/control"
)

const (
	// spiffeSockets is the host directory that the SPIFFE CSI driver mounts into workloads.
	spiffeSockets = "/run/spire/agent-sockets"

	// volumeRefresh is how late a running pod sees a change of what its volumes are made of. A kubelet takes up to two minutes,
	// since it looks at each pod once a minute, and at any change of the pod; the lab cannot wait that long for everything.
	volumeRefresh = 30 * time.Second
	// startingRefresh is how late that is before the pod has been ready: SPIRE's agents would hold up a cluster's start, which
	// begin before the server has written the bundle that they bootstrap with.
	startingRefresh = 2 * time.Second
)

// volumes are a pod's volumes as directories or files of this machine.
type volumes struct {
	n       *node
	mu      sync.Mutex
	dir     string
	paths   map[string]string
	written map[string]payload
	tokens  map[string]token
}

type token struct {
	content string
	renew   time.Time
}

func (n *node) newVolumes(dir string) *volumes {
	return &volumes{n: n, dir: dir, paths: map[string]string{}, written: map[string]payload{}, tokens: map[string]token{}}
}

// sync makes every volume of the pod and brings those with content from the API up to date; one that
// cannot be does not keep the others, tokens among them, from it.
func (v *volumes) sync(ctx context.Context, pod *v1.Pod) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var problems []error
	for _, volume := range pod.Spec.Volumes {
		if err := v.syncOne(ctx, pod, volume); err != nil {
			problems = append(problems, fmt.Errorf("volume %q: %w", volume.Name, err))
		}
	}
	return errors.Join(problems...)
}

func (v *volumes) syncOne(ctx context.Context, pod *v1.Pod, volume v1.Volume) (err error) {
	name := volume.Name
	list, mode := sources(volume)
	if list == nil {
		if v.paths[name] == "" {
			v.paths[name], err = v.locate(ctx, pod, volume)
		}
		return err
	}
	content, err := v.n.payload(ctx, pod, list, mode, v.token, v.n.ServiceCA)
	if err != nil {
		return err
	}
	if old, ok := v.written[name]; ok && maps.Equal(old, content) {
		return nil
	}
	v.paths[name] = filepath.Join(v.dir, name)
	if err := content.write(v.paths[name]); err != nil {
		return err
	}
	v.written[name] = content
	return nil
}

// locate makes a volume that has no content from the API.
func (v *volumes) locate(ctx context.Context, pod *v1.Pod, volume v1.Volume) (string, error) {
	switch {
	case volume.EmptyDir != nil:
		return directory(filepath.Join(v.dir, volume.Name))
	case volume.HostPath != nil:
		return v.n.hostPath(volume.HostPath)
	case volume.PersistentVolumeClaim != nil:
		core, name := v.n.client.CoreV1(), volume.PersistentVolumeClaim.ClaimName
		claim, err := core.PersistentVolumeClaims(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		if claim.Status.Phase != v1.ClaimBound {
			return "", fmt.Errorf("PersistentVolumeClaim %s is not bound yet", name)
		}
		pv, err := core.PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		if pv.Spec.HostPath == nil {
			return "", fmt.Errorf("PersistentVolume %s: this node knows hostPath only", pv.Name)
		}
		return v.n.hostPath(pv.Spec.HostPath)
	case volume.CSI != nil && volume.CSI.Driver == "csi.spiffe.io":
		return v.n.hostPath(&v1.HostPathVolumeSource{Path: spiffeSockets})
	}
	return "", fmt.Errorf("this node knows configMap, secret, downwardAPI, projected, emptyDir, hostPath, persistentVolumeClaim and csi.spiffe.io only")
}

// hostPath moves a path of "the host" below the node's own directory, so that clusters do not share it,
// and makes it: a host of this kind has no files of its own that a pod could expect.
func (n *node) hostPath(source *v1.HostPathVolumeSource) (string, error) {
	path := filepath.Clean(source.Path)
	if !strings.HasPrefix(path, control.Provisioned+"/") {
		path = filepath.Join(n.Dir, "hostfs", path)
	}
	return directory(path)
}

// directory makes one that any user of a container may write to.
func directory(path string) (string, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o777)
}

// token returns the pod's token for an audience; it is renewed when a fifth of its life is left, as kubelet does.
func (v *volumes) token(ctx context.Context, pod *v1.Pod, s *v1.ServiceAccountTokenProjection) (string, error) {
	key := fmt.Sprint(s.Audience, " ", s.Path)
	if t, ok := v.tokens[key]; ok && time.Now().Before(t.renew) {
		return t.content, nil
	}
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{
		ExpirationSeconds: s.ExpirationSeconds,
		BoundObjectRef:    &authv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if s.Audience != "" {
		request.Spec.Audiences = []string{s.Audience}
	}
	answer, err := v.n.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of ServiceAccount %s: %w", pod.Spec.ServiceAccountName, err)
	}
	now := time.Now()
	t := token{content: answer.Status.Token, renew: now.Add(renewal(answer.Status.ExpirationTimestamp.Sub(now)))}
	v.tokens[key] = t
	return t.content, nil
}

// renewal is how long a token that lives this long is used.
func renewal(life time.Duration) time.Duration { return min(life*4/5, 24*time.Hour) }

// mounts lists what the container sees of the pod's volumes.
func (v *volumes) mounts(c *v1.Container) ([]mount, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []mount
	for _, m := range c.VolumeMounts {
		source := v.paths[m.Name]
		if source == "" {
			return nil, fmt.Errorf("volumeMount %s: there is no volume %q", m.MountPath, m.Name)
		}
		if m.SubPath != "" {
			source = filepath.Join(source, m.SubPath)
			if _, err := os.Stat(source); os.IsNotExist(err) {
				if _, err := directory(source); err != nil {
					return nil, err
				}
			}
			// A subPath stays at the version it had when the container started, as on every kubelet.
			var err error
			if source, err = filepath.EvalSymlinks(source); err != nil {
				return nil, err
			}
		}
		_, fromAPI := v.written[m.Name]
		list = append(list, mount{source, m.MountPath, m.ReadOnly || fromAPI})
	}
	return list, nil
}
