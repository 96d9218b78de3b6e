package ztwim

import (
	"strings"
	"testing"
)

// TestProxyNeedsTheCAs: behind a proxy nothing is reconciled until the operator knows the CAs to trust.
func TestProxyNeedsTheCAs(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"no proxy":           {nil, true},
		"only a list of not": {map[string]string{"NO_PROXY": ".svc"}, true},
		"a proxy":            {map[string]string{"HTTPS_PROXY": "http://proxy:3128"}, false},
		"a proxy and CAs":    {map[string]string{"HTTP_PROXY": "http://proxy:3128", trustedCA: "trusted-ca"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			var found findings
			if got := validate(newTestView(nil, newest), false, &found); got != test.want {
				t.Errorf("valid: %v, %v", got, found)
			}
			if !test.want && (len(found) != 1 || found[0].Reason != "ProxyConfigurationInvalid" || found[0].Type != configurationValid) {
				t.Errorf("found %v", found)
			}
			if got := (&job{}).valid(); got != test.want {
				t.Errorf("the agents' configuration is valid: %v", got)
			}
		})
	}
}

// TestProxyReachesTheContainers: the agents ask for the server and the API server without it.
func TestProxyReachesTheContainers(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy:3128")
	t.Setenv("NO_PROXY", ".internal")
	for file, want := range map[string]string{
		"statefulset.yaml": `{"name":"HTTPS_PROXY","value":"http://proxy:3128"},{"name":"NO_PROXY","value":".internal"}`,
		"agent-daemonset.yaml": `{"name":"HTTPS_PROXY","value":"http://proxy:3128"},{"name":"NO_PROXY","value":".internal,` +
			`spire-server.zero-trust-workload-identity-manager,spire-server.zero-trust-workload-identity-manager.svc,` +
			`spire-server.zero-trust-workload-identity-manager.svc.cluster.local,kubernetes.default,kubernetes.default.svc,kubernetes.default.svc.cluster.local"}`,
	} {
		objects, err := render(file, newTestView(fields{"socketPath": "/run"}, newest))
		must(t, err)
		text, err := objects[0].MarshalJSON()
		must(t, err)
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not have %s:\n%s", file, want, text)
		}
	}
}

// TestUpstreamAuthority: the operator checks again what its CRD does, because an API server may not have.
func TestUpstreamAuthority(t *testing.T) {
	certManager := fields{"namespace": "pki", "issuerName": "spire-ca"}
	vault := fields{"vaultAddr": "https://vault:8200", "k8sAuth": fields{"k8sAuthRoleName": "spire"}}
	for name, test := range map[string]struct{ upstream, problem any }{
		"none":               {nil, nil},
		"cert-manager":       {fields{"certManager": certManager}, nil},
		"Vault":              {fields{"vault": vault}, nil},
		"both":               {fields{"certManager": certManager, "vault": vault}, "exactly one of certManager or vault must be set"},
		"neither":            {fields{}, "exactly one of certManager or vault must be set"},
		"no issuer":          {fields{"certManager": fields{"namespace": "pki"}}, "certManager.issuerName is required"},
		"no role in Vault":   {fields{"vault": fields{"vaultAddr": "https://vault:8200"}}, "vault.k8sAuth.k8sAuthRoleName is required"},
		"no address in that": {fields{"vault": fields{"vaultAddr": "https://"}}, "vault.vaultAddr must include a host"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := fields{}
			if test.upstream != nil {
				spec["upstreamAuthority"] = test.upstream
			}
			var found findings
			valid := validate(newTestView(spec, newest), false, &found)
			if valid != (test.problem == nil) {
				t.Fatalf("valid: %v, %v", valid, found)
			}
			if !valid && (found[0].Reason != "InvalidUpstreamAuthorityConfiguration" ||
				found[0].Message != "Upstream authority configuration validation failed: "+test.problem.(string)) {
				t.Errorf("found %v", found)
			}
		})
	}
}
