package ztwim

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// validities are the durations of SpireServer.spec, the longest first.
var validities = []string{"caValidity", "defaultX509Validity", "defaultJWTValidity"}

// validate checks what the CRD cannot. What it refuses is not tried again before the next edit.
func validate(view fields, wasInvalid bool, found *findings) bool {
	spec, manager := view["spec"].(fields), view["manager"].(fields)
	if err := validateFederation(spec, manager["trustDomain"]); err != nil {
		found.add(configurationValid, false, "InvalidFederationConfiguration", fmt.Sprintf("Federation configuration validation failed: %v", err))
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
