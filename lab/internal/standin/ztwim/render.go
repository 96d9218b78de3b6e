package ztwim

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	streams "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	product      = "zero-trust-workload-identity-manager"
	controlPlane = "control-plane"
	managedBy    = "app.kubernetes.io/managed-by"
	component    = "app.kubernetes.io/component"
)

//go:embed config operands
var files embed.FS

// fields is a JSON object. The templates see the custom resources as they are in the API.
type fields = map[string]any

// newView is what the templates see: both specs, and the configuration files made from them.
func newView(spec, manager fields, namespace string) (fields, error) {
	v := fields{"spec": spec, "manager": manager, "namespace": namespace, "trustedCA": os.Getenv("TRUSTED_CA_BUNDLE_CONFIGMAP")}
	v["servingCert"], _, _ = unstructured.NestedMap(spec, "federation", "bundleEndpoint", "httpsWeb", "servingCert")
	conf, err := settings("config/server.conf", v)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(conf, "", "  ")
	if err != nil {
		return nil, err
	}
	v["serverConf"] = string(text)
	if conf, err = settings("config/controller-manager-config.yaml", v); err != nil {
		return nil, err
	}
	text, err = yaml.Marshal(conf)
	v["controllerManagerConf"] = string(text)
	return v, err
}

func settings(file string, v fields) (conf fields, err error) {
	text, err := execute(file, v)
	if err == nil {
		err = yaml.Unmarshal(text, &conf)
	}
	return conf, err
}

// render turns one template into the objects it stands for.
func render(file string, v fields) ([]*unstructured.Unstructured, error) {
	text, err := execute("operands/"+file, v)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for decoder := streams.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		u := &unstructured.Unstructured{}
		if err := decoder.Decode(u); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		objects = append(objects, u)
	}
}

func execute(file string, v fields) ([]byte, error) {
	custom, _, _ := unstructured.NestedStringMap(v, "spec", "labels")
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := template.New(file).Funcs(template.FuncMap{
		"duration": duration,
		"hash":     func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(text)))) },
		"image":    func(name string) (string, error) { return quote(os.Getenv("RELATED_IMAGE_" + name)) },
		"json":     quote,
		"labels":   func(name string) (string, error) { return quote(labelsFor(name, custom)) },
	}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, v)
	return out.Bytes(), err
}

// quote writes JSON; a field that is not set is the empty string.
func quote(value any) (string, error) {
	if value == nil {
		value = ""
	}
	text, err := json.Marshal(value)
	return string(text), err
}

// duration spells a duration as Go does: 24h becomes 24h0m0s.
func duration(text string) (string, error) {
	d, err := time.ParseDuration(text)
	return d.String(), err
}

// labelsFor lets the operator's labels win over the user's.
func labelsFor(name string, custom map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, custom)
	maps.Copy(all, map[string]string{
		"app.kubernetes.io/name":     name,
		"app.kubernetes.io/instance": "cluster-" + product,
		"app.kubernetes.io/part-of":  product,
		"app.kubernetes.io/version":  map[string]string{"spire-server": "1.13.3", "spire-controller-manager": "0.6.3"}[name],
		managedBy:                    product,
		component:                    controlPlane,
	})
	return all
}
