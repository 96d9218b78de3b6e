package kubelet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// objects reads the ConfigMaps and Secrets that pods refer to.
type objects struct {
	configMaps corelisters.ConfigMapLister
	secrets    corelisters.SecretLister
}

// configMap returns a ConfigMap's data, nil if it is missing and optional.
func (o objects) configMap(namespace, name string, optional *bool) (map[string][]byte, error) {
	cm, err := o.configMaps.ConfigMaps(namespace).Get(name)
	if errors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data := map[string][]byte{}
	for key, value := range cm.Data {
		data[key] = []byte(value)
	}
	maps.Copy(data, cm.BinaryData)
	return data, nil
}

// secret returns a Secret's data, nil if it is missing and optional.
func (o objects) secret(namespace, name string, optional *bool) (map[string][]byte, error) {
	s, err := o.secrets.Secrets(namespace).Get(name)
	if errors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.Data, nil
}

// environment adds the container's envFrom and env to vars, each value expanded by what came before it.
func (o objects) environment(pod *v1.Pod, c *v1.Container, vars map[string]string) error {
	for _, from := range c.EnvFrom {
		var data map[string][]byte
		var err error
		if ref := from.ConfigMapRef; ref != nil {
			data, err = o.configMap(pod.Namespace, ref.Name, ref.Optional)
		} else if ref := from.SecretRef; ref != nil {
			data, err = o.secret(pod.Namespace, ref.Name, ref.Optional)
		}
		if err != nil {
			return fmt.Errorf("envFrom: %w", err)
		}
		for key, value := range data {
			vars[from.Prefix+key] = string(value)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			vars[e.Name] = expand(e.Value, vars)
			continue
		}
		value, found, err := o.valueFrom(pod, e.ValueFrom)
		if err != nil {
			return fmt.Errorf("env %s: %w", e.Name, err)
		}
		if found {
			vars[e.Name] = value
		}
	}
	return nil
}

func (o objects) valueFrom(pod *v1.Pod, from *v1.EnvVarSource) (value string, found bool, err error) {
	var data map[string][]byte
	var key, of string
	var optional *bool
	switch {
	case from.FieldRef != nil:
		value, err = field(pod, from.FieldRef.FieldPath)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		key, of, optional = ref.Key, "ConfigMap "+ref.Name, ref.Optional
		data, err = o.configMap(pod.Namespace, ref.Name, optional)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		key, of, optional = ref.Key, "Secret "+ref.Name, ref.Optional
		data, err = o.secret(pod.Namespace, ref.Name, optional)
	default:
		return "", false, fmt.Errorf("this node knows fieldRef, configMapKeyRef and secretKeyRef only")
	}
	if err != nil {
		return "", false, err
	}
	content, found := data[key]
	if !found && !isTrue(optional) {
		return "", false, fmt.Errorf("%s has no key %q", of, key)
	}
	return string(content), found, nil
}

// field reads one field of the downward API.
func field(pod *v1.Pod, path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return pod.Status.HostIP, nil
	case "status.podIP", "status.podIPs":
		return pod.Status.PodIP, nil
	}
	return fieldpath.ExtractFieldPathAsString(pod, path)
}

// expand replaces $(NAME) by the variable's value and leaves unknown names as they are.
func expand(text string, vars map[string]string) string {
	return expansion.Expand(text, expansion.MappingFuncFor(vars))
}

func expandAll(list []string, vars map[string]string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = expand(text, vars)
	}
	return out
}

// environ is the form that a process takes; sorted, so that equal environments look equal.
func environ(vars map[string]string) []string {
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	slices.SortFunc(list, strings.Compare)
	return list
}

func isTrue(b *bool) bool { return b != nil && *b }
