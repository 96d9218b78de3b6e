package ztwim

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// validities are the durations of SpireServer.spec, the longest first.
var validities = []string{"caValidity", "defaultX509Validity", "defaultJWTValidity"}

// validate checks what the CRD cannot. What it refuses is not tried again before the next edit.
func validate(view fields, wasInvalid bool, found *findings) bool {
	if !validateProxy(found) {
		return false
	}
	spec, manager := view["spec"].(fields), view["manager"].(fields)
	if err := validateFederation(spec, manager["trustDomain"]); err != nil {
		found.add(configurationValid, false, "InvalidFederationConfiguration", fmt.Sprintf("Federation configuration validation failed: %v", err))
		return false
	}
	if err := validateUpstream(spec); err != nil {
		found.add(configurationValid, false, "InvalidUpstreamAuthorityConfiguration", fmt.Sprintf("Upstream authority configuration validation failed: %v", err))
		return false
	}
	if wasInvalid {
		found.add(configurationValid, true, reasonReady, "Configuration validation passed")
	} else {
		found.add(configurationValid, true, configurationValid, "All configuration fields are valid")
	}
	const condition = "TTLConfigurationValid"
	if err := validateTTLs(spec); err != nil {
		found.add(condition, false, "TTLValidationFailed", err.Error())
		return false
	}
	found.add(condition, true, "TTLValidationSucceeded", "TTL configuration is valid")
	return true
}

// validateProxy: behind a proxy, the operator touches nothing until it is told of the CAs to trust.
func validateProxy(found *findings) bool {
	if len(proxyEnv()) == 0 || os.Getenv(trustedCA) != "" {
		return true
	}
	found.add(configurationValid, false, "ProxyConfigurationInvalid", "Proxy is enabled (HTTP_PROXY/HTTPS_PROXY set) but trusted CA bundle "+
		"ConfigMap is not configured. set TRUSTED_CA_BUNDLE_CONFIGMAP environment variable in the Subscription.")
	return false
}

// validateUpstream repeats what the CRD of 1.1 checks, and looks at the address of Vault.
func validateUpstream(spec fields) error {
	upstream, set := spec["upstreamAuthority"].(fields)
	if !set {
		return nil
	}
	certManager, isCertManager := upstream["certManager"].(fields)
	vault, isVault := upstream["vault"].(fields)
	if isCertManager == isVault {
		return errors.New("exactly one of certManager or vault must be set")
	}
	if isCertManager {
		for _, field := range []string{"namespace", "issuerName"} {
			if certManager[field] == nil || certManager[field] == "" {
				return fmt.Errorf("certManager.%s is required", field)
			}
		}
		return nil
	}
	address, err := url.Parse(fmt.Sprint(vault["vaultAddr"]))
	switch {
	case err != nil:
		return fmt.Errorf("vault.vaultAddr is not a valid URL: %w", err)
	case address.Scheme != "http" && address.Scheme != "https":
		return fmt.Errorf("vault.vaultAddr must use http or https scheme, got %q", address.Scheme)
	case address.Host == "":
		return errors.New("vault.vaultAddr must include a host")
	}
	if role, _, _ := unstructured.NestedString(vault, "k8sAuth", "k8sAuthRoleName"); role == "" {
		return errors.New("vault.k8sAuth.k8sAuthRoleName is required")
	}
	return nil
}

func validateFederation(spec fields, trustDomain any) error {
	tos, acme, _ := unstructured.NestedString(spec, "federation", "bundleEndpoint", "httpsWeb", "acme", "tosAccepted")
	if acme && tos != "true" {
		return errors.New("invalid bundle endpoint configuration: invalid ACME configuration: tosAccepted must be true to use ACME")
	}
	peers, _, _ := unstructured.NestedSlice(spec, "federation", "federatesWith")
	seen := map[any]bool{}
	for i, peer := range peers {
		peer := peer.(fields)["trustDomain"]
		switch {
		case peer == trustDomain:
			return fmt.Errorf("federatesWith[%d]: cannot federate with own trust domain %s", i, trustDomain)
		case seen[peer]:
			return fmt.Errorf("federatesWith[%d]: duplicate trust domain %s", i, peer)
		}
		seen[peer] = true
	}
	return nil
}

func validateTTLs(spec fields) error {
	var ca time.Duration
	for _, field := range validities {
		ttl, err := time.ParseDuration(fmt.Sprint(spec[field]))
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", field, err)
		case ttl <= 0:
			return fmt.Errorf("%s must be a positive duration", field)
		case field == validities[0]:
			ca = ttl
		case ttl > ca:
			return fmt.Errorf("caValidity must be greater than %s", field)
		}
	}
	return nil
}
