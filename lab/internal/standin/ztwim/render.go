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
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	streams "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	product   = "zero-trust-workload-identity-manager"
	managedBy = "app.kubernetes.io/managed-by"
	component = "app.kubernetes.io/component"

	controlPlane, nodeAgent, csi = "control-plane", "node-agent", "csi"
)

//go:embed config operands
var files embed.FS

// fields is a JSON object. The templates see the custom resources as they are in the API.
type fields = map[string]any

// newView is what the templates see: both specs, and what follows from them.
func newView(spec, manager fields, namespace string) fields {
	v := fields{"spec": spec, "manager": manager, "namespace": namespace, "trustedCA": os.Getenv("TRUSTED_CA_BUNDLE_CONFIGMAP")}
	v["servingCert"], _, _ = unstructured.NestedMap(spec, "federation", "bundleEndpoint", "httpsWeb", "servingCert")
	v["kubeletCA"] = kubeletCA(spec)
	return v
}

// kubeletCA is where the agent finds what vouches for its node's kubelet; nothing when it is not to look.
func kubeletCA(spec fields) fields {
	check, _, _ := unstructured.NestedStringMap(spec, "workloadAttestors", "workloadAttestorsVerification")
	if check["type"] == "" || check["type"] == "skip" {
		return nil
	}
	folder, file := check["hostCertBasePath"], check["hostCertFileName"]
	if folder == "" || file == "" {
		folder, file = "/etc/kubernetes", "kubelet-ca.crt"
	}
	return fields{"folder": folder, "path": path.Join(folder, file)}
}

// config makes a configuration file: YAML where its name says so, else JSON. Keys are sorted, so that equal input gives
// equal bytes.
func config(file string, v fields) (string, error) {
	text, err := execute("config/"+file, v)
	if err != nil {
		return "", err
	}
	var conf fields
	if err := yaml.Unmarshal(text, &conf); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if path.Ext(file) == ".yaml" {
		text, err = yaml.Marshal(conf)
	} else {
		text, err = json.MarshalIndent(conf, "", "  ")
	}
	return string(text), err
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
		"config":    config,
		"duration":  duration,
		"hash":      func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(text)))) },
		"image":     func(name string) (string, error) { return quote(os.Getenv("RELATED_IMAGE_" + name)) },
		"json":      quote,
		"labels":    func(name string, more ...string) (string, error) { return quote(labelsFor(name, custom, more...)) },
		"placement": placement,
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

// placement is what a spec says of where its pods go.
func placement(spec fields) fields {
	said := fields{}
	for _, field := range []string{"affinity", "nodeSelector", "tolerations"} {
		if spec[field] != nil {
			said[field] = spec[field]
		}
	}
	return said
}

// programs are what the operator runs; the part that a program belongs to is whose controller looks after its objects.
var programs = map[string]struct{ part, version string }{
	"spire-server":             {controlPlane, "1.13.3"},
	"spire-controller-manager": {controlPlane, "0.6.3"},
	"spire-agent":              {nodeAgent, "1.13.3"},
	"spiffe-csi-driver":        {csi, "0.2.8"},
}

// labelsFor lets the operator's labels win over the user's; more are a name and a value each.
func labelsFor(program string, custom map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, custom)
	for pair := range slices.Chunk(more, 2) {
		all[pair[0]] = pair[1]
	}
	maps.Copy(all, map[string]string{
		"app.kubernetes.io/name":     program,
		"app.kubernetes.io/instance": "cluster-" + product,
		"app.kubernetes.io/part-of":  product,
		"app.kubernetes.io/version":  programs[program].version,
		managedBy:                    product,
		component:                    programs[program].part,
	})
	return all
}
