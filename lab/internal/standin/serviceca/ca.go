package serviceca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// lifetime is OpenShift's. It renews them at half of it, which no lab lives to see.
const lifetime = 2 * 365 * 24 * time.Hour

// issue signs a new serving certificate for the Service; ca and the result are data of kubernetes.io/tls secrets.
func issue(ca map[string][]byte, service *corev1.Service, now time.Time) (map[string][]byte, error) {
	signer, err := tls.X509KeyPair(ca[corev1.TLSCertKey], ca[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	names := hosts(service)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: names[0]},
		DNSNames:     names,
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Leaf, key.Public(), signer.PrivateKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return map[string][]byte{
		corev1.TLSCertKey:       slices.Concat(leaf, ca[corev1.TLSCertKey]), // OpenShift adds the CA here, too
		corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// hosts are the names under which pods reach a Service, and each pod of a headless one.
func hosts(service *corev1.Service) []string {
	host := service.Name + "." + service.Namespace + ".svc"
	names := []string{host, host + ".cluster.local"}
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		names = append(names, "*."+host, "*."+host+".cluster.local")
	}
	return names
}
