package kubelet

import (
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// objects reads the ConfigMaps and Secrets that pods refer to.
type objects struct {
	configMaps corelisters.ConfigMapLister
	secrets    corelisters.SecretLister
}

// source names a ConfigMap or Secret that a pod refers to.
type source struct {
	secret   bool
	name     string
	optional *bool
}

// data returns what is in it; nothing if it is missing and optional.
func (o objects) data(namespace string, from source) (map[string]string, error) {
	all := map[string]string{}
	var binary map[string][]byte
	var err error
	if from.secret {
		var secret *v1.Secret
		if secret, err = o.secrets.Secrets(namespace).Get(from.name); err == nil {
			binary = secret.Data
		}
	} else {
		var object *v1.ConfigMap
		if object, err = o.configMaps.ConfigMaps(namespace).Get(from.name); err == nil {
			binary = object.BinaryData
			maps.Copy(all, object.Data)
		}
	}
	for key, value := range binary {
		all[key] = string(value)
	}
	if errors.IsNotFound(err) && isTrue(from.optional) {
		err = nil
	}
	return all, err
}

// environment adds the container's envFrom and env to vars, each value expanded by what came before it.
func (o objects) environment(pod *v1.Pod, c *v1.Container, vars map[string]string) error {
	for _, from := range c.EnvFrom {
		var of source
		if ref := from.ConfigMapRef; ref != nil {
			of = source{false, ref.Name, ref.Optional}
		} else if ref := from.SecretRef; ref != nil {
			of = source{true, ref.Name, ref.Optional}
		}
		data, err := o.data(pod.Namespace, of)
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
			value, found, err = o.valueFrom(pod, c.Name, e.ValueFrom)
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

func (o objects) valueFrom(pod *v1.Pod, container string, from *v1.EnvVarSource) (value string, found bool, err error) {
	var of source
	var key string
	switch {
	case from.FieldRef != nil:
		value, err = field(pod, from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err = resource.ExtractResourceValueByContainerName(from.ResourceFieldRef, pod, orElse(from.ResourceFieldRef.ContainerName, container))
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		of, key = source{false, ref.Name, ref.Optional}, ref.Key
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		of, key = source{true, ref.Name, ref.Optional}, ref.Key
	default:
		return "", false, fmt.Errorf("this node knows fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef only")
	}
	data, err := o.data(pod.Namespace, of)
	if value, found = data[key]; err == nil && !found && !isTrue(of.optional) {
		err = fmt.Errorf("%s has no key %q", of.name, key)
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
