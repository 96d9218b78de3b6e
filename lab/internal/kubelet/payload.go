package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
)

// file is one file of a volume made from API objects, payload such a volume's content by path.
type file struct {
	data string
	mode os.FileMode
}
type payload map[string]file

// issuer gives the content of a ServiceAccount token file.
type issuer func(ctx context.Context, pod *v1.Pod, source *v1.ServiceAccountTokenProjection) (string, error)

// sources are the API objects that a volume is made of, whatever its kind; none for kinds with no content from the API.
func sources(v v1.Volume) ([]v1.VolumeProjection, *int32) {
	switch {
	case v.ConfigMap != nil:
		s := v.ConfigMap
		return []v1.VolumeProjection{{ConfigMap: &v1.ConfigMapProjection{LocalObjectReference: s.LocalObjectReference, Items: s.Items, Optional: s.Optional}}}, s.DefaultMode
	case v.Secret != nil:
		s := v.Secret
		return []v1.VolumeProjection{{Secret: &v1.SecretProjection{LocalObjectReference: v1.LocalObjectReference{Name: s.SecretName}, Items: s.Items, Optional: s.Optional}}}, s.DefaultMode
	case v.DownwardAPI != nil:
		return []v1.VolumeProjection{{DownwardAPI: &v1.DownwardAPIProjection{Items: v.DownwardAPI.Items}}}, v.DownwardAPI.DefaultMode
	case v.Projected != nil:
		return v.Projected.Sources, v.Projected.DefaultMode
	}
	return nil, nil
}

// payload computes a volume's content.
func (o objects) payload(ctx context.Context, pod *v1.Pod, list []v1.VolumeProjection, defaultMode *int32, token issuer, serviceCA string) (payload, error) {
	p := payload{}
	add := func(path, data string, mode *int32) {
		if mode == nil {
			mode = defaultMode
		}
		p[path] = file{data, os.FileMode(*mode)}
	}
	for _, part := range list {
		var of source
		var items []v1.KeyToPath
		switch {
		case part.ConfigMap != nil:
			of, items = source{false, part.ConfigMap.Name, part.ConfigMap.Optional}, part.ConfigMap.Items
		case part.Secret != nil:
			of, items = source{true, part.Secret.Name, part.Secret.Optional}, part.Secret.Items
		case part.DownwardAPI != nil:
			for _, item := range part.DownwardAPI.Items {
				if item.FieldRef == nil {
					return nil, fmt.Errorf("%s: this node knows fieldRef only", item.Path)
				}
				value, err := field(pod, item.FieldRef.FieldPath)
				if err != nil {
					return nil, err
				}
				add(item.Path, value, item.Mode)
			}
			continue
		case part.ServiceAccountToken != nil:
			content, err := token(ctx, pod, part.ServiceAccountToken)
			if err != nil {
				return nil, err
			}
			add(part.ServiceAccountToken.Path, content, nil)
			// OpenShift's API server adds ConfigMap openshift-service-ca.crt to every pod's own token volume.
			if ca, missing := os.ReadFile(serviceCA); part.ServiceAccountToken.Path == "token" && missing == nil {
				add("service-ca.crt", string(ca), nil)
			}
			continue
		default:
			return nil, fmt.Errorf("this node knows configMap, secret, downwardAPI and serviceAccountToken as sources of a projected volume only")
		}
		data, err := o.data(pod.Namespace, of)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			for key, content := range data {
				add(key, content, nil)
			}
		}
		for _, item := range items {
			if content, found := data[item.Key]; found {
				add(item.Path, content, item.Mode)
			} else if !isTrue(of.optional) {
				return nil, fmt.Errorf("%s has no key %q", of.name, item.Key)
			}
		}
	}
	return p, nil
}

// write puts the payload into dir the way kubelet does: readers see the old files or the new ones, never a
// mixture, because all of them are reached through the symbolic link ..data, which is replaced in one step.
func (p payload) write(dir string) error {
	version := ".." + time.Now().UTC().Format("2006_01_02_15_04_05.000000000")
	if err := os.MkdirAll(filepath.Join(dir, version), 0o755); err != nil {
		return err
	}
	links := map[string]bool{}
	for path, f := range p {
		if err := put(filepath.Join(dir, version, path), f.data, f.mode); err != nil {
			return err
		}
		top, _, _ := strings.Cut(path, "/")
		links[top] = true
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		return err
	}
	present, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range present { // what is left of the version before
		name := entry.Name()
		if name == version || name == "..data" || links[name] {
			delete(links, name)
		} else if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for name := range links {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
