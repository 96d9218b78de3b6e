package ztwim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// set is one edit: a path below spec, with dots, and its value; nil removes it.
type set struct {
	path  string
	value any
}

func edit(t *testing.T, u *unstructured.Unstructured, sets ...set) *unstructured.Unstructured {
	t.Helper()
	u = u.DeepCopy()
	for _, s := range sets {
		path := append([]string{"spec"}, strings.Split(s.path, ".")...)
		if s.value == nil {
			unstructured.RemoveNestedField(u.Object, path...)
		} else {
			must(t, unstructured.SetNestedField(u.Object, s.value, path...))
		}
	}
	return u
}

func spireServer() *unstructured.Unstructured {
	u := object(server)
	u.SetName("cluster")
	u.Object["spec"] = fields{
		"jwtIssuer":   "https://oidc-discovery.apps.cluster1.example.com",
		"caSubject":   fields{"country": "US", "organization": "Example", "commonName": "SPIRE Server CA"},
		"persistence": fields{"size": "1Gi", "accessMode": "ReadWriteOnce"},
		"datastore":   fields{"databaseType": "sqlite3", "connectionString": "/run/spire/data/datastore.sqlite3"},
	}
	return u
}

func ztwimCluster() *unstructured.Unstructured {
	u := object(manager)
	u.SetName("cluster")
	u.Object["spec"] = fields{"trustDomain": "apps.cluster1.example.com", "clusterName": "cluster1"}
	return u
}

func federation(bundleEndpoint fields, more ...any) fields {
	f := fields{"bundleEndpoint": bundleEndpoint}
	if more != nil {
		f["federatesWith"] = more
	}
	return f
}

func servingCert() fields {
	cert := fields{"externalSecretRef": "spire-server-federation-tls"}
	return fields{"profile": "https_web", "httpsWeb": fields{"servingCert": cert}}
}

func acme() fields {
	return fields{"profile": "https_web", "httpsWeb": fields{"acme": fields{
		"directoryUrl": "https://acme.example.com/dir", "domainName": "federation.apps.cluster1.example.com",
		"email": "admin@example.com", "tosAccepted": "true",
	}}}
}

func peer(name string) fields {
	return fields{"trustDomain": name, "bundleEndpointUrl": "https://federation." + name, "bundleEndpointProfile": "https_web"}
}

func with(object fields, key string, value any) fields {
	object[key] = value
	return object
}

// TestCRDs has a real API server accept and refuse what the released CRDs accept and refuse.
func TestCRDs(t *testing.T) {
	_, c := apiServer(t)
	ctx := context.Background()
	web := func(key string, value any) set {
		endpoint := servingCert()
		cert := endpoint["httpsWeb"].(fields)["servingCert"].(fields)
		cert[key] = value
		return set{"federation", federation(endpoint)}
	}
	letsEncrypt := func(key string, value any) set {
		endpoint := acme()
		endpoint["httpsWeb"].(fields)["acme"].(fields)[key] = value
		return set{"federation", federation(endpoint)}
	}
	upstream := func(kind string, value fields) set { return set{"upstreamAuthority", fields{kind: value}} }
	withPeer := func(p fields) set { return set{"federation", federation(servingCert(), p)} }
	many := func(n int) []any {
		var peers []any
		for i := range n {
			peers = append(peers, peer(fmt.Sprintf("td%d.example.com", i)))
		}
		return peers
	}
	long := strings.Repeat("x", 600)

	creations := map[string]struct {
		base  *unstructured.Unstructured
		set   set
		field string // where the refusal points; empty when it is accepted
	}{
		"a server as the lab has it":      {spireServer(), set{"logLevel", "info"}, ""},
		"an unknown log level":            {spireServer(), set{"logLevel", "trace"}, "spec.logLevel"},
		"an unknown log format":           {spireServer(), set{"logFormat", "xml"}, "spec.logFormat"},
		"no JWT issuer":                   {spireServer(), set{"jwtIssuer", nil}, "spec.jwtIssuer"},
		"a JWT issuer with a query":       {spireServer(), set{"jwtIssuer", "https://x.example.com/?a"}, "spec.jwtIssuer"},
		"a JWT issuer in capitals":        {spireServer(), set{"jwtIssuer", "HTTPS://x.example.com"}, ""},
		"a JWT issuer that is too long":   {spireServer(), set{"jwtIssuer", "https://" + long}, "spec.jwtIssuer"},
		"no subject":                      {spireServer(), set{"caSubject", nil}, "spec.caSubject"},
		"a country of three letters":      {spireServer(), set{"caSubject.country", "USA"}, "spec.caSubject.country"},
		"a long organization":             {spireServer(), set{"caSubject.organization", long}, "spec.caSubject.organization"},
		"a long common name":              {spireServer(), set{"caSubject.commonName", long}, "spec.caSubject.commonName"},
		"a word for a duration":           {spireServer(), set{"caValidity", "soon"}, "spec.caValidity"},
		"an unknown CA key":               {spireServer(), set{"caKeyType", "ed25519"}, "spec.caKeyType"},
		"an unknown JWT key":              {spireServer(), set{"jwtKeyType", "ed25519"}, "spec.jwtKeyType"},
		"no persistence":                  {spireServer(), set{"persistence", nil}, "spec.persistence"},
		"a size in Mi":                    {spireServer(), set{"persistence.size", "512Mi"}, "spec.persistence.size"},
		"read-only persistence":           {spireServer(), set{"persistence.accessMode", "ReadOnlyMany"}, "spec.persistence.accessMode"},
		"no datastore":                    {spireServer(), set{"datastore", nil}, "spec.datastore"},
		"an unknown database":             {spireServer(), set{"datastore.databaseType", "oracle"}, "spec.datastore.databaseType"},
		"no connection to open":           {spireServer(), set{"datastore.maxOpenConns", int64(0)}, "spec.datastore.maxOpenConns"},
		"a boolean for a word":            {spireServer(), set{"datastore.disableMigration", "no"}, "spec.datastore.disableMigration"},
		"https_spiffe":                    {spireServer(), set{"federation", federation(fields{"profile": "https_spiffe"})}, ""},
		"no bundle endpoint":              {spireServer(), set{"federation", fields{"managedRoute": "true"}}, "spec.federation.bundleEndpoint"},
		"https_web without httpsWeb":      {spireServer(), set{"federation", federation(fields{"profile": "https_web"})}, "spec.federation.bundleEndpoint"},
		"an unknown profile":              {spireServer(), set{"federation", federation(fields{"profile": "http"})}, "spec.federation.bundleEndpoint.profile"},
		"acme and servingCert":            {spireServer(), set{"federation", federation(fields{"profile": "https_web", "httpsWeb": fields{"servingCert": fields{}, "acme": acme()["httpsWeb"].(fields)["acme"]}})}, "spec.federation.bundleEndpoint.httpsWeb"},
		"neither acme nor servingCert":    {spireServer(), set{"federation", federation(fields{"profile": "https_web", "httpsWeb": fields{}})}, "spec.federation.bundleEndpoint.httpsWeb"},
		"a refresh hint of 59 s":          {spireServer(), set{"federation", federation(with(servingCert(), "refreshHint", int64(59)))}, "spec.federation.bundleEndpoint.refreshHint"},
		"a refresh hint of an hour":       {spireServer(), set{"federation", federation(with(servingCert(), "refreshHint", int64(3600)))}, ""},
		"a refresh hint of 3601 s":        {spireServer(), set{"federation", federation(with(servingCert(), "refreshHint", int64(3601)))}, "spec.federation.bundleEndpoint.refreshHint"},
		"a file read every 3599 s":        {spireServer(), web("fileSyncInterval", int64(3599)), "spec.federation.bundleEndpoint.httpsWeb.servingCert.fileSyncInterval"},
		"a file read every 90 days":       {spireServer(), web("fileSyncInterval", int64(7776000)), ""},
		"a file read hardly ever":         {spireServer(), web("fileSyncInterval", int64(7776001)), "spec.federation.bundleEndpoint.httpsWeb.servingCert.fileSyncInterval"},
		"an ACME directory over http":     {spireServer(), letsEncrypt("directoryUrl", "http://acme.example.com"), "spec.federation.bundleEndpoint.httpsWeb.acme.directoryUrl"},
		"an e-mail that is none":          {spireServer(), letsEncrypt("email", "admin"), "spec.federation.bundleEndpoint.httpsWeb.acme.email"},
		"consent in another word":         {spireServer(), letsEncrypt("tosAccepted", "yes"), "spec.federation.bundleEndpoint.httpsWeb.acme.tosAccepted"},
		"a managed Route that is maybe":   {spireServer(), set{"federation", with(federation(servingCert()), "managedRoute", "maybe")}, "spec.federation.managedRoute"},
		"one peer":                        {spireServer(), withPeer(peer("apps.cluster2.example.com")), ""},
		"an empty list of peers":          {spireServer(), set{"federation", with(federation(servingCert()), "federatesWith", []any{})}, "spec.federation.federatesWith"},
		"50 peers":                        {spireServer(), set{"federation", federation(servingCert(), many(50)...)}, ""},
		"51 peers":                        {spireServer(), set{"federation", federation(servingCert(), many(51)...)}, "spec.federation.federatesWith"},
		"a peer in capitals":              {spireServer(), withPeer(peer("APPS")), "spec.federation.federatesWith[0].trustDomain"},
		"a peer over http":                {spireServer(), withPeer(with(peer("b"), "bundleEndpointUrl", "http://b")), "spec.federation.federatesWith[0].bundleEndpointUrl"},
		"a peer without profile":          {spireServer(), withPeer(fields{"trustDomain": "b", "bundleEndpointUrl": "https://b"}), "spec.federation.federatesWith[0].bundleEndpointProfile"},
		"an https_spiffe peer without ID": {spireServer(), withPeer(with(peer("b"), "bundleEndpointProfile", "https_spiffe")), "spec.federation.federatesWith[0]"},
		"a SPIFFE ID that is none":        {spireServer(), withPeer(with(peer("b"), "endpointSpiffeId", "https://b")), "spec.federation.federatesWith[0].endpointSpiffeId"},

		"cert-manager above":              {spireServer(), upstream("certManager", fields{"namespace": "pki", "issuerName": "spire-ca"}), ""},
		"an issuer in no namespace":       {spireServer(), upstream("certManager", fields{"issuerName": "spire-ca"}), "spec.upstreamAuthority.certManager.namespace"},
		"an issuer of another kind":       {spireServer(), upstream("certManager", fields{"namespace": "pki", "issuerName": "a", "issuerKind": "CA"}), "spec.upstreamAuthority.certManager.issuerKind"},
		"Vault above":                     {spireServer(), upstream("vault", fields{"vaultAddr": "https://vault", "k8sAuth": fields{"k8sAuthRoleName": "spire"}}), ""},
		"Vault with no way to log in":     {spireServer(), upstream("vault", fields{"vaultAddr": "https://vault"}), "spec.upstreamAuthority.vault.k8sAuth"},
		"Vault without a scheme":          {spireServer(), upstream("vault", fields{"vaultAddr": "vault:8200", "k8sAuth": fields{"k8sAuthRoleName": "spire"}}), "spec.upstreamAuthority.vault.vaultAddr"},
		"nothing above, in so many words": {spireServer(), set{"upstreamAuthority", fields{}}, "spec.upstreamAuthority"},

		"a manager as the lab has it":    {ztwimCluster(), set{"bundleConfigMap", "spire-bundle"}, ""},
		"no trust domain":                {ztwimCluster(), set{"trustDomain", nil}, "spec.trustDomain"},
		"a trust domain in capitals":     {ztwimCluster(), set{"trustDomain", "Example.com"}, "spec.trustDomain"},
		"no cluster name":                {ztwimCluster(), set{"clusterName", nil}, "spec.clusterName"},
		"a cluster name that is long":    {ztwimCluster(), set{"clusterName", long[:64]}, "spec.clusterName"},
		"a bundle ConfigMap in capitals": {ztwimCluster(), set{"bundleConfigMap", "Bundle"}, "spec.bundleConfigMap"},
	}
	for name, test := range creations {
		t.Run(name, func(t *testing.T) {
			expect(t, c.Create(ctx, edit(t, test.base, test.set), client.DryRunAll), test.field)
		})
	}

	other := spireServer()
	other.SetName("other")
	expect(t, c.Create(ctx, other, client.DryRunAll), "<nil>")

	changes := map[string]struct {
		first *unstructured.Unstructured
		set   set
		field string
	}{
		"federation comes later":       {spireServer(), set{"federation", federation(servingCert())}, ""},
		"federation is removed":        {edit(t, spireServer(), set{"federation", federation(servingCert())}), set{"federation", nil}, "<nil>"},
		"the profile changes":          {edit(t, spireServer(), set{"federation", federation(fields{"profile": "https_spiffe"})}), set{"federation", federation(servingCert())}, "spec.federation.bundleEndpoint"},
		"servingCert becomes acme":     {edit(t, spireServer(), set{"federation", federation(servingCert())}), set{"federation", federation(acme())}, "spec.federation.bundleEndpoint.httpsWeb"},
		"acme becomes servingCert":     {edit(t, spireServer(), set{"federation", federation(acme())}), set{"federation", federation(servingCert())}, "spec.federation.bundleEndpoint.httpsWeb"},
		"peers come":                   {edit(t, spireServer(), set{"federation", federation(servingCert())}), withPeer(peer("b")), ""},
		"the size changes":             {spireServer(), set{"persistence.size", "2Gi"}, "<nil>"},
		"the access mode changes":      {spireServer(), set{"persistence.accessMode", "ReadWriteMany"}, "<nil>"},
		"the storage class changes":    {spireServer(), set{"persistence.storageClass", "fast"}, "<nil>"},
		"the trust domain changes":     {ztwimCluster(), set{"trustDomain", "b"}, "spec.trustDomain"},
		"the cluster name changes":     {ztwimCluster(), set{"clusterName", "b"}, "spec.clusterName"},
		"the bundle ConfigMap changes": {ztwimCluster(), set{"bundleConfigMap", "b"}, "spec.bundleConfigMap"},
	}
	for name, test := range changes {
		t.Run(name, func(t *testing.T) {
			made := test.first.DeepCopy()
			must(t, c.Create(ctx, made))
			defer func() { must(t, c.Delete(ctx, made)) }()
			expect(t, c.Update(ctx, edit(t, made, test.set), client.DryRunAll), test.field)
		})
	}

	t.Run("what is left out gets the product's defaults", func(t *testing.T) {
		made := edit(t, spireServer(), set{"federation", federation(fields{"profile": "https_web", "httpsWeb": fields{"servingCert": fields{}}})})
		must(t, c.Create(ctx, made, client.DryRunAll))
		for path, want := range map[string]any{
			"logLevel": "info", "logFormat": "text", "caValidity": "24h", "defaultX509Validity": "1h", "defaultJWTValidity": "5m",
			"caKeyType": "rsa-2048", "persistence.storageClass": "", "datastore.maxOpenConns": int64(100), "datastore.maxIdleConns": int64(2),
			"datastore.disableMigration": "false", "federation.managedRoute": "true", "federation.bundleEndpoint.refreshHint": int64(300),
			"federation.bundleEndpoint.httpsWeb.servingCert.fileSyncInterval": int64(86400),
		} {
			got, _, _ := unstructured.NestedFieldNoCopy(made.Object, append([]string{"spec"}, strings.Split(path, ".")...)...)
			if got != want {
				t.Errorf("spec.%s is %v, want %v", path, got, want)
			}
		}
		boss := ztwimCluster()
		must(t, c.Create(ctx, boss, client.DryRunAll))
		if got, _, _ := unstructured.NestedString(boss.Object, "spec", "bundleConfigMap"); got != "spire-bundle" {
			t.Errorf("spec.bundleConfigMap is %q, want spire-bundle", got)
		}
	})
	if err := c.Get(ctx, types.NamespacedName{Name: "cluster"}, object(server)); !apierrors.IsNotFound(err) {
		t.Errorf("the test left a SpireServer behind: %v", err)
	}
}

// expect wants err to be a refusal that points at field, or no error when field is empty.
func expect(t *testing.T, err error, field string) {
	t.Helper()
	if field == "" {
		must(t, err)
		return
	}
	status, _ := err.(apierrors.APIStatus)
	if status == nil || !apierrors.IsInvalid(err) {
		t.Fatalf("accepted or failed otherwise: %v", err)
	}
	var got []string
	for _, cause := range status.Status().Details.Causes {
		got = append(got, cause.Field)
	}
	if !slices.Contains(got, field) {
		t.Errorf("refused for %v, want %s: %v", got, field, err)
	}
}
