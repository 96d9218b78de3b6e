package fabric

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// TrustDomains are those that are not their cluster's apps domain, by the cluster's name. It is a flag that can be given
// several times: CLUSTER=DOMAIN, or several of these with commas, as String writes them to hand them on.
type TrustDomains map[string]string

var trustDomainOf = regexp.MustCompile(`^(cluster\d+)=([a-z0-9._-]{1,255})$`) // as the CRD has it

// Of returns a cluster's trust domain.
func (t TrustDomains) Of(p Plan) string {
	if domain, ok := t[p.Name]; ok {
		return domain
	}
	return p.Domain
}

// Set adds what a flag says.
func (t TrustDomains) Set(text string) error {
	if text == "" { // what String writes of none
		return nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		parts := trustDomainOf.FindStringSubmatch(pair)
		if parts == nil {
			return fmt.Errorf("%q is not CLUSTER=DOMAIN, like cluster3=cluster3.example.com", pair)
		}
		t[parts[1]] = parts[2]
	}
	return nil
}

func (t TrustDomains) String() string {
	var pairs []string
	for _, cluster := range slices.Sorted(maps.Keys(t)) {
		pairs = append(pairs, cluster+"="+t[cluster])
	}
	return strings.Join(pairs, ",")
}
