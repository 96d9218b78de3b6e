package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"spire-federation/lab/internal/network"
)

func TestLeafsOfAClusterVerifyAgainstItsCAAndNoOther(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, c := range []struct {
		dir string
		i   int
	}{{dir, 1}, {other, 2}} {
		if _, err := WriteCluster(c.dir, network.For(c.i)); err != nil {
			t.Fatal(err)
		}
	}
	server := certificate(t, dir, APIServer)
	for _, name := range []string{"198.18.16.1", "198.18.24.1", "kubernetes.default.svc"} {
		options := x509.VerifyOptions{DNSName: name, Roots: roots(t, dir), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if _, err := server.Verify(options); err != nil {
			t.Errorf("API server as %s: %v", name, err)
		}
	}
	admin := certificate(t, dir, Admin)
	client := x509.VerifyOptions{Roots: roots(t, dir), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := admin.Verify(client); err != nil {
		t.Errorf("admin: %v", err)
	}
	if got := admin.Subject.Organization; len(got) != 1 || got[0] != "system:masters" {
		t.Errorf("admin's groups = %v", got)
	}
	client.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if _, err := admin.Verify(client); err == nil {
		t.Error("the admin's certificate may serve")
	}
	if _, err := server.Verify(x509.VerifyOptions{Roots: roots(t, other)}); err == nil {
		t.Error("cluster2's CA vouches for cluster1's API server")
	}
}

func TestKubeconfigHasAUsableContextPerCluster(t *testing.T) {
	dir := t.TempDir()
	var clusters []Access
	for _, plan := range network.All(2) {
		access, err := WriteCluster(filepath.Join(dir, plan.Name), plan)
		if err != nil {
			t.Fatal(err)
		}
		clusters = append(clusters, access)
	}
	file := filepath.Join(dir, "kubeconfig")
	if err := WriteKubeconfig(file, clusters...); err != nil {
		t.Fatal(err)
	}
	for _, plan := range network.All(2) {
		rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: file}
		config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: plan.Name}).ClientConfig()
		if err != nil {
			t.Fatal(err)
		}
		if config.Host != plan.Server() {
			t.Errorf("%s: server %s", plan.Name, config.Host)
		}
		if _, err := tls.X509KeyPair(config.CertData, config.KeyData); err != nil {
			t.Errorf("%s: client certificate and key: %v", plan.Name, err)
		}
	}
}

func certificate(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	pair, err := Read(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func roots(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(certificate(t, dir, ClusterCA))
	return pool
}
