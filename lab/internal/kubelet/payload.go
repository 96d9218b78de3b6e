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
	for _, source := range list {
		var data map[string]string
		var items []v1.KeyToPath
		var optional *bool
		var err error
		switch {
		case source.ConfigMap != nil:
			items, optional = source.ConfigMap.Items, source.ConfigMap.Optional
			data, err = o.configMap(pod.Namespace, source.ConfigMap.Name, optional)
		case source.Secret != nil:
			items, optional = source.Secret.Items, source.Secret.Optional
			data, err = o.secret(pod.Namespace, source.Secret.Name, optional)
		case source.DownwardAPI != nil:
			for _, item := range source.DownwardAPI.Items {
				if item.FieldRef == nil {
					return nil, fmt.Errorf("%s: this node knows fieldRef only", item.Path)
				}
				value, err := field(pod, item.FieldRef.FieldPath)
				if err != nil {
					return nil, err
				}
				add(item.Path, value, item.Mode)
			}
		case source.ServiceAccountToken != nil:
			var content string
			content, err = token(ctx, pod, source.ServiceAccountToken)
			add(source.ServiceAccountToken.Path, content, nil)
			// OpenShift's API server adds ConfigMap openshift-service-ca.crt to every pod's own token volume.
			if ca, missing := os.ReadFile(serviceCA); source.ServiceAccountToken.Path == "token" && missing == nil {
				add("service-ca.crt", string(ca), nil)
			}
		default:
			err = fmt.Errorf("this node knows configMap, secret, downwardAPI and serviceAccountToken as sources of a projected volume only")
		}
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			for key, content := range data {
				add(key, content, nil)
			}
		}
		for _, item := range items {
			content, found := data[item.Key]
			if found {
				add(item.Path, content, item.Mode)
			} else if !isTrue(optional) {
				return nil, fmt.Errorf("references non-existent key %q", item.Key)
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
