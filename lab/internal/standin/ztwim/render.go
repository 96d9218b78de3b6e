package ztwim

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spire-federation/lab/internal/apply"
	"spire-federation/lab/internal/release"
)

const (
	product   = "zero-trust-workload-identity-manager"
	managedBy = "app.kubernetes.io/managed-by"
	component = "app.kubernetes.io/component"

	controlPlane, nodeAgent, csi, issuer = "control-plane", "node-agent", "csi", "discovery"

	trustedCA = "TRUSTED_CA_BUNDLE_CONFIGMAP"
)

//go:embed config operands
var files embed.FS

// fields is a JSON object. The templates see the custom resources as they are in the API.
type fields = map[string]any

// newView is what the templates see: both specs, and what follows from them and from the operator's environment.
func newView(spec, manager fields, namespace string, release release.Release) fields {
	v := fields{"spec": spec, "manager": manager, "namespace": namespace, "release": release, "trustedCA": os.Getenv(trustedCA)}
	v["servingCert"], _, _ = unstructured.NestedMap(spec, "federation", "bundleEndpoint", "httpsWeb", "servingCert")
	v["kubeletCA"] = kubeletCA(spec)
	return v
}

// proxyEnv is the proxy of the operator's environment, for the operands; nothing when there is none. The names are added to
// those that the proxy is not asked for.
func proxyEnv(direct ...string) []fields {
	var all []fields
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		if value := os.Getenv(name); value != "" {
			all = append(all, fields{"name": name, "value": value})
		}
	}
	if value := os.Getenv("NO_PROXY"); value != "" {
		direct = append([]string{value}, direct...)
	}
	if len(all) > 0 && len(direct) > 0 {
		all = append(all, fields{"name": "NO_PROXY", "value": strings.Join(direct, ",")})
	}
	return all
}

// inside are the names that the agent reaches without a proxy.
func inside(namespace string) []string {
	var names []string
	for _, service := range []string{"spire-server." + namespace, "kubernetes.default"} {
		names = append(names, service, service+".svc", service+".svc.cluster.local")
	}
	return names
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
	parsed, err := apply.Parse(text) // none, when the template has nothing for this release
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var objects []*unstructured.Unstructured
	for i := range parsed {
		objects = append(objects, &parsed[i])
	}
	return objects, nil
}

func execute(file string, v fields) ([]byte, error) {
	custom, _, _ := unstructured.NestedStringMap(v, "spec", "labels")
	release := v["release"].(release.Release)
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t, err := template.New(file).Funcs(template.FuncMap{
		"config":   config,
		"duration": duration,
		"hash":     func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(text)))) },
		"host":     func(url string) string { _, host, _ := strings.Cut(url, "://"); return strings.TrimSuffix(host, "/") },
		"image":    func(name string) (string, error) { return quote(os.Getenv("RELATED_IMAGE_" + name)) },
		"json":     quote,
		"labels": func(name string, more ...string) (string, error) {
			return quote(labelsFor(name, release, custom, more...))
		},
		"placement": placement,
		"proxy": func(namespace ...string) []fields {
			if len(namespace) > 0 {
				return proxyEnv(inside(namespace[0])...)
			}
			return proxyEnv()
		},
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

// parts are the parts that the operator's programs belong to: each part's controller looks after its objects.
var parts = map[string]string{
	"spire-server":             controlPlane,
	"spire-controller-manager": controlPlane,
	"spire-agent":              nodeAgent,
	"spiffe-csi-driver":        csi,

	"spiffe-oidc-discovery-provider": issuer,
}

// versionOf is a program's version in a release, as the labels have it.
func versionOf(program string, release release.Release) string {
	switch program {
	case "spire-controller-manager":
		return release.ControllerManager
	case "spiffe-csi-driver":
		return "0.2.8"
	}
	return release.SPIRE
}

// labelsFor lets the operator's labels win over the user's; more are a name and a value each.
func labelsFor(program string, release release.Release, custom map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, custom)
	for pair := range slices.Chunk(more, 2) {
		all[pair[0]] = pair[1]
	}
	maps.Copy(all, map[string]string{
		"app.kubernetes.io/name":     program,
		"app.kubernetes.io/instance": "cluster-" + product,
		"app.kubernetes.io/part-of":  product,
		"app.kubernetes.io/version":  versionOf(program, release),
		managedBy:                    product,
		component:                    parts[program],
	})
	return all
}
