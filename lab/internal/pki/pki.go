// Package pki makes the certificates that an installer would make: the cluster's CA and its leafs, the signer of
// service certificates, and the lab's web CA, which stands for the public ones.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// lifetime is longer than any lab lives; nothing in the lab renews these certificates.
const lifetime = 365 * 24 * time.Hour

// Pair is a certificate with its key, both as PEM.
type Pair struct{ Cert, Key []byte }

// CA issues leafs.
type CA struct {
	Pair
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Leaf says whom a certificate is for: a server, when it has DNS names or addresses, else a client.
type Leaf struct {
	CommonName    string
	Organizations []string
	DNS           []string
	IPs           []netip.Addr
	Lifetime      time.Duration // 0: that of the CAs
}

// NewCA makes a self-signed CA.
func NewCA(commonName string) (CA, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	pair, cert, key, err := sign(template, nil)
	return CA{Pair: pair, cert: cert, key: key}, err
}

// Load takes up a CA that NewCA made.
func Load(pair Pair) (CA, error) {
	loaded, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return CA{}, err
	}
	return CA{Pair: pair, cert: loaded.Leaf, key: loaded.PrivateKey.(*ecdsa.PrivateKey)}, nil
}

// Issue makes a leaf.
func (ca CA) Issue(leaf Leaf) (Pair, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Organizations},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		DNSNames:    leaf.DNS,
	}
	for _, address := range leaf.IPs {
		template.IPAddresses = append(template.IPAddresses, net.IP(address.AsSlice()))
	}
	if len(leaf.DNS)+len(leaf.IPs) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if leaf.Lifetime > 0 {
		template.NotAfter = time.Now().Add(leaf.Lifetime)
	}
	pair, _, _, err := sign(template, &ca)
	return pair, err
}

// sign fills in what all certificates have, makes a key, and signs with the issuer's key or, without one, with its own.
func sign(template *x509.Certificate, issuer *CA) (Pair, *x509.Certificate, *ecdsa.PrivateKey, error) {
	fail := func(err error) (Pair, *x509.Certificate, *ecdsa.PrivateKey, error) {
		return Pair{}, nil, nil, fmt.Errorf("certificate of %s: %w", template.Subject, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return fail(err)
	}
	now := time.Now()
	template.NotBefore = now.Add(-time.Hour)
	if template.NotAfter.IsZero() {
		template.NotAfter = now.Add(lifetime)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return fail(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fail(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fail(err)
	}
	return Pair{Cert: encode("CERTIFICATE", der), Key: encode("PRIVATE KEY", keyDER)}, cert, key, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Write puts the pair into dir as name.crt and name.key.
func (p Pair) Write(dir, name string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name+".crt"), p.Cert, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".key"), p.Key, 0o600)
}
