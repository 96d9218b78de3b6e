package kubelet

import (
	"fmt"
	"maps"
	"slices"

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

// configMap returns a ConfigMap's data; none if it is missing and optional.
func (o objects) configMap(namespace, name string, optional *bool) (map[string]string, error) {
	object, err := o.configMaps.ConfigMaps(namespace).Get(name)
	if err != nil {
		return nil, unless(optional, err)
	}
	all := map[string]string{}
	maps.Copy(all, object.Data)
	for key, value := range object.BinaryData {
		all[key] = string(value)
	}
	return all, nil
}

// secret returns a Secret's data; none if it is missing and optional.
func (o objects) secret(namespace, name string, optional *bool) (map[string]string, error) {
	object, err := o.secrets.Secrets(namespace).Get(name)
	if err != nil {
		return nil, unless(optional, err)
	}
	all := map[string]string{}
	for key, value := range object.Data {
		all[key] = string(value)
	}
	return all, nil
}

func unless(optional *bool, err error) error {
	if isTrue(optional) && errors.IsNotFound(err) {
		return nil
	}
	return err
}

// environment adds the container's envFrom and env to vars, each value expanded by what came before it.
func (o objects) environment(pod *v1.Pod, c *v1.Container, vars map[string]string) error {
	for _, from := range c.EnvFrom {
		var data map[string]string
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
			vars[from.Prefix+key] = value
		}
	}
	for _, e := range c.Env {
		value, found, err := expand(e.Value, vars), true, error(nil)
		if e.ValueFrom != nil {
			value, found, err = o.valueFrom(pod, e.ValueFrom)
		}
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
	var data map[string]string
	var key string
	var optional *bool
	switch {
	case from.FieldRef != nil:
		value, err = field(pod, from.FieldRef.FieldPath)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		key, optional = from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional
		data, err = o.configMap(pod.Namespace, from.ConfigMapKeyRef.Name, optional)
	case from.SecretKeyRef != nil:
		key, optional = from.SecretKeyRef.Key, from.SecretKeyRef.Optional
		data, err = o.secret(pod.Namespace, from.SecretKeyRef.Name, optional)
	default:
		err = fmt.Errorf("this node knows fieldRef, configMapKeyRef and secretKeyRef only")
	}
	if err != nil {
		return "", false, err
	}
	if value, found = data[key]; !found && !isTrue(optional) {
		err = fmt.Errorf("there is no key %q", key)
	}
	return value, found, err
}

// field reads one field of the downward API.
func field(pod *v1.Pod, path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.hostIP":
		return pod.Status.HostIP, nil
	case "status.podIP":
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
	slices.Sort(list)
	return list
}

func isTrue(b *bool) bool { return b != nil && *b }
