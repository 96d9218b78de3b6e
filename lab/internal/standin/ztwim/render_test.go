package ztwim

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"spire-federation/lab/internal/release"
)

// Embedded, and not read: Go then knows the test's result again in another checkout, where files are of another time.
//
//go:embed testdata
var testdata embed.FS

var (
	oneZero = release.Of("1.0.0")
	newest  = release.Of("1.1.1")
)

func newTestView(spec fields, of release.Release) fields {
	whole := fields{
		"logLevel": "info", "logFormat": "text", "caKeyType": "rsa-2048",
		"caValidity": "24h", "defaultX509Validity": "1h", "defaultJWTValidity": "5m",
		"jwtIssuer":   "https://oidc-discovery.apps.cluster1.lab",
		"caSubject":   fields{"country": "US", "organization": "Lab", "commonName": "SPIRE Server CA"},
		"persistence": fields{"size": "1Gi", "accessMode": "ReadWriteOnce", "storageClass": ""},
		"datastore": fields{"databaseType": "sqlite3", "connectionString": "/run/spire/data/datastore.sqlite3",
			"maxOpenConns": int64(100), "maxIdleConns": int64(2), "connMaxLifetime": int64(0), "disableMigration": "false"},
	}
	for key, value := range spec {
		whole[key] = value
	}
	manager := fields{"trustDomain": "apps.cluster1.lab", "clusterName": "cluster1", "bundleConfigMap": "spire-bundle"}
	return newView(whole, manager, product, of)
}

func defaulted(endpoint fields, peers ...any) fields {
	endpoint["refreshHint"] = int64(300)
	if web, ok := endpoint["httpsWeb"].(fields); ok && web["servingCert"] != nil {
		web["servingCert"].(fields)["fileSyncInterval"] = int64(86400)
	}
	return fields{"federation": with(federation(endpoint, peers...), "managedRoute", "true")}
}

// TestConfiguration compares every byte with what the operator writes for the same resources: of the server's configuration
// nothing tells 1.0 from 1.1 but upstreamAuthority, which the API of 1.0 doesn't have.
func TestConfiguration(t *testing.T) {
	spiffePeer := with(with(peer("apps.cluster3.lab"), "bundleEndpointProfile", "https_spiffe"), "endpointSpiffeId", "spiffe://apps.cluster3.lab/spire/server")
	for golden, spec := range map[string]fields{
		"server-plain.conf":        {},
		"server-serving-cert.conf": defaulted(servingCert()),
		"server-peers.conf":        defaulted(servingCert(), spiffePeer, peer("apps.cluster2.lab")),
		"server-acme.conf":         defaulted(acme()),
		"server-https-spiffe.conf": defaulted(fields{"profile": "https_spiffe"}),
		"server-cert-manager.conf": {"upstreamAuthority": fields{"certManager": fields{"namespace": "pki", "issuerName": "spire-ca"}}},
		"server-vault.conf": {"upstreamAuthority": fields{"vault": fields{"vaultAddr": "https://vault.example.com:8200", "vaultNamespace": "team",
			"caCertSecretRef": fields{"name": "vault-ca", "key": "ca"}, "k8sAuth": fields{"k8sAuthRoleName": "spire"}}}},
		"server-other-values.conf": {
			"logLevel": "debug", "logFormat": "json", "jwtKeyType": "ec-p256", "caKeyType": "ec-p384", "caSubject": fields{},
			"datastore": fields{"databaseType": "postgres", "connectionString": "dbname=<spire> & more", "maxOpenConns": int64(7),
				"maxIdleConns": int64(0), "connMaxLifetime": int64(60), "disableMigration": "true"},
		},
	} {
		t.Run(golden, func(t *testing.T) {
			same(t, newTestView(spec, oneZero), "server.conf", golden)
			same(t, newTestView(spec, newest), "server.conf", golden)
		})
	}
	for golden, of := range map[string]release.Release{"controller-manager-config-1.0.yaml": oneZero, "controller-manager-config-1.1.yaml": newest} {
		t.Run(golden, func(t *testing.T) {
			same(t, newTestView(fields{"labels": map[string]any{"team": "a"}}, of), "controller-manager-config.yaml", golden)
		})
	}
}

func same(t *testing.T, v fields, file, golden string) {
	t.Helper()
	got, err := config(file, v)
	must(t, err)
	want, err := testdata.ReadFile("testdata/" + golden)
	must(t, err)
	if got != string(want) {
		t.Errorf("differs from testdata/%s:\n%s", golden, got)
	}
}

// TestRouteFollowsTheProfile: only a serving certificate leaves TLS to the router.
func TestRouteFollowsTheProfile(t *testing.T) {
	for name, test := range map[string]struct {
		endpoint              fields
		termination, external string
	}{
		"servingCert":  {servingCert(), "reencrypt", "spire-server-federation-tls"},
		"acme":         {acme(), "passthrough", ""},
		"https_spiffe": {fields{"profile": "https_spiffe"}, "passthrough", ""},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := render("route.yaml", newTestView(defaulted(test.endpoint), newest))
			must(t, err)
			tls := objects[0].Object["spec"].(fields)["tls"].(fields)
			external, _ := tls["externalCertificate"].(fields)
			if tls["termination"] != test.termination || (external == nil) != (test.external == "") || external["name"] != nil && external["name"] != test.external {
				t.Errorf("tls is %v", tls)
			}
			if host := objects[0].Object["spec"].(fields)["host"]; host != "federation.apps.cluster1.lab" {
				t.Errorf("host is %v", host)
			}
		})
	}
}

// TestTrustedCA: the folder is mounted, so that the ConfigMap's file replaces the system's roots in both containers.
func TestTrustedCA(t *testing.T) {
	t.Setenv("TRUSTED_CA_BUNDLE_CONFIGMAP", "lab-ca")
	objects, err := render("statefulset.yaml", newTestView(nil, newest))
	must(t, err)
	text, err := objects[0].MarshalJSON()
	must(t, err)
	mount := `{"mountPath":"/etc/pki/ca-trust/extracted/pem","name":"trusted-ca-bundle","readOnly":true}`
	volume := `{"configMap":{"items":[{"key":"ca-bundle.crt","path":"tls-ca-bundle.pem"}],"name":"lab-ca"},"name":"trusted-ca-bundle"}`
	if n := strings.Count(string(text), mount); n != 2 {
		t.Errorf("%d containers mount it, want 2", n)
	}
	if !strings.Contains(string(text), volume) {
		t.Errorf("no volume %s", volume)
	}
}

// TestReleasesDiffer compares all that the operator makes for the same resources in 1.0 and in 1.1.
func TestReleasesDiffer(t *testing.T) {
	before, after := everything(t, oneZero), everything(t, newest)
	var lines []string
	for _, object := range slices.Sorted(maps.Keys(union(before, after))) {
		was, is := before[object], after[object]
		switch {
		case was == nil:
			lines = append(lines, object+": only in 1.1")
		case is == nil:
			lines = append(lines, object+": only in 1.0")
		}
		for _, field := range slices.Sorted(maps.Keys(union(was, is))) {
			if was != nil && is != nil && was[field] != is[field] {
				lines = append(lines, fmt.Sprintf("%s%s: %q, %q", object, field, was[field], is[field]))
			}
		}
	}
	want, err := testdata.ReadFile("testdata/differences.txt")
	must(t, err)
	if got := strings.Join(lines, "\n") + "\n"; got != string(want) {
		t.Errorf("differs from testdata/differences.txt:\n%s", got)
	}
}

// everything is each object that the operator makes for a federating server and its nodes, field by field.
func everything(t *testing.T, of release.Release) map[string]map[string]string {
	t.Helper()
	t.Setenv(trustedCA, "trusted-ca")
	t.Setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
	view := newTestView(defaulted(servingCert()), of)
	for field, value := range map[string]string{"socketPath": "/run/spire/agent-sockets", "agentSocketPath": "/run/spire/agent-sockets", "pluginName": "csi.spiffe.io",
		"externalSecretRef": "oidc-tls"} {
		view["spec"].(fields)[field] = value
	}
	other := "operands/csi-scc.yaml" // the file of the other release
	if of.OneZero() {
		other = "operands/csi-privileged.yaml"
	}
	names, err := fs.Glob(files, "operands/*")
	must(t, err)
	all := map[string]map[string]string{}
	for _, name := range names {
		if name == other {
			continue
		}
		objects, err := render(strings.TrimPrefix(name, "operands/"), view)
		must(t, err)
		for _, o := range objects {
			fields := map[string]string{}
			flatten(fields, "", o.Object)
			all[o.GetKind()+" "+o.GetName()] = fields
		}
	}
	return all
}

// flatten leaves out what differs in every object, or follows from what is compared elsewhere.
func flatten(into map[string]string, path string, value any) {
	switch value := value.(type) {
	case fields:
		for key, v := range value {
			flatten(into, path+"."+key, v)
		}
	case []any:
		for i, v := range value {
			flatten(into, fmt.Sprintf("%s[%d]", path, i), v)
		}
	default:
		if path != ".metadata.labels.app.kubernetes.io/version" && !strings.HasPrefix(path, ".data.") && !strings.HasSuffix(path, "config-hash") {
			into[path] = fmt.Sprint(value)
		}
	}
}

func union[V any](a, b map[string]V) map[string]V {
	all := map[string]V{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}
