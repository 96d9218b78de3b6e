package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"

	"spire-federation/lab/internal/network"
)

// Names of the pairs in a cluster's pki folder: <name>.crt and <name>.key.
const (
	ClusterCA     = "ca"
	ServiceCA     = "service-ca" // signs the serving certificates that Services ask for by annotation
	APIServer     = "apiserver"
	KubeletClient = "kubelet-client"
	Kubelet       = "kubelet"
	Controllers   = "controller-manager"
	Scheduler     = "scheduler"
	Admin         = "admin"
	// ServiceAccounts signs tokens; its .crt is a bare public key.
	ServiceAccounts = "service-accounts"
)

// WriteCluster makes everything in dir that the cluster's processes show or check, and returns what an administrator needs.
func WriteCluster(dir string, plan network.Plan) (Access, error) {
	ca, err := NewCA(plan.Name)
	if err != nil {
		return Access{}, err
	}
	serviceCA, err := NewCA("openshift-service-serving-signer")
	if err != nil {
		return Access{}, err
	}
	pairs := map[string]Pair{ClusterCA: ca.Pair, ServiceCA: serviceCA.Pair}
	for name, leaf := range leafs(plan) {
		if pairs[name], err = ca.Issue(leaf); err != nil {
			return Access{}, err
		}
	}
	if pairs[ServiceAccounts], err = tokenSigner(); err != nil {
		return Access{}, err
	}
	access := func(name string) Access {
		return Access{Name: plan.Name, Server: plan.Server(), CA: ca.Cert, Client: pairs[name]}
	}
	for name, pair := range pairs {
		if err := pair.Write(dir, name); err != nil {
			return Access{}, err
		}
	}
	for _, name := range []string{Controllers, Scheduler, Admin} {
		if err := WriteKubeconfig(filepath.Join(dir, name+".kubeconfig"), access(name)); err != nil {
			return Access{}, err
		}
	}
	return access(Admin), nil
}

func leafs(plan network.Plan) map[string]Leaf {
	const masters = "system:masters"
	return map[string]Leaf{
		APIServer: {
			CommonName: "kube-apiserver",
			DNS:        []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
			IPs:        []netip.Addr{plan.NodeIP, plan.APIService},
		},
		KubeletClient: {CommonName: "kube-apiserver-kubelet-client", Organizations: []string{masters}},
		Kubelet:       {CommonName: "system:node:" + network.NodeName, Organizations: []string{"system:nodes"}, DNS: []string{network.NodeName}, IPs: []netip.Addr{plan.NodeIP}},
		Controllers:   {CommonName: "system:kube-controller-manager"},
		Scheduler:     {CommonName: "system:kube-scheduler"},
		Admin:         {CommonName: "lab-admin", Organizations: []string{masters}},
	}
}

func tokenSigner() (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Cert: encode("PUBLIC KEY", public), Key: encode("PRIVATE KEY", private)}, nil
}

// Read returns a pair that Write wrote.
func Read(dir, name string) (Pair, error) {
	cert, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return Pair{}, err
	}
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	return Pair{Cert: cert, Key: key}, err
}
