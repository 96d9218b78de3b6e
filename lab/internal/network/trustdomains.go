package network

import (
	"fmt"
	"regexp"
)

// TrustDomains are those that are not their cluster's apps domain, by the cluster's name.
type TrustDomains map[string]string

var trustDomainOf = regexp.MustCompile(`^(cluster\d+)=([a-z0-9._-]{1,255})$`) // as the CRD has it

// Of returns a cluster's trust domain.
func (t TrustDomains) Of(p Plan) string {
	if domain, ok := t[p.Name]; ok {
		return domain
	}
	return p.Domain
}

// Set adds what a flag says: CLUSTER=DOMAIN.
func (t TrustDomains) Set(text string) error {
	parts := trustDomainOf.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("%q is not CLUSTER=DOMAIN, like cluster3=cluster3.example.com", text)
	}
	t[parts[1]] = parts[2]
	return nil
}
