// Reads bundles as SPIRE does, by go-spiffe: of each line of JSON {"trustDomain": …, "jwks": …} it prints a line that says what is in it.
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

type question struct {
	TrustDomain string `json:"trustDomain"`
	JWKS        string `json:"jwks"`
}

// answer has the SHA-256 of each root, and of each JWT key by its id; or why the bundle is none.
type answer struct {
	Roots   []string          `json:"roots"`
	JWTKeys map[string]string `json:"jwtKeys"`
	Refused string            `json:"refused,omitempty"`
}

func read(asked question) (answer, error) {
	trustDomain, err := spiffeid.TrustDomainFromString(asked.TrustDomain)
	if err != nil {
		return answer{}, err
	}
	bundle, err := spiffebundle.Parse(trustDomain, []byte(asked.JWKS))
	if err != nil {
		return answer{}, err
	}
	found := answer{Roots: []string{}, JWTKeys: map[string]string{}}
	for _, root := range bundle.X509Authorities() {
		found.Roots = append(found.Roots, digest(root.Raw))
	}
	for id, key := range bundle.JWTAuthorities() {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return answer{}, err
		}
		found.JWTKeys[id] = digest(der)
	}
	return found, nil
}

func digest(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			log.Fatal(err)
		}
		found, err := read(asked)
		if err != nil {
			found.Refused = err.Error()
		}
		if err := answers.Encode(found); err != nil {
			log.Fatal(err)
		}
	}
}
