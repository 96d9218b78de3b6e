package ztwim

import (
	"embed"
	"strings"
	"testing"
)

// Embedded, and not read: Go then knows the test's result again in another checkout, where files are of another time.
//
//go:embed testdata
var testdata embed.FS

func newTestView(spec fields) fields {
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
	return newView(whole, manager, product)
}

func defaulted(endpoint fields, peers ...any) fields {
	endpoint["refreshHint"] = int64(300)
	if web, ok := endpoint["httpsWeb"].(fields); ok && web["servingCert"] != nil {
		web["servingCert"].(fields)["fileSyncInterval"] = int64(86400)
	}
	return fields{"federation": with(federation(endpoint, peers...), "managedRoute", "true")}
}

// TestConfiguration compares every byte with what the operator 1.0.0 writes for the same resources.
func TestConfiguration(t *testing.T) {
	spiffePeer := with(with(peer("apps.cluster3.lab"), "bundleEndpointProfile", "https_spiffe"), "endpointSpiffeId", "spiffe://apps.cluster3.lab/spire/server")
	for golden, spec := range map[string]fields{
		"server-plain.conf":        {},
		"server-serving-cert.conf": defaulted(servingCert()),
		"server-peers.conf":        defaulted(servingCert(), spiffePeer, peer("apps.cluster2.lab")),
		"server-acme.conf":         defaulted(acme()),
		"server-https-spiffe.conf": defaulted(fields{"profile": "https_spiffe"}),
		"server-other-values.conf": {
			"logLevel": "debug", "logFormat": "json", "jwtKeyType": "ec-p256", "caKeyType": "ec-p384", "caSubject": fields{},
			"datastore": fields{"databaseType": "postgres", "connectionString": "dbname=<spire> & more", "maxOpenConns": int64(7),
				"maxIdleConns": int64(0), "connMaxLifetime": int64(60), "disableMigration": "true"},
		},
	} {
		t.Run(golden, func(t *testing.T) { same(t, newTestView(spec), "server.conf", golden) })
	}
	t.Run("controller-manager-config.yaml", func(t *testing.T) {
		same(t, newTestView(fields{"labels": map[string]any{"team": "a"}}), "controller-manager-config.yaml", "controller-manager-config.yaml")
	})
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
			objects, err := render("route.yaml", newTestView(defaulted(test.endpoint)))
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
	objects, err := render("statefulset.yaml", newTestView(nil))
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
