package kubelet

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
)

// file is one file of a volume made from API objects.
type file struct {
	data []byte
	mode os.FileMode
}

// payload is such a volume's content, by path below the volume.
type payload map[string]file

func (p payload) equal(other payload) bool {
	return maps.EqualFunc(p, other, func(a, b file) bool { return a.mode == b.mode && bytes.Equal(a.data, b.data) })
}

// issuer gives the content of a ServiceAccount token file.
type issuer func(ctx context.Context, source *v1.ServiceAccountTokenProjection) ([]byte, error)

// payload computes the content of a configMap, secret, downwardAPI or projected volume; ok is false for all other kinds.
func (o objects) payload(ctx context.Context, pod *v1.Pod, volume v1.Volume, token issuer, serviceCA string) (p payload, ok bool, err error) {
	switch {
	case volume.ConfigMap != nil:
		s := volume.ConfigMap
		data, err := o.configMap(pod.Namespace, s.Name, s.Optional)
		if err != nil {
			return nil, true, err
		}
		p, err = selected(data, s.Items, s.DefaultMode, s.Optional)
		return p, true, err
	case volume.Secret != nil:
		s := volume.Secret
		data, err := o.secret(pod.Namespace, s.SecretName, s.Optional)
		if err != nil {
			return nil, true, err
		}
		p, err = selected(data, s.Items, s.DefaultMode, s.Optional)
		return p, true, err
	case volume.DownwardAPI != nil:
		p, err = downward(pod, volume.DownwardAPI.Items, volume.DownwardAPI.DefaultMode)
		return p, true, err
	case volume.Projected != nil:
		p, err = o.projected(ctx, pod, volume.Projected, token, serviceCA)
		return p, true, err
	}
	return nil, false, nil
}

func (o objects) projected(ctx context.Context, pod *v1.Pod, v *v1.ProjectedVolumeSource, token issuer, serviceCA string) (payload, error) {
	all := payload{}
	for _, source := range v.Sources {
		var p payload
		var data map[string][]byte
		var err error
		switch {
		case source.ConfigMap != nil:
			s := source.ConfigMap
			if data, err = o.configMap(pod.Namespace, s.Name, s.Optional); err == nil {
				p, err = selected(data, s.Items, v.DefaultMode, s.Optional)
			}
		case source.Secret != nil:
			s := source.Secret
			if data, err = o.secret(pod.Namespace, s.Name, s.Optional); err == nil {
				p, err = selected(data, s.Items, v.DefaultMode, s.Optional)
			}
		case source.DownwardAPI != nil:
			p, err = downward(pod, source.DownwardAPI.Items, v.DefaultMode)
		case source.ServiceAccountToken != nil:
			s := source.ServiceAccountToken
			var content []byte
			content, err = token(ctx, s)
			p = payload{s.Path: {content, mode(v.DefaultMode, nil)}}
			// OpenShift's API server adds ConfigMap openshift-service-ca.crt to every pod's own token volume.
			if ca, missing := os.ReadFile(serviceCA); s.Path == "token" && missing == nil {
				p["service-ca.crt"] = file{ca, mode(v.DefaultMode, nil)}
			}
		default:
			err = fmt.Errorf("this node knows configMap, secret, downwardAPI and serviceAccountToken as sources of a projected volume only")
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(all, p)
	}
	return all, nil
}

// selected takes the items of data, or all of it if none are named.
func selected(data map[string][]byte, items []v1.KeyToPath, defaultMode *int32, optional *bool) (payload, error) {
	p := payload{}
	if len(items) == 0 {
		for key, content := range data {
			p[key] = file{content, mode(defaultMode, nil)}
		}
	}
	for _, item := range items {
		content, found := data[item.Key]
		if !found && !isTrue(optional) {
			return nil, fmt.Errorf("references non-existent key %q", item.Key)
		}
		if found {
			p[item.Path] = file{content, mode(defaultMode, item.Mode)}
		}
	}
	return p, nil
}

func downward(pod *v1.Pod, items []v1.DownwardAPIVolumeFile, defaultMode *int32) (payload, error) {
	p := payload{}
	for _, item := range items {
		if item.FieldRef == nil {
			return nil, fmt.Errorf("%s: this node knows fieldRef only", item.Path)
		}
		value, err := field(pod, item.FieldRef.FieldPath)
		if err != nil {
			return nil, err
		}
		p[item.Path] = file{[]byte(value), mode(defaultMode, item.Mode)}
	}
	return p, nil
}

func mode(volume, item *int32) os.FileMode {
	for _, m := range []*int32{item, volume} {
		if m != nil {
			return os.FileMode(*m)
		}
	}
	return 0o644
}

// write puts the payload into dir the way kubelet does: readers see the old files or the new ones, never a
// mixture, because all of them are reached through the symbolic link ..data, which is replaced in one step.
func (p payload) write(dir string) error {
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	version := ".." + time.Now().UTC().Format("2006_01_02_15_04_05.000000000")
	for path, f := range p {
		target := filepath.Join(dir, version, path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, f.data, f.mode); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, version), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(version, filepath.Join(dir, "..data_tmp")); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		return err
	}
	links := map[string]bool{}
	for path := range p {
		top, _, _ := strings.Cut(path, "/")
		links[top] = true
		if err := os.Symlink(filepath.Join("..data", top), filepath.Join(dir, top)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	present, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range present {
		name := entry.Name()
		if stale := !strings.HasPrefix(name, "..") && !links[name]; stale || (name == old && name != version) {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
