package serviceca

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spire-federation/lab/internal/pki"
)

// lifetime is OpenShift's. It renews them at half of it, which no lab lives to see.
const lifetime = 2 * 365 * 24 * time.Hour

// issue signs a new serving certificate for the Service. The result is the data of a kubernetes.io/tls secret.
func issue(ca pki.CA, service *corev1.Service) (map[string][]byte, error) {
	names := hosts(service)
	leaf, err := ca.Issue(pki.Leaf{CommonName: names[0], DNS: names, Lifetime: lifetime})
	return map[string][]byte{
		corev1.TLSCertKey:       slices.Concat(leaf.Cert, ca.Cert), // OpenShift adds the CA here, too
		corev1.TLSPrivateKeyKey: leaf.Key,
	}, err
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
